using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary>Makes frames of what a broker answers: rates are what has come between two of them.</summary>
/// <param name="ask">Asks the broker.</param>
/// <param name="time">The clock.</param>
internal sealed class TopFrames(Func<ControlRequest, ControlAnswer> ask, TimeProvider time)
{
    private Dictionary<string, SessionSummary> _before = new(StringComparer.Ordinal);
    private StatusAnswer? _statusBefore;
    private long _at;

    /// <summary>The next frame.</summary>
    /// <param name="filter">Client ids, with * and ?; null: all.</param>
    /// <param name="sort">What the first is first in: <c>in</c>, <c>out</c>, <c>queue</c> or <c>drops</c>.</param>
    /// <param name="rows">Most clients.</param>
    public TopAnswer Next(string? filter, string sort, int rows)
    {
        StatusAnswer status = ask(new ControlRequest(ControlRequest.Status)).Status!;
        Page<SessionSummary> page = ask(new ControlRequest(ControlRequest.Clients) { ClientId = filter, Limit = ControlRequest.MostRows }).Clients!;
        long now = time.GetTimestamp();
        double? seconds = _statusBefore is null ? null : Math.Max(0.001, time.GetElapsedTime(_at, now).TotalSeconds);
        TopClient[] clients = [.. page.Items.Select(one => ClientOf(one, seconds))];
        var frame = new TopAnswer(
            status.Node, status.Health, status.UptimeSeconds, Meter(status, "mqtt.connections.current") ?? 0, Rate("mqtt.messages.received.total"),
            Rate("mqtt.messages.sent.total"), Rate("mqtt.messages.dropped.total"), Meter(status, "edgebroker.messages.stored") ?? 0,
            Meter(status, "edgebroker.memory.used") ?? Meter(status, "edgebroker.heap.size") ?? 0, Meter(status, "edgebroker.store.bytes"),
                [.. clients.OrderByDescending(one => ValueOf(one, sort)).ThenBy(one => one.Session.ClientId, StringComparer.Ordinal)
                .Take(rows)]);
        _before = page.Items.ToDictionary(one => one.ClientId, StringComparer.Ordinal);
        (_statusBefore, _at) = (status, now);
        return frame;

        double? Rate(string name) => seconds is { } elapsed && Meter(status, name) is { } after && Meter(_statusBefore!, name) is { } before && after >= before
            ? (after - before) / elapsed
            : null;
    }

    private static long? Meter(StatusAnswer status, string name)
    {
        MeterAnswer[] found = [.. status.Meters.Where(meter => meter.Name == name)];
        return found.Length == 0 ? null : found.Sum(meter => meter.Value);
    }

    private static double ValueOf(TopClient client, string sort) => sort switch
    {
        "out" => client.OutPerSecond ?? client.Session.Traffic?.MessagesSent ?? 0,
        "queue" => client.Session.QueueMessages,
        "drops" => client.Session.DroppedTotal,
        _ => client.InPerSecond ?? client.Session.Traffic?.MessagesReceived ?? 0,
    };

    private TopClient ClientOf(SessionSummary now, double? seconds)
    {
        if (seconds is not { } elapsed || now.Traffic is not { } after || !_before.TryGetValue(now.ClientId, out SessionSummary? then)
            || then.Connection != now.Connection || then.Traffic is not { } before)
        {
            return new TopClient(now, null, null);
        }

        return new TopClient(now, (after.MessagesReceived - before.MessagesReceived) / elapsed, (after.MessagesSent - before.MessagesSent) / elapsed);
    }
}
