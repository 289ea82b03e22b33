using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Core.Events;

/// <summary>
/// Writes what happens to the log. What a hostile or broken client can cause at will (refusals, drops) is bounded for each client and kind, and what was held
/// back is told a little later. Event ids 2000-2099.
/// </summary>
public sealed partial class BrokerEventLog : BrokerEventSink
{
    private const int LongestName = 128;

    private readonly ILogger<BrokerEventLog> _logger;

    // Enough for any plant; in a storm of reconnects the log must not be what holds the broker up.
    private readonly LogBudget _comings;
    private readonly LogBudget _refused;
    private readonly LogBudget _dropped;
    private readonly LogBudget _deniedSubscribes;
    private readonly LogBudget _deniedPublishes;
    private readonly LogBudget _faults;
    private readonly LogBudget[] _limited;

    /// <param name="logger">The log.</param>
    /// <param name="time">The clock.</param>
    public BrokerEventLog(ILogger<BrokerEventLog> logger, TimeProvider time)
    {
        _logger = logger;
        _comings = Budget(LogLevel.Information, "connects and disconnects", each: 10, all: 200);
        _refused = Budget(LogLevel.Warning, "refused connections");
        _dropped = Budget(LogLevel.Warning, "occasions on which messages were dropped");
        _deniedSubscribes = Budget(LogLevel.Warning, "refused subscriptions");
        _deniedPublishes = Budget(LogLevel.Warning, "refused publishes");
        _faults = Budget(LogLevel.Error, "internal errors");
        _limited = [.. Enum.GetValues<LimitKind>().Select(_ => Budget(LogLevel.Warning, "occasions on which a limit was reached"))];

        LogBudget Budget(LogLevel level, string what, int each = 5, int all = 100) =>
            new(time, each, all, (subject, held) =>
            {
                string whose = Cut(subject ?? "other clients");
                LogHeldBack(logger, level, whose, held, what);
            });
    }

    /// <inheritdoc/>
    public override EventKinds Wanted =>
        EventKinds.ClientConnected | EventKinds.ClientDisconnected | EventKinds.ConnectRefused | EventKinds.SessionEnded
        | EventKinds.SubscriptionCreated | EventKinds.SubscriptionRemoved | EventKinds.SubscribeRefused | EventKinds.PublishRefused
        | EventKinds.MessagesDropped | EventKinds.LimitReached | EventKinds.MemoryStageChanged | EventKinds.Fault;

    /// <inheritdoc/>
    public override void ClientConnected(in ConnectedEvent what)
    {
        ClientDescription client = what.Client;
        if (!_logger.IsEnabled(LogLevel.Information) || !_comings.Admit(client.ClientId)) return;
        string version = client.Protocol;
        string session = what.SessionPresent ? "resumed" : "new";
        string name = NameOf(client.UserName), login = LoginOf(what);
        if (client.OtherProtocol is not null)
        {
            LogCame(_logger, Cut(client.ClientId), client.RemoteEndPoint, client.Listener, version, name, login);
            return;
        }

        LogConnected(
            _logger, Cut(client.ClientId), client.RemoteEndPoint, client.Listener, client.Transport, name, login, version, client.KeepAliveSeconds, session);
    }

    /// <inheritdoc/>
    public override void ClientDisconnected(in DisconnectedEvent what)
    {
        LogLevel level = LevelOf(what);
        ClientDescription client = what.Client;
        if (!_logger.IsEnabled(level) || !_comings.Admit(client.ClientId)) return;
        string id = Cut(client.ClientId), name = NameOf(client.UserName), reason = ReasonText.Coded(what.Reason);
        LogDisconnected(_logger, level, id, client.RemoteEndPoint, name, client.Listener, what.Explanation, reason);
    }

    /// <inheritdoc/>
    public override void ConnectRefused(in ConnectRefusedEvent what)
    {
        if (!_refused.Admit(SubjectOf(what.RemoteEndPoint, what.ClientId))) return;
        string reason = ReasonText.Coded(what.Reason);
        if (string.IsNullOrEmpty(what.ClientId)) LogRejected(_logger, what.RemoteEndPoint, what.Listener ?? "", what.Explanation, reason);
        else LogRefused(_logger, what.RemoteEndPoint, what.Listener ?? "", Cut(what.ClientId), NameOf(what.UserName), what.Explanation, reason);
    }

    /// <inheritdoc/>
    public override void SessionEnded(string clientId) => LogSessionEnded(_logger, Cut(clientId));

    /// <inheritdoc/>
    public override void SubscriptionCreated(in SubscriptionCreatedEvent what)
    {
        if (_logger.IsEnabled(LogLevel.Debug)) LogSubscribed(_logger, Cut(what.ClientId), Cut(Encoding.UTF8.GetString(what.Filter)), (byte)what.Granted);
    }

    /// <inheritdoc/>
    public override void SubscriptionRemoved(in SubscriptionRemovedEvent what)
    {
        // The others ended with their session.
        if (what.Cause != SubscriptionEnd.Unsubscribed || !_logger.IsEnabled(LogLevel.Debug)) return;
        LogUnsubscribed(_logger, Cut(what.ClientId), Cut(Encoding.UTF8.GetString(what.Filter)));
    }

    /// <inheritdoc/>
    public override void SubscribeRefused(in RefusedEvent what)
    {
        if (!_deniedSubscribes.Admit(what.ClientId)) return;
        string filter = Cut(Encoding.UTF8.GetString(what.Topic));
        string cause = what.Cause ?? ReasonText.For(what.Reason);
        LogSubscribeRefused(_logger, Cut(what.ClientId), NameOf(what.UserName), filter, cause, ReasonText.Coded(what.Reason));
    }

    /// <inheritdoc/>
    public override void PublishRefused(in RefusedEvent what)
    {
        if (!_deniedPublishes.Admit(what.ClientId)) return;
        string topic = Cut(Encoding.UTF8.GetString(what.Topic));
        string cause = what.Cause ?? ReasonText.For(what.Reason);
        LogPublishRefused(_logger, Cut(what.ClientId), NameOf(what.UserName), topic, cause, ReasonText.Coded(what.Reason));
    }

    /// <inheritdoc/>
    public override void MessagesDropped(in DroppedEvent what)
    {
        if (_dropped.Admit(what.ClientId)) LogDropped(_logger, what.Count, Cut(what.ClientId), CauseOf(what.Reason));
    }

    /// <inheritdoc/>
    public override void LimitReached(in LimitReachedEvent what)
    {
        if (_limited[(int)what.Limit].Admit(what.Who)) LogLimit(_logger, Cut(what.Who), WordsFor(what.Action), what.Describe());
    }

    /// <inheritdoc/>
    public override void Fault(in FaultEvent what)
    {
        // Where it was names the client, whoever it was.
        if (_faults.Admit("the broker")) LogFault(_logger, what.Exception, what.Where);
    }

    /// <inheritdoc/>
    public override void MemoryStageChanged(in MemoryStageEvent what)
    {
        if (what.Stage == MemoryStage.Normal) LogMemoryEnough(_logger, what.UsedBytes / 1024, what.LimitBytes / 1024);
        else LogMemoryShort(_logger, what.UsedBytes / 1024, what.LimitBytes / 1024, MeasuresOf(what.Stage));
    }

    private static string WordsFor(LimitAction action) => action switch
    {
        LimitAction.Delayed => "held up",
        LimitAction.Dropped => "publish dropped",
        LimitAction.Disconnected => "disconnected",
        LimitAction.Refused => "refused",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, "An action needs words."),
    };

    private static string MeasuresOf(MemoryStage stage) => stage switch
    {
        MemoryStage.Refusing => "new connections are refused",
        MemoryStage.Pausing => "new connections are refused, and publishers are read slowly",
        MemoryStage.Dropping => "new connections are refused, publishers read slowly, and QoS 0 is dropped",
        _ => throw new ArgumentOutOfRangeException(nameof(stage), stage, "A stage needs words."),
    };

    /// <summary>
    /// Who a refused connection counts for: its address, since ids can be made up; where a proxy's clients share one, its client id.
    /// </summary>
    private static string SubjectOf(string remoteEndPoint, string? clientId)
    {
        int colon = remoteEndPoint.LastIndexOf(':');
        string host = colon > 0 ? remoteEndPoint[..colon] : remoteEndPoint;
        bool isLocal = colon < 0 || host.StartsWith("127.", StringComparison.Ordinal) || host == "[::1]";
        return isLocal && !string.IsNullOrEmpty(clientId) ? clientId : host;
    }

    private static string NameOf(string? user) => string.IsNullOrEmpty(user) ? "anonymous" : Cut(user);

    /// <summary>A name that a client chose, and could fill the disk with.</summary>
    private static string Cut(string name)
    {
        if (name.Length <= LongestName) return name;
        int length = char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName;
        return string.Concat(name.AsSpan(0, length), "…");
    }

    private static string LoginOf(in ConnectedEvent what) => what switch
    {
        { Identity: not null, Client.Transport: "tls" or "wss" } => "certificate",
        { Identity: not null, Client.Transport: "dtls" } => "key or certificate",
        { Identity: not null } => "Unix account",
        { Client.UserName: null or "" } => "no login",
        _ => "credentials",
    };

    // What the broker ends, somebody should know of, but for what somebody has asked for.
    private static LogLevel LevelOf(in DisconnectedEvent what) =>
        what.By == DisconnectedBy.Broker
            && what.Reason is not (ReasonCode.ServerShuttingDown or ReasonCode.AdministrativeAction or ReasonCode.SessionTakenOver or ReasonCode.Success)
            ? LogLevel.Warning
            : LogLevel.Information;

    /// <summary>Why messages were dropped, with the key that bounds them where there is one.</summary>
    internal static string CauseOf(DropReason reason) => reason switch
    {
        DropReason.SlowClient => "the client reads too slowly (mqtt.max_outbound_bytes; limits.max_memory while memory is short)",
        DropReason.QueueFull => "its queue is full (mqtt.max_queued_messages, mqtt.max_queued_bytes)",
        DropReason.LocalQueueFull => "whoever reads its queue within the broker is too slow",
        DropReason.TooLargeForClient => "larger than the client's Maximum Packet Size",
        DropReason.Expired => "expired before delivery",
        DropReason.Superseded => "a newer message of the topic came (keep-latest)",
        DropReason.MayBeSent => "QoS 0 of before the broker's start, which may have been sent already",
        DropReason.SessionEnded => "the session ended",
        DropReason.StoreFull => "the store is full (storage.max_bytes)",
        DropReason.StoreDamaged => "the damaged store does not hold it any more (storage.on_corruption)",
        DropReason.Fault => "an internal error of the broker",
        DropReason.Limited => "a limit of its publisher is reached ([limits])",
        DropReason.NotPermitted => "it is not permitted ([[acl]])",
        DropReason.PayloadFormat => "its payload is not the text it says it is",
        DropReason.Purged => "the queue was thrown away, as asked by whoever looks after the broker",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "A reason needs words."),
    };

    [LoggerMessage(
        2000, LogLevel.Information,
        "{ClientId} connected from {RemoteEndPoint} to {Listener} over {Transport} as {User} ({Login}): MQTT {Version}, keep alive {KeepAliveSeconds} s, "
            + "{Session} session")]
    private static partial void LogConnected(
        ILogger logger, string clientId, string remoteEndPoint, string listener, string transport, string user, string login, string version,
        int keepAliveSeconds, string session);

    [LoggerMessage(2011, LogLevel.Information, "{ClientId} came from {RemoteEndPoint} to {Listener} by {Protocol} as {User} ({Login})")]
    private static partial void LogCame(
        ILogger logger, string clientId, string remoteEndPoint, string listener, string protocol, string user, string login);

    [LoggerMessage(EventId = 2001, Message = "{ClientId} at {RemoteEndPoint} ({User}, {Listener}) disconnected: {Explanation} ({Reason})")]
    private static partial void LogDisconnected(
        ILogger logger, LogLevel level, string clientId, string remoteEndPoint, string user, string listener, string explanation, string reason);

    [LoggerMessage(EventId = 2009, Message = "{Subject}: {Count} more {What} within 10 s are not logged one by one")]
    private static partial void LogHeldBack(ILogger logger, LogLevel level, string subject, long count, string what);

    [LoggerMessage(
        2002, LogLevel.Warning,
        "connection from {RemoteEndPoint} to {Listener} refused, client id \"{ClientId}\", user \"{User}\": {Explanation} ({Reason})")]
    private static partial void LogRefused(
        ILogger logger, string remoteEndPoint, string listener, string clientId, string user, string explanation, string reason);

    [LoggerMessage(2010, LogLevel.Warning, "connection from {RemoteEndPoint} to {Listener} refused before it named a client: {Explanation} ({Reason})")]
    private static partial void LogRejected(ILogger logger, string remoteEndPoint, string listener, string explanation, string reason);

    [LoggerMessage(2003, LogLevel.Debug, "session of {ClientId} ended")]
    private static partial void LogSessionEnded(ILogger logger, string clientId);

    [LoggerMessage(2004, LogLevel.Debug, "{ClientId} subscribed to {Filter} at QoS {Granted}")]
    private static partial void LogSubscribed(ILogger logger, string clientId, string filter, byte granted);

    [LoggerMessage(2005, LogLevel.Warning, "{ClientId} (user \"{User}\") may not subscribe to {Filter}: {Cause} ({Reason})")]
    private static partial void LogSubscribeRefused(ILogger logger, string clientId, string user, string filter, string cause, string reason);

    [LoggerMessage(2006, LogLevel.Debug, "{ClientId} unsubscribed from {Filter}")]
    private static partial void LogUnsubscribed(ILogger logger, string clientId, string filter);

    [LoggerMessage(2007, LogLevel.Warning, "publish of {ClientId} (user \"{User}\") to {Topic} refused: {Cause} ({Reason})")]
    private static partial void LogPublishRefused(ILogger logger, string clientId, string user, string topic, string cause, string reason);

    [LoggerMessage(2008, LogLevel.Warning, "{Count} message(s) for {ClientId} dropped: {Explanation}")]
    private static partial void LogDropped(ILogger logger, int count, string clientId, string explanation);

    [LoggerMessage(2020, LogLevel.Warning, "{Who}: {What} by {Limit}")]
    private static partial void LogLimit(ILogger logger, string who, string what, string limit);

    [LoggerMessage(2030, LogLevel.Error, "internal error, {Where}: everything else goes on, please report it")]
    private static partial void LogFault(ILogger logger, Exception exception, string where);

    [LoggerMessage(2021, LogLevel.Error, "memory is short, {UsedKB} of {LimitKB} KB (limits.max_memory): {Doing}")]
    private static partial void LogMemoryShort(ILogger logger, long usedKB, long limitKB, string doing);

    [LoggerMessage(2022, LogLevel.Information, "memory is enough again, {UsedKB} of {LimitKB} KB (limits.max_memory)")]
    private static partial void LogMemoryEnough(ILogger logger, long usedKB, long limitKB);
}
