using System.Globalization;
using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Bridge.Hosting;

/// <summary>What bridges tell <c>$SYS</c> and whoever reads the meters.</summary>
internal static class BridgeMeters
{
    /// <summary>Registers the numbers of a bridge. They stay registered when it is gone, and then tell nothing.</summary>
    public static void Register(MeterRegistry meters, string name, Func<BridgeStatus?> read)
    {
        string sys = "bridges/" + name + "/";
        var tag = new MeterTag("bridge", name);
        meters.State(sys + "state", "what the bridge is doing", () => read()?.Phase.ToString().ToLowerInvariant());
        meters.State(
            sys + "last_error", "what went wrong last",
            () => read()?.LastFault is { } fault ? string.Create(CultureInfo.InvariantCulture, $"{fault.At:u} {fault.Layer}: {fault.Text}") : null);
        meters.Gauge(
            "edgebroker.bridge.connected", "1", "whether the bridge is connected", () => read() is { } s ? s.Phase == BridgePhase.Connected ? 1 : 0 : null,
            sys + "connected", null, tag);
        meters.Gauge(
            "edgebroker.bridge.backlog", MeterUnit.Messages, "messages that wait to go out", () => read()?.BacklogMessages, sys + "backlog/messages", null,
            tag);
        meters.Gauge(
            "edgebroker.bridge.backlog.size", MeterUnit.Bytes, "bytes that wait to go out", () => read()?.BacklogBytes, sys + "backlog/bytes", null, tag);
        meters.Gauge(
            "edgebroker.bridge.backlog.age", MeterUnit.Seconds, "how long the oldest message has waited", () => read()?.OldestSeconds, sys + "backlog/age",
            null, tag);
        meters.Gauge(
            "edgebroker.bridge.last_acknowledged", MeterUnit.Seconds, "how long ago the other side acknowledged something",
            () => (long?)read()?.LastAcknowledgedSeconds, sys + "last_acknowledged", null, tag);
        meters.Gauge(
            "edgebroker.bridge.round_trip", MeterUnit.Milliseconds, "how long the other side took last to be done with a message",
            () => (long?)read()?.RoundTripMs, sys + "round_trip", null, tag);
        meters.Counter("edgebroker.bridge.messages.sent", MeterUnit.Messages, "messages sent", () => read()?.Sent, sys + "messages/sent", null, tag);
        meters.Counter(
            "edgebroker.bridge.messages.acknowledged", MeterUnit.Messages, "messages the other side has acknowledged", () => read()?.Acknowledged,
            sys + "messages/acknowledged", null, tag);
        meters.Counter(
            "edgebroker.bridge.messages.received", MeterUnit.Messages, "messages received and published here", () => read()?.Received,
            sys + "messages/received", null, tag);
        meters.Counter("edgebroker.bridge.messages.dropped", MeterUnit.Messages, "messages lost", () => read()?.Dropped, sys + "messages/dropped", null, tag);
        meters.Counter(
            "edgebroker.bridge.messages.refused", MeterUnit.Messages, "messages one side has refused for good", () => read()?.Refused,
            sys + "messages/refused", null, tag);
        meters.Counter(
            "edgebroker.bridge.messages.loops", MeterUnit.Messages, "messages that would have gone in a circle", () => read()?.Loops,
            sys + "messages/loops", null, tag);
        meters.Counter(
            "edgebroker.bridge.connections", MeterUnit.Connections, "connections made", () => read()?.Connections, sys + "connections", null, tag);
    }
}
