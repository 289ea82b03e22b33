using System.Globalization;
using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sys;

/// <summary>Publishes what the broker knows of itself under <c>$SYS/broker/ </c>, retained, by the names mosquitto's users know. A value that has not changed
/// is not sent again.</summary>
internal sealed class SysTopics
{
    private const string Prefix = "$SYS/broker/";
    private static readonly string[] WindowNames = ["1min", "5min", "15min"];

    // Once: asking for them touches much of the executable.
    private static readonly LimitKind[] LimitKinds = Enum.GetValues<LimitKind>();
    private static readonly LimitAction[] LimitActions = Enum.GetValues<LimitAction>();

    private readonly Broker _broker;
    private readonly long _intervalMs;
    private readonly string _version;
    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);
    private readonly List<(string Name, Func<long> Read)> _others = [];
    private readonly Dictionary<string, LoadAverage> _loads = new(StringComparer.Ordinal);
    private long _lastRunMs;
    private long _nextRunMs;

    public SysTopics(Broker broker, TimeSpan interval, string version)
    {
        _broker = broker;
        _intervalMs = (long)interval.TotalMilliseconds;
        _version = version;
    }

    /// <summary>Shows a number that somebody else counts. Before the first call of <see cref="RunDue"/>.</summary>
    public void Show(string name, Func<long> read) => _others.Add((name, read));

    /// <summary>Publishes when the interval has passed, and at the first call.</summary>
    public void RunDue(long nowMs, RoutingContext context)
    {
        if (nowMs < _nextRunMs) return;
        _nextRunMs = nowMs + _intervalMs;
        TimeSpan elapsed = TimeSpan.FromMilliseconds(nowMs - _lastRunMs);
        _lastRunMs = nowMs;
        Set("version", "edgebroker version " + _version, context);
        Set("uptime", string.Create(CultureInfo.InvariantCulture, $"{nowMs / 1000} seconds"), context);
        PublishClients(context);
        PublishTraffic(_broker.CountTraffic(), elapsed, context);
        if (_broker.Journal.IsDurable) PublishStore(_broker.Journal, context);
        foreach ((string name, Func<long> read) in _others) Set(name, read(), context);
        PublishLimits(_broker.Limits, context);
        if (_broker.Certificates is { } certificates) PublishCertificates(certificates.Certificates, context);
    }

    private void PublishLimits(BrokerLimits limits, RoutingContext context)
    {
        foreach (LimitKind limit in LimitKinds)
        {
            foreach (LimitAction action in LimitActions)
            {
                // What a limit never did has no topic: most of them cannot.
                long count = limits.Counters[limit, action];
                if (count > 0) Set($"limits/{BrokerLimits.KeyOf(limit)}/{NameOf(action)}", count, context);
            }
        }

        if (limits.Memory.LimitBytes == 0) return;
        Set("limits/max_memory/stage", NameOf(limits.Memory.Stage), context);
        Set("limits/max_memory/used", limits.Memory.UsedBytes, context);
        Set("limits/max_memory/limit", limits.Memory.LimitBytes, context);
    }

    private static string NameOf(LimitAction action) => action switch
    {
        LimitAction.Delayed => "delayed",
        LimitAction.Dropped => "dropped",
        LimitAction.Disconnected => "disconnected",
        _ => "refused",
    };

    private static string NameOf(MemoryStage stage) => stage switch
    {
        MemoryStage.Normal => "normal",
        MemoryStage.Refusing => "refusing",
        MemoryStage.Pausing => "pausing",
        _ => "dropping",
    };

    /// <summary>Publishes whether the store can take more, when that has changed.</summary>
    public void AnnounceStore(RoutingContext context) =>
        Set("store/state", _broker.Journal.Condition switch { JournalCondition.Ready => "ok", JournalCondition.Full => "full", _ => "failing" }, context);

    private void PublishStore(IJournal journal, RoutingContext context)
    {
        JournalStatistics statistics = journal.Statistics;
        AnnounceStore(context);
        Set("store/bytes", statistics.StoreBytes, context);
        Set("store/facts", statistics.Facts, context);
        Set("store/elided", statistics.Elided, context);
        Set("store/messages/written", statistics.MessagesWritten, context);
        Set("store/commits", statistics.Commits, context);
        Set("store/fsyncs", statistics.Fsyncs, context);
        Set("store/bytes/written", statistics.BytesWritten, context);
        Set("store/commit/last_ms", statistics.LastCommitMs, context);
        Set("store/commit/slowest_ms", statistics.SlowestCommitMs, context);
        Set("store/failures", statistics.Failures, context);
        Set("store/quarantined", statistics.Quarantined, context);
    }

    // One line to watch for all listeners: the certificate that ends first is the one to renew.
    private void PublishCertificates(IReadOnlyList<CertificateValidity> certificates, RoutingContext context)
    {
        Set("certificates/count", certificates.Count, context);
        if (certificates.MinBy(certificate => certificate.NotAfter) is not { } first) return;
        Set("certificates/days_left", (long)Math.Floor((first.NotAfter - _broker.Clock.WallTime).TotalDays), context);
        Set("certificates/valid_until", first.NotAfter.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), context);
        Set("certificates/ends_first", $"{first.Name} of {first.Listener}", context);
    }

    private void PublishClients(RoutingContext context)
    {
        int connected = _broker.ConnectedCount;
        int total = _broker.SessionCount;
        int disconnected = Math.Max(0, total - connected);
        Set("clients/total", total, context);
        Set("clients/connected", connected, context);
        Set("clients/active", connected, context);
        Set("clients/disconnected", disconnected, context);
        Set("clients/inactive", disconnected, context);
        Set("clients/maximum", _broker.MostConnected, context);
        Set("clients/expired", _broker.SessionsExpired, context);
        Set("subscriptions/count", _broker.Subscriptions.Count - _broker.Subscriptions.SharedCount, context);
        Set("shared_subscriptions/count", _broker.Subscriptions.SharedCount, context);
        Set("retained messages/count", _broker.Retained.Count, context);
        long pending = _broker.CountPendingMessages();
        Set("messages/stored", pending + _broker.Retained.Count, context);
        Set("store/messages/count", pending + _broker.Retained.Count, context);
        Set("store/messages/bytes", _broker.Retained.SizeBytes, context);
        Set("heap/current", GC.GetTotalMemory(false), context);
    }

    private void PublishTraffic(TrafficCounters traffic, TimeSpan elapsed, RoutingContext context)
    {
        Count("messages/received", traffic.PacketsReceived, elapsed, context);
        Count("messages/sent", traffic.PacketsSent, elapsed, context);
        Count("publish/messages/received", traffic.PublishesReceived, elapsed, context, "publish/received");
        Count("publish/messages/sent", traffic.PublishesSent, elapsed, context, "publish/sent");
        Count("publish/messages/dropped", traffic.PublishesDropped, elapsed, context, "publish/dropped");
        Count("bytes/received", traffic.BytesReceived, elapsed, context);
        Count("bytes/sent", traffic.BytesSent, elapsed, context);
        Set("publish/bytes/received", traffic.PublishBytesReceived, context);
        Set("publish/bytes/sent", traffic.PublishBytesSent, context);
        Load("sockets", traffic.SocketsOpened, elapsed, context);
        Load("connections", traffic.Connects, elapsed, context);
    }

    private void Count(string name, long total, TimeSpan elapsed, RoutingContext context, string? loadName = null)
    {
        Set(name, total, context);
        Load(loadName ?? name, total, elapsed, context);
    }

    private void Load(string name, long total, TimeSpan elapsed, RoutingContext context)
    {
        if (!_loads.TryGetValue(name, out LoadAverage? load)) _loads.Add(name, load = new LoadAverage());
        load.Update(total, elapsed);
        for (int i = 0; i < WindowNames.Length; i++) Set($"load/{name}/{WindowNames[i]}", load[i].ToString("F2", CultureInfo.InvariantCulture), context);
    }

    private void Set(string name, long value, RoutingContext context) => Set(name, value.ToString(CultureInfo.InvariantCulture), context);

    private void Set(string name, string value, RoutingContext context)
    {
        if (_last.TryGetValue(name, out string? last) && last == value) return;
        _last[name] = value;
        _broker.Publish(
            new Publication { Topic = Encoding.UTF8.GetBytes(Prefix + name), Payload = Encoding.UTF8.GetBytes(value), QoS = QoS.AtMostOnce, Retain = true }, context);
    }
}
