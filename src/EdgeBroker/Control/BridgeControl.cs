using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Cli.Control;

namespace EdgeBroker.Control;

/// <summary>What verbs ask of the bridges.</summary>
/// <param name="bridges">The bridges.</param>
internal sealed class BridgeControl(BridgePart bridges)
{
    /// <summary>How they are.</summary>
    public ControlAnswer List() => new() { Bridges = new BridgesAnswer([.. bridges.Statuses.Select(Show)]) };

    /// <summary>Has one do something; answers how it is then.</summary>
    public ControlAnswer Order(string name, string order)
    {
        BridgeOrder? known = order switch
        {
            "start" => BridgeOrder.Start,
            "stop" => BridgeOrder.Stop,
            "drain" => BridgeOrder.Drain,
            "purge" => BridgeOrder.Purge,
            _ => null,
        };
        if (known is not { } one) return ControlAnswer.Failed($"a bridge cannot \"{order}\"", ExitCode.Usage);
        // Nothing that is awaited comes back to this thread.
        if (!bridges.OrderAsync(name, one).GetAwaiter().GetResult())
        {
            string names = string.Join(", ", bridges.Statuses.Select(status => status.Name));
            return ControlAnswer.Failed(names.Length == 0 ? "there is no [[bridge]]" : $"there is no bridge {name}; there are {names}");
        }

        return new ControlAnswer { Bridges = new BridgesAnswer([.. bridges.Statuses.Where(status => status.Name == name).Select(Show)]) };
    }

    private static BridgeAnswer Show(BridgeStatus status) => new()
    {
        Name = status.Name,
        State = status.Phase.ToString().ToLowerInvariant(),
        Server = status.Server,
        BacklogMessages = status.BacklogMessages,
        BacklogBytes = status.BacklogBytes,
        OldestSeconds = status.OldestSeconds,
        Lanes = [.. status.Lanes.Select(lane => new LaneAnswer(lane.Name, lane.BacklogMessages, lane.BacklogBytes, lane.OldestSeconds))],
        Sent = status.Sent,
        Acknowledged = status.Acknowledged,
        Received = status.Received,
        Dropped = status.Dropped,
        Refused = status.Refused,
        RefusedSubscriptions = status.RefusedFilters,
        Loops = status.Loops,
        Connections = status.Connections,
        LastAcknowledgedSeconds = status.LastAcknowledgedSeconds,
        LastError = status.LastFault?.Text,
        LastErrorLayer = status.LastFault?.Layer.ToString().ToLowerInvariant(),
        LastErrorAt = status.LastFault?.At,
    };
}
