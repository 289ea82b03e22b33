using System.Globalization;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;

namespace EdgeBroker.Core;

// What the broker tells of itself, under $SYS by the names mosquitto's users know.
public sealed partial class Broker
{
    private StateEntry? _storeState;

    /// <summary>Every number and state that the broker and its parts tell of themselves. Parts add theirs.</summary>
    public MeterRegistry Meters { get; } = new();

    private void RegisterMeters(string version)
    {
        Meters.State("version", "name and version", () => "edgebroker version " + version);
        Meters.State("uptime", "time since the start", () => string.Create(CultureInfo.InvariantCulture, $"{Clock.NowMs / 1000} seconds"));
        Meters.Gauge("edgebroker.uptime", MeterUnit.Seconds, "time since the start", () => Clock.NowMs / 1000);
        Meters.Gauge("edgebroker.heap.size", MeterUnit.Bytes, "memory of the managed heap", () => GC.GetTotalMemory(false), "heap/current");
        RegisterSessions();
        RegisterTraffic();
        if (Journal.IsDurable) RegisterStore();
        Limits.RegisterMeters(Meters);
    }

    private void RegisterSessions()
    {
        Meters.Gauge("edgebroker.sessions", MeterUnit.Sessions, "sessions, connected or not", () => SessionCount, "clients/total");
        Meters.Gauge(
            "edgebroker.sessions.connected", MeterUnit.Sessions, "sessions with a connection", () => ConnectedCount, "clients/connected", "clients/active");
        Meters.Gauge(
            "edgebroker.sessions.disconnected",
            MeterUnit.Sessions,
            "sessions without a connection",
            () => Math.Max(0, SessionCount - ConnectedCount),
            "clients/disconnected",
            "clients/inactive");
        Meters.Gauge(
            "edgebroker.sessions.connected.max", MeterUnit.Sessions, "most sessions connected at once since the start", () => MostConnected, "clients/maximum");
        Meters.Counter("edgebroker.faults", "{fault}", "exceptions that are bugs of the broker", () => Faults, "faults");
        Meters.Counter("edgebroker.sessions.expired", MeterUnit.Sessions, "sessions that ended by expiry", () => SessionsExpired, "clients/expired");
        Meters.Gauge(
            "edgebroker.subscriptions", "{subscription}", "subscriptions, shared ones apart", () => Subscriptions.Count - Subscriptions.SharedCount,
            "subscriptions/count");
        Meters.Gauge(
            "edgebroker.subscriptions.shared", "{subscription}", "shared subscriptions", () => Subscriptions.SharedCount, "shared_subscriptions/count");
        Meters.Gauge("edgebroker.retained", MeterUnit.Messages, "retained messages", () => Retained.Count, "retained messages/count");
        Meters.Gauge("edgebroker.retained.size", MeterUnit.Bytes, "bytes of retained messages", () => Retained.SizeBytes, "store/messages/bytes");
        Meters.Gauge(
            "edgebroker.messages.stored",
            MeterUnit.Messages,
            "messages that wait in sessions, in flight included, and retained ones",
            () => CountPendingMessages() + Retained.Count,
            "messages/stored",
            "store/messages/count");
    }

    private void RegisterTraffic()
    {
        Traffic("packets.received", MeterUnit.Packets, "control packets received", c => c.PacketsReceived, "messages/received", "messages/received");
        Traffic("packets.sent", MeterUnit.Packets, "control packets sent", c => c.PacketsSent, "messages/sent", "messages/sent");
        Traffic(
            "publishes.received", MeterUnit.Messages, "PUBLISH packets received", c => c.PublishesReceived, "publish/messages/received", "publish/received");
        Traffic("publishes.sent", MeterUnit.Messages, "PUBLISH packets sent", c => c.PublishesSent, "publish/messages/sent", "publish/sent");
        Traffic(
            "publishes.dropped", MeterUnit.Messages, "messages that did not reach a session", c => c.PublishesDropped, "publish/messages/dropped",
            "publish/dropped");
        Traffic("received", MeterUnit.Bytes, "bytes received", c => c.BytesReceived, "bytes/received", "bytes/received");
        Traffic("sent", MeterUnit.Bytes, "bytes sent", c => c.BytesSent, "bytes/sent", "bytes/sent");
        Traffic("payload.received", MeterUnit.Bytes, "payload bytes of PUBLISH packets received", c => c.PublishBytesReceived, "publish/bytes/received");
        Traffic("payload.sent", MeterUnit.Bytes, "payload bytes of PUBLISH packets sent", c => c.PublishBytesSent, "publish/bytes/sent");
        Traffic("connections.accepted", MeterUnit.Connections, "transport connections accepted", c => c.SocketsOpened, null, "sockets");
        Traffic("connects.received", MeterUnit.Packets, "CONNECT packets received", c => c.Connects, null, "connections");
    }

    private void Traffic(string name, string unit, string help, Func<TrafficCounters, long> read, string? sysTopic, string? loadTopic = null) =>
        Meters.Counter("edgebroker." + name, unit, help, () => read(CountTraffic()), sysTopic, loadTopic);

    private void RegisterStore()
    {
        _storeState = Meters.State("store/state", "whether the store can take more", () => StoreState);
        Meters.Gauge("edgebroker.store.size", MeterUnit.Bytes, "bytes in use in the database", () => Journal.Statistics.StoreBytes, "store/bytes");
        Store("facts", "{fact}", "facts appended", s => s.Facts, "store/facts");
        Store("coalesced", "{fact}", "facts that were superseded or done with before they had to be written", s => s.Coalesced, "store/coalesced");
        Store("messages.written", MeterUnit.Messages, "messages written", s => s.MessagesWritten, "store/messages/written");
        Store("commits", "{commit}", "transactions committed", s => s.Commits, "store/commits");
        Store("fsyncs", "{call}", "times the disk was asked to make what it has durable", s => s.Fsyncs, "store/fsyncs");
        Store("written", MeterUnit.Bytes, "bytes handed to the disk", s => s.BytesWritten, "store/bytes/written");
        Store("failures", "{commit}", "transactions that failed and were tried again", s => s.Failures, "store/failures");
        Store("quarantined", "{file}", "damaged databases set aside", s => s.Quarantined, "store/quarantined");
        Meters.Gauge(
            "edgebroker.store.commits.left", "{commit}", "commits left for who waits for one, before they wait longer", () => Journal.Statistics.CommitsLeft,
            "store/commits/left");
        Meters.Gauge(
            "edgebroker.store.window", MeterUnit.Milliseconds, "how long who waits for a commit may wait for others: 0 while commits are left",
            () => Journal.Statistics.WindowMs, "store/window_ms");
        Meters.Gauge(
            "edgebroker.store.commit.last", MeterUnit.Milliseconds, "how long the last commit took", () => Journal.Statistics.LastCommitMs,
            "store/commit/last_ms");
        Meters.Gauge(
            "edgebroker.store.commit.slowest", MeterUnit.Milliseconds, "how long the slowest took", () => Journal.Statistics.SlowestCommitMs,
            "store/commit/slowest_ms");
    }

    private void Store(string name, string unit, string help, Func<JournalStatistics, long> read, string sysTopic) =>
        Meters.Counter("edgebroker.store." + name, unit, help, () => read(Journal.Statistics), sysTopic);

    /// <summary>Says whether the store can take more, at once instead of with the next update of <c>$SYS</c>.</summary>
    private void AnnounceStore() => _sys?.Publish(_storeState!, _ownContext);

    /// <summary>Whether the store can take more, in a word.</summary>
    private string StoreState => Journal.Condition switch
    {
        JournalCondition.Ready or JournalCondition.Busy => "ok",
        JournalCondition.Full => "full",
        _ => "failing",
    };
}
