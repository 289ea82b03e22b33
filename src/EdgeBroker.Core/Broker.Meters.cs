using System.Globalization;
using EdgeBroker.Core.Limits;
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
        Meters.Gauge(
            "mqtt.connections.current", MeterUnit.Connections, "sessions with a connection", () => ConnectedCount, "clients/connected", "clients/active");
        Meters.Gauge(
            "mqtt.sessions.current", MeterUnit.Sessions, "sessions, connected or not", () => ConnectedCount, "clients/total",
            tags: new MeterTag("state", "connected"));
        Meters.Add(new MeterEntry(
            MeterKind.Gauge, "mqtt.sessions.current", MeterUnit.Sessions, "sessions, connected or not", () => Math.Max(0, SessionCount - ConnectedCount))
        {
            SysTopics = ["clients/total", "clients/disconnected", "clients/inactive"],
            Tags = [new MeterTag("state", "disconnected")],
        });
        Meters.Gauge(
            "edgebroker.connections.max", MeterUnit.Connections, "most sessions connected at once since the start", () => MostConnected, "clients/maximum");
        Meters.Counter(
            "mqtt.errors.total", "{error}", "errors by kind; internal ones are bugs of the broker", () => Faults, "faults",
            tags: new MeterTag("kind", "internal"));
        Meters.Counter("edgebroker.sessions.expired", MeterUnit.Sessions, "sessions that ended by expiry", () => SessionsExpired, "clients/expired");
        Meters.Gauge(
            "mqtt.subscriptions.active", "{subscription}", "subscriptions", () => Subscriptions.Count - Subscriptions.SharedCount, "subscriptions/count",
            tags: new MeterTag("shared", "false"));
        Meters.Gauge(
            "mqtt.subscriptions.active", "{subscription}", "subscriptions", () => Subscriptions.SharedCount, "shared_subscriptions/count",
            tags: new MeterTag("shared", "true"));
        Meters.Gauge(
            "mqtt.retained.messages", MeterUnit.Messages, "retained messages", () => Retained.Count, "retained messages/count", "store/messages/count");
        Meters.Gauge("mqtt.retained.bytes", MeterUnit.Bytes, "bytes of retained messages", () => Retained.SizeBytes, "store/messages/bytes");
        var pending = new RecentSum(CountPendingMessages, Clock);
        Meters.Add(new MeterEntry(
            MeterKind.Gauge, "edgebroker.queue.messages", MeterUnit.Messages, "messages that wait, in flight included; up to 5 s old", () => pending.Read())
        {
            SysTopics = ["store/messages/count"],
            Tags = [new MeterTag("kind", "session")],
        });
        Meters.Gauge(
            "edgebroker.queue.bytes", MeterUnit.Bytes, "memory of what waits", () => Limits.Ledger.Bytes(MemoryKind.Queues),
            tags: new MeterTag("kind", "session"));
        Meters.Add(new MeterEntry(
            MeterKind.Gauge, "edgebroker.messages.stored", MeterUnit.Messages, "messages that wait, and retained ones", () => pending.Read() + Retained.Count)
        {
            SysTopics = ["messages/stored"],
        });
    }

    private void RegisterTraffic()
    {
        Traffic("mqtt.packets.received.total", MeterUnit.Packets, "control packets received", c => c.PacketsReceived, "messages/received", "messages/received");
        Traffic("mqtt.packets.sent.total", MeterUnit.Packets, "control packets sent", c => c.PacketsSent, "messages/sent", "messages/sent");
        Traffic(
            "mqtt.messages.received.total", MeterUnit.Messages, "PUBLISH packets received", c => c.PublishesReceived, "publish/messages/received",
            "publish/received");
        Traffic("mqtt.messages.sent.total", MeterUnit.Messages, "PUBLISH packets sent", c => c.PublishesSent, "publish/messages/sent", "publish/sent");
        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            Meters.Counter(
                "mqtt.messages.dropped.total", MeterUnit.Messages, "messages that did not reach a session", () => CountTraffic().Dropped(reason),
                "publish/messages/dropped", "publish/dropped", new MeterTag("cause", WordFor(reason)));
        }

        Traffic("mqtt.bytes.received.total", MeterUnit.Bytes, "bytes received", c => c.BytesReceived, "bytes/received", "bytes/received");
        Traffic("mqtt.bytes.sent.total", MeterUnit.Bytes, "bytes sent", c => c.BytesSent, "bytes/sent", "bytes/sent");
        Traffic(
            "edgebroker.payload.received", MeterUnit.Bytes, "payload bytes of PUBLISH packets received", c => c.PublishBytesReceived,
            "publish/bytes/received");
        Traffic("edgebroker.payload.sent", MeterUnit.Bytes, "payload bytes of PUBLISH packets sent", c => c.PublishBytesSent, "publish/bytes/sent");
        Traffic("edgebroker.connections.accepted", MeterUnit.Connections, "transport connections accepted", c => c.SocketsOpened, null, "sockets");
        Traffic("edgebroker.connects.received", MeterUnit.Packets, "CONNECT packets received", c => c.Connects, null, "connections");
    }

    private void Traffic(string name, string unit, string help, Func<TrafficCounters, long> read, string? sysTopic, string? loadTopic = null) =>
        Meters.Counter(name, unit, help, () => read(CountTraffic()), sysTopic, loadTopic);

    private void RegisterStore()
    {
        _storeState = Meters.State("store/state", "whether the store can take more", () => StoreState);
        Meters.Gauge(
            "edgebroker.journal.state", "{state}", "whether the store can take more: 0 yes, 1 it is full, 2 it fails",
            () => StoreState switch { "ok" => 0, "full" => 1, _ => 2 });
        Meters.Gauge("edgebroker.store.bytes", MeterUnit.Bytes, "bytes in use in the database", () => Journal.Statistics.StoreBytes, "store/bytes");
        Meters.Gauge("edgebroker.store.limit", MeterUnit.Bytes, "bytes it may come to hold", () => Journal.MaxBytes);
        Store("facts", "{fact}", "facts appended", s => s.Facts, "store/facts");
        Store("elided", "{fact}", "facts that were superseded or done with before they had to be written", s => s.Coalesced, "store/coalesced");
        Store("messages.written", MeterUnit.Messages, "messages written", s => s.MessagesWritten, "store/messages/written");
        Store("commits", "{commit}", "transactions committed", s => s.Commits, "store/commits");
        Store("fsyncs", "{call}", "times the disk was asked to make what it has durable", s => s.Fsyncs, "store/fsyncs");
        Store("bytes.written", MeterUnit.Bytes, "bytes handed to the disk", s => s.BytesWritten, "store/bytes/written");
        Store("failures", "{commit}", "transactions that failed and were tried again", s => s.Failures, "store/failures");
        Store("quarantined", "{file}", "damaged databases set aside", s => s.Quarantined, "store/quarantined");
        if (Journal.CommitDurations is { } durations) Meters.Histogram(durations);
        Meters.Counter(
            "mqtt.errors.total", "{error}", "errors by kind; internal ones are bugs of the broker", () => Journal.Statistics.Failures,
            tags: new MeterTag("kind", "store"));
        Meters.Gauge(
            "edgebroker.journal.commits.left", "{commit}", "commits left for who waits for one, before they wait longer",
            () => Journal.Statistics.CommitsLeft, "store/commits/left");
        Meters.Gauge(
            "edgebroker.journal.window", MeterUnit.Milliseconds, "how long who waits for a commit may wait for others: 0 while commits are left",
            () => Journal.Statistics.WindowMs, "store/window_ms");
        Meters.Gauge(
            "edgebroker.journal.commit.last", MeterUnit.Milliseconds, "how long the last commit took", () => Journal.Statistics.LastCommitMs,
            "store/commit/last_ms");
        Meters.Gauge(
            "edgebroker.journal.commit.slowest", MeterUnit.Milliseconds, "how long the slowest took", () => Journal.Statistics.SlowestCommitMs,
            "store/commit/slowest_ms");
    }

    private void Store(string name, string unit, string help, Func<JournalStatistics, long> read, string sysTopic) =>
        Meters.Counter("edgebroker.journal." + name, unit, help, () => read(Journal.Statistics), sysTopic);

    private static string WordFor(DropReason reason) => reason switch
    {
        DropReason.SlowClient => "slow-client",
        DropReason.QueueFull => "queue-full",
        DropReason.LocalQueueFull => "local-queue-full",
        DropReason.TooLargeForClient => "too-large",
        DropReason.Expired => "expired",
        DropReason.Superseded => "superseded",
        DropReason.MayBeSent => "may-be-sent",
        DropReason.SessionEnded => "session-ended",
        DropReason.StoreFull => "store-full",
        DropReason.StoreDamaged => "store-damaged",
        DropReason.Fault => "internal",
        DropReason.Limited => "limit",
        DropReason.NotPermitted => "not-permitted",
        DropReason.PayloadFormat => "payload-format",
        DropReason.Purged => "purged",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "A reason needs a word."),
    };

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
