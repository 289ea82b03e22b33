using System.Globalization;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Metrics;

/// <summary>What the broker tells of itself, under <c>$SYS</c> by the names mosquitto's users know.</summary>
/// <param name="broker">The broker.</param>
internal sealed class BrokerMeters(Broker broker)
{
    private readonly MeterRegistry _meters = broker.Meters;

    /// <summary>Registers all of it.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="version">The product's version.</param>
    /// <returns>Whether the store can take more, which is told as soon as it changes; null: the broker has no store.</returns>
    public static StateEntry? Register(Broker broker, string version)
    {
        var meters = new BrokerMeters(broker);
        meters.RegisterBroker(version);
        meters.RegisterSessions();
        meters.RegisterTraffic();
        broker.Limits.RegisterMeters(broker.Meters);
        return broker.Journal.IsDurable ? meters.RegisterStore() : null;
    }

    private void RegisterBroker(string version)
    {
        _meters.State("version", "name and version", () => "edgebroker version " + version);
        _meters.State("uptime", "time since the start", () => string.Create(CultureInfo.InvariantCulture, $"{broker.Clock.NowMs / 1000} seconds"));
        _meters.Gauge("edgebroker.uptime", MeterUnit.Seconds, "time since the start", () => broker.Clock.NowMs / 1000);
        _meters.Gauge("edgebroker.heap.size", MeterUnit.Bytes, "memory of the managed heap", () => GC.GetTotalMemory(false), "heap/current");
    }

    private void RegisterSessions()
    {
        for (int i = 0; i < LinkKind.Protocols.Length * LinkKind.Versions.Length; i++)
        {
            int kind = i;
            _meters.Gauge(
                "mqtt.connections.current", MeterUnit.Connections, "sessions with a connection", () => broker.ConnectedBy(kind), "clients/connected",
                "clients/active", new MeterTag("listener.protocol", LinkKind.Protocols[kind / LinkKind.Versions.Length]),
                new MeterTag("protocol.version", LinkKind.Versions[kind % LinkKind.Versions.Length]));
        }

        _meters.Gauge(
            "mqtt.sessions.current", MeterUnit.Sessions, "sessions, connected or not", () => broker.ConnectedCount, "clients/total",
            tags: new MeterTag("state", "connected"));
        _meters.Add(new MeterEntry(
            MeterKind.Gauge, "mqtt.sessions.current", MeterUnit.Sessions, "sessions, connected or not",
            () => broker.DisconnectedCount)
        {
            SysTopics = ["clients/total", "clients/disconnected", "clients/inactive"],
            Tags = [new MeterTag("state", "disconnected")],
        });
        _meters.Gauge(
            "edgebroker.connections.max", MeterUnit.Connections, "most sessions connected at once since the start", () => broker.MostConnected,
            "clients/maximum");
        _meters.Counter(
            "mqtt.errors.total", "{error}", "errors by kind; internal ones are bugs of the broker", () => broker.Faults, "faults",
            tags: new MeterTag("kind", "internal"));
        _meters.Counter("edgebroker.sessions.expired", MeterUnit.Sessions, "sessions that ended by expiry", () => broker.SessionsExpired, "clients/expired");
        _meters.Gauge(
            "mqtt.subscriptions.active", "{subscription}", "subscriptions", () => broker.Subscriptions.Count - broker.Subscriptions.SharedCount,
            "subscriptions/count", tags: new MeterTag("shared", "false"));
        _meters.Gauge(
            "mqtt.subscriptions.active", "{subscription}", "subscriptions", () => broker.Subscriptions.SharedCount, "shared_subscriptions/count",
            tags: new MeterTag("shared", "true"));
        _meters.Gauge(
            "mqtt.retained.messages", MeterUnit.Messages, "retained messages", () => broker.Retained.Count, "retained messages/count", "store/messages/count");
        _meters.Gauge("mqtt.retained.bytes", MeterUnit.Bytes, "bytes of retained messages", () => broker.Retained.SizeBytes, "store/messages/bytes");
        var queues = new RecentQueueTotals(broker.CountQueues, broker.Clock);
        RegisterQueues("session", () => queues.Read().Sessions);
        RegisterQueues("bridge", () => queues.Read().Bridges);
        _meters.Gauge(
            "mqtt.inflight.messages", MeterUnit.Messages, "messages of QoS 1 and 2 that are not acknowledged to the end; up to 5 s old",
            () => queues.Read().InflightSent, tags: new MeterTag("direction", "sent"));
        _meters.Gauge(
            "mqtt.inflight.messages", MeterUnit.Messages, "messages of QoS 1 and 2 that are not acknowledged to the end; up to 5 s old",
            () => queues.Read().InflightReceived, tags: new MeterTag("direction", "received"));
        _meters.Add(new MeterEntry(
            MeterKind.Gauge, "edgebroker.messages.stored", MeterUnit.Messages, "messages that wait, and retained ones",
            () => queues.Read().Sessions.Messages + queues.Read().Bridges.Messages + broker.Retained.Count)
        {
            SysTopics = ["messages/stored"],
        });
    }

    private void RegisterQueues(string kind, Func<QueueTotal> read)
    {
        var tag = new MeterTag("kind", kind);
        _meters.Gauge(
            "edgebroker.queue.messages", MeterUnit.Messages, "messages that wait, in flight included; up to 5 s old", () => read().Messages,
            "store/messages/count", tags: tag);
        _meters.Gauge("edgebroker.queue.bytes", MeterUnit.Bytes, "bytes of messages that wait; up to 5 s old", () => read().Bytes, tags: tag);
        _meters.Gauge(
            "edgebroker.queue.oldest.age", MeterUnit.Seconds, "how long the oldest message has waited; up to 5 s old", () => read().OldestSeconds, tags: tag);
        _meters.Gauge(
            "edgebroker.queue.largest", MeterUnit.Messages, "messages of the longest queue, in flight included; up to 5 s old", () => read().LargestMessages,
            tags: tag);
    }

    private void RegisterTraffic()
    {
        foreach (PacketType type in Enum.GetValues<PacketType>())
        {
            var tag = new MeterTag("type", type.ToString().ToLowerInvariant());
            Traffic(
                "mqtt.packets.received.total", MeterUnit.Packets, "control packets received", c => Volatile.Read(ref c.PacketsReceivedBy[(int)type]),
                "messages/received", "messages/received", tag);
            Traffic("mqtt.packets.sent.total", MeterUnit.Packets, "control packets sent", c => c.SentOf(type), "messages/sent", "messages/sent", tag);
        }

        for (int i = 0; i < QoSCounts.Length; i++)
        {
            int qos = i;
            var tag = new MeterTag("qos", qos.ToString(CultureInfo.InvariantCulture));
            Traffic(
                "mqtt.messages.received.total", MeterUnit.Messages, "PUBLISH packets received", c => Volatile.Read(ref c.PublishesReceivedBy[qos]),
                "publish/messages/received", "publish/received", tag);
            Traffic(
                "mqtt.messages.sent.total", MeterUnit.Messages, "PUBLISH packets sent", c => Volatile.Read(ref c.PublishesSentBy[qos]),
                "publish/messages/sent", "publish/sent", tag);
        }

        Traffic("mqtt.messages.unrouted.total", MeterUnit.Messages, "messages that nobody subscribes to", c => c.Unrouted, "publish/messages/unrouted");
        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            _meters.Counter(
                "mqtt.messages.dropped.total", MeterUnit.Messages, "messages that did not reach a session", () => broker.CountTraffic(c => c.Dropped(reason)),
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

    private void Traffic(
        string name, string unit, string help, Func<TrafficCounters, long> read, string? sysTopic, string? loadTopic = null, params MeterTag[] tags) =>
        _meters.Counter(name, unit, help, () => broker.CountTraffic(read), sysTopic, loadTopic, tags);

    private StateEntry RegisterStore()
    {
        StateEntry state = _meters.State("store/state", "whether the store can take more", () => StoreState);
        _meters.Gauge(
            "edgebroker.journal.state", "{state}", "whether the store can take more: 0 yes, 1 it is full, 2 it fails",
            () => StoreState switch { "ok" => 0, "full" => 1, _ => 2 });
        _meters.Gauge("edgebroker.store.bytes", MeterUnit.Bytes, "bytes in use in the database", () => broker.Journal.Statistics.StoreBytes, "store/bytes");
        _meters.Gauge("edgebroker.store.limit", MeterUnit.Bytes, "bytes it may come to hold", () => broker.Journal.MaxBytes);
        Store("facts", "{fact}", "facts appended", s => s.Facts, "store/facts");
        Store("elided", "{fact}", "facts that were superseded or done with before they had to be written", s => s.Coalesced, "store/coalesced");
        Store("messages.written", MeterUnit.Messages, "messages written", s => s.MessagesWritten, "store/messages/written");
        Store("commits", "{commit}", "transactions committed", s => s.Commits, "store/commits");
        Store("fsyncs", "{call}", "times the disk was asked to make what it has durable", s => s.Fsyncs, "store/fsyncs");
        Store("bytes.written", MeterUnit.Bytes, "bytes handed to the disk", s => s.BytesWritten, "store/bytes/written");
        Store("failures", "{commit}", "transactions that failed and were tried again", s => s.Failures, "store/failures");
        Store("quarantined", "{file}", "damaged databases set aside", s => s.Quarantined, "store/quarantined");
        if (broker.Journal.CommitDurations is { } durations) _meters.Histogram(durations);
        _meters.Counter(
            "mqtt.errors.total", "{error}", "errors by kind; internal ones are bugs of the broker", () => broker.Journal.Statistics.Failures,
            tags: new MeterTag("kind", "store"));
        _meters.Gauge(
            "edgebroker.journal.commits.left", "{commit}", "commits left for who waits for one, before they wait longer",
            () => broker.Journal.Statistics.CommitsLeft, "store/commits/left");
        _meters.Gauge(
            "edgebroker.journal.window", MeterUnit.Milliseconds, "how long who waits for a commit may wait for others: 0 while commits are left",
            () => broker.Journal.Statistics.WindowMs, "store/window_ms");
        _meters.Gauge(
            "edgebroker.journal.commit.last", MeterUnit.Milliseconds, "how long the last commit took", () => broker.Journal.Statistics.LastCommitMs,
            "store/commit/last_ms");
        _meters.Gauge(
            "edgebroker.journal.commit.slowest", MeterUnit.Milliseconds, "how long the slowest took", () => broker.Journal.Statistics.SlowestCommitMs,
            "store/commit/slowest_ms");
        return state;
    }

    private void Store(string name, string unit, string help, Func<JournalStatistics, long> read, string sysTopic) =>
        _meters.Counter("edgebroker.journal." + name, unit, help, () => read(broker.Journal.Statistics), sysTopic);

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

    /// <summary>Whether the store can take more, in a word.</summary>
    private string StoreState => broker.Journal.Condition switch
    {
        JournalCondition.Ready or JournalCondition.Busy => "ok",
        JournalCondition.Full => "full",
        _ => "failing",
    };
}
