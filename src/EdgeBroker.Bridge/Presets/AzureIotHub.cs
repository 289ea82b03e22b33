using EdgeBroker.Bridge.Planning;

namespace EdgeBroker.Bridge.Presets;

/// <summary>Azure IoT Hub has no topics of one's own.</summary>
internal static class AzureIotHub
{
    private static readonly string[] Inward = ["devices/{client}/messages/devicebound/#", "$iothub/twin/", "$iothub/methods/"];

    public static void Check(BridgeSettings settings, BridgeProblems problems)
    {
        foreach (RouteSettings route in settings.Routes)
        {
            string remote = route.Remote ?? "";
            if (route.Direction == Routes.RouteDirection.Both)
            {
                problems.Add(route, "direction", "Azure IoT Hub has no topics that lead both ways; make it two routes");
            }
            else if (route.Direction == Routes.RouteDirection.Out && route.Remote is not null
                && !Fill(remote, settings).StartsWith(Fill("devices/{client}/messages/events/", settings), StringComparison.Ordinal)
                && !remote.StartsWith("$iothub/", StringComparison.Ordinal))
            {
                problems.Add(
                    route, "remote", "Azure IoT Hub takes messages at devices/{client}/messages/events/ only; leave \"remote\" out to have the topic go along "
                    + "as the property \"topic\", or write devices/{client}/messages/events/NAME={topic:url}");
            }
            else if (route.Direction == Routes.RouteDirection.In
                && !Array.Exists(Inward, place => Fill(remote, settings).StartsWith(Fill(place, settings).TrimEnd('#'), StringComparison.Ordinal)))
            {
                problems.Add(
                    route, "remote", "Azure IoT Hub sends at devices/{client}/messages/devicebound/#, $iothub/twin/... and $iothub/methods/... only");
            }
        }
    }

    private static string Fill(string text, BridgeSettings settings) => text.Replace("{client}", settings.ClientId ?? "", StringComparison.Ordinal);
}
