using EdgeBroker.Bridge.Planning;

namespace EdgeBroker.Bridge.Presets;

/// <summary>ThingsBoard has topics of its own, and knows the device by its access token.</summary>
internal static class ThingsBoard
{
    public static void Check(BridgeSettings settings, BridgeProblems problems)
    {
        if (settings.UserName is null && !settings.HasClientCertificate)
        {
            problems.Add("user", "ThingsBoard wants the device's access token as the user name");
        }

        foreach (RouteSettings route in settings.Routes)
        {
            string remote = route.Remote ?? route.Local;
            if (remote.StartsWith("v1/", StringComparison.Ordinal) || remote.StartsWith("v2/", StringComparison.Ordinal)) continue;
            problems.Add(route, "remote", "ThingsBoard has topics below v1/ only, as v1/devices/me/telemetry or v1/gateway/telemetry");
        }
    }
}
