using EdgeBroker.Bridge.Planning;
using EdgeBroker.Bridge.Routes;

namespace EdgeBroker.Bridge.Presets;

/// <summary>Cumulocity has topics of its own.</summary>
internal static class Cumulocity
{
    private static readonly string[] Outward = ["s/us", "s/ut", "s/uc", "s/ud", "measurement/", "event/", "alarm/", "inventory/", "t/", "q/", "c/"];
    private static readonly string[] Inward = ["s/ds", "s/dt", "s/e", "s/dc", "s/dd", "s/dat", "devicecontrol/", "operation", "error"];

    public static void Check(BridgeSettings settings, BridgeProblems problems)
    {
        foreach (RouteSettings route in settings.Routes)
        {
            string remote = route.Remote ?? route.Local;
            string[] known = route.Direction == RouteDirection.In ? Inward : Outward;
            if (Array.Exists(known, place => remote.StartsWith(place, StringComparison.Ordinal))) continue;
            problems.Add(route, "remote", $"Cumulocity has no such topic; it has {string.Join(", ", known.Select(place => place.TrimEnd('/')))}");
        }
    }
}
