using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Core.Events;

/// <summary>
/// Writes what happens to the log. What a hostile or broken client can cause at will (refusals, drops) is throttled: one line in a while for each kind, with
/// the number of those kept back. Event ids 2000-2099.
/// </summary>
public sealed partial class BrokerEventLog(ILogger<BrokerEventLog> logger, TimeProvider time) : BrokerEventSink
{
    // Enough for any plant; in a storm of reconnects the log must not be what holds the broker up.
    private readonly LogThrottle _comings = new(time, burst: 200);
    private readonly LogThrottle _refused = new(time, burst: 20);
    private readonly LogThrottle _dropped = new(time, burst: 5);
    private readonly LogThrottle _denied = new(time, burst: 5);
    private readonly LogThrottle _faults = new(time, burst: 5);

    // One each: a client that is always held up must not hide another limit.
    private readonly LogThrottle[] _limited = [.. Enum.GetValues<LimitKind>().Select(_ => new LogThrottle(time, burst: 5))];

    /// <inheritdoc/>
    public override EventKinds Wanted =>
        EventKinds.ClientConnected | EventKinds.ClientDisconnected | EventKinds.ConnectRefused | EventKinds.SessionEnded
        | EventKinds.SubscriptionCreated | EventKinds.SubscriptionRemoved | EventKinds.SubscribeRefused | EventKinds.PublishRefused
        | EventKinds.MessagesDropped | EventKinds.LimitReached | EventKinds.MemoryStageChanged | EventKinds.Fault;

    /// <inheritdoc/>
    public override void ClientConnected(in ConnectedEvent what)
    {
        if (!AdmitComing()) return;
        ClientDescription client = what.Client;
        string version = client.Version == ProtocolVersion.V5 ? "5.0" : "3.1.1";
        LogConnected(logger, client.ClientId, client.RemoteEndPoint, version, client.KeepAliveSeconds, what.SessionPresent ? "resumed" : "new");
    }

    /// <inheritdoc/>
    public override void ClientDisconnected(in DisconnectedEvent what)
    {
        if (AdmitComing()) LogDisconnected(logger, what.Client.ClientId, what.Client.RemoteEndPoint, what.Explanation, (byte)what.Reason);
    }

    /// <inheritdoc/>
    public override void ConnectRefused(in ConnectRefusedEvent what)
    {
        if (_refused.Admit(out long kept)) LogRefused(logger, what.RemoteEndPoint, what.ClientId ?? "", what.Explanation, (byte)what.Reason, kept);
    }

    /// <inheritdoc/>
    public override void SessionEnded(string clientId) => LogSessionEnded(logger, clientId);

    /// <inheritdoc/>
    public override void SubscriptionCreated(in SubscriptionCreatedEvent what)
    {
        if (logger.IsEnabled(LogLevel.Debug)) LogSubscribed(logger, what.ClientId, Encoding.UTF8.GetString(what.Filter), (byte)what.Granted);
    }

    /// <inheritdoc/>
    public override void SubscriptionRemoved(in SubscriptionRemovedEvent what)
    {
        // The others ended with their session.
        if (what.Cause != SubscriptionEnd.Unsubscribed || !logger.IsEnabled(LogLevel.Debug)) return;
        LogUnsubscribed(logger, what.ClientId, Encoding.UTF8.GetString(what.Filter));
    }

    /// <inheritdoc/>
    public override void SubscribeRefused(in RefusedEvent what)
    {
        if (!_denied.Admit(out long kept)) return;
        string filter = Encoding.UTF8.GetString(what.Topic);
        if (what.Cause is { } cause) LogSubscribeDenied(logger, what.ClientId, filter, cause, (byte)what.Reason, kept);
        else LogSubscribeRefused(logger, what.ClientId, filter, what.Reason, (byte)what.Reason, kept);
    }

    /// <inheritdoc/>
    public override void PublishRefused(in RefusedEvent what)
    {
        if (!_denied.Admit(out long kept)) return;
        string topic = Encoding.UTF8.GetString(what.Topic);
        if (what.Cause is { } cause) LogPublishDenied(logger, what.ClientId, topic, cause, (byte)what.Reason, kept);
        else LogPublishRefused(logger, what.ClientId, topic, what.Reason, (byte)what.Reason, kept);
    }

    /// <inheritdoc/>
    public override void MessagesDropped(in DroppedEvent what)
    {
        if (_dropped.Admit(out long kept)) LogDropped(logger, what.Count, what.ClientId, CauseOf(what.Reason), kept);
    }

    /// <inheritdoc/>
    public override void LimitReached(in LimitReachedEvent what)
    {
        if (!_limited[(int)what.Limit].Admit(out long kept)) return;
        LogLimit(logger, what.Who, WordsFor(what.Action), what.Describe(), kept);
    }

    /// <inheritdoc/>
    public override void Fault(in FaultEvent what)
    {
        if (_faults.Admit(out long kept)) LogFault(logger, what.Exception, what.Where, kept);
    }

    /// <inheritdoc/>
    public override void MemoryStageChanged(in MemoryStageEvent what)
    {
        if (what.Stage == MemoryStage.Normal) LogMemoryEnough(logger, what.UsedBytes / 1024, what.LimitBytes / 1024);
        else LogMemoryShort(logger, what.UsedBytes / 1024, what.LimitBytes / 1024, MeasuresOf(what.Stage));
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

    private bool AdmitComing()
    {
        if (!logger.IsEnabled(LogLevel.Information) || !_comings.Admit(out long kept)) return false;
        if (kept > 0) LogComingsKeptBack(logger, kept);
        return true;
    }

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
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "A reason needs words."),
    };

    [LoggerMessage(
        2000, LogLevel.Information, "{ClientId} connected from {RemoteEndPoint}: MQTT {Version}, keep alive {KeepAliveSeconds} s, {Session} session")]
    private static partial void LogConnected(ILogger logger, string clientId, string remoteEndPoint, string version, int keepAliveSeconds, string session);

    [LoggerMessage(2001, LogLevel.Information, "{ClientId} at {RemoteEndPoint} disconnected: {Explanation} (0x{Reason:X2})")]
    private static partial void LogDisconnected(ILogger logger, string clientId, string remoteEndPoint, string explanation, byte reason);

    [LoggerMessage(2009, LogLevel.Information, "{KeptBack} connects and disconnects were not logged one by one: too many")]
    private static partial void LogComingsKeptBack(ILogger logger, long keptBack);

    [LoggerMessage(
        2002, LogLevel.Warning,
        "connection from {RemoteEndPoint} refused, client id \"{ClientId}\": {Explanation} (0x{Reason:X2}); {KeptBack} more since the last such line")]
    private static partial void LogRefused(ILogger logger, string remoteEndPoint, string clientId, string explanation, byte reason, long keptBack);

    [LoggerMessage(2003, LogLevel.Debug, "session of {ClientId} ended")]
    private static partial void LogSessionEnded(ILogger logger, string clientId);

    [LoggerMessage(2004, LogLevel.Debug, "{ClientId} subscribed to {Filter} at QoS {Granted}")]
    private static partial void LogSubscribed(ILogger logger, string clientId, string filter, byte granted);

    [LoggerMessage(2005, LogLevel.Warning, "{ClientId} may not subscribe to {Filter}: {Outcome} (0x{Reason:X2}); {KeptBack} more since the last such line")]
    private static partial void LogSubscribeRefused(ILogger logger, string clientId, string filter, ReasonCode outcome, byte reason, long keptBack);

    [LoggerMessage(2006, LogLevel.Debug, "{ClientId} unsubscribed from {Filter}")]
    private static partial void LogUnsubscribed(ILogger logger, string clientId, string filter);

    [LoggerMessage(2007, LogLevel.Warning, "publish of {ClientId} to {Topic} refused: {Outcome} (0x{Reason:X2}); {KeptBack} more since the last such line")]
    private static partial void LogPublishRefused(ILogger logger, string clientId, string topic, ReasonCode outcome, byte reason, long keptBack);

    [LoggerMessage(2010, LogLevel.Warning, "publish of {ClientId} to {Topic} refused: {Cause} (0x{Reason:X2}); {KeptBack} more since the last such line")]
    private static partial void LogPublishDenied(ILogger logger, string clientId, string topic, string cause, byte reason, long keptBack);

    [LoggerMessage(2011, LogLevel.Warning, "{ClientId} may not subscribe to {Filter}: {Cause} (0x{Reason:X2}); {KeptBack} more since the last such line")]
    private static partial void LogSubscribeDenied(ILogger logger, string clientId, string filter, string cause, byte reason, long keptBack);

    [LoggerMessage(2008, LogLevel.Warning, "{Count} message(s) for {ClientId} dropped: {Explanation}; {KeptBack} more occasions since the last such line")]
    private static partial void LogDropped(ILogger logger, int count, string clientId, string explanation, long keptBack);

    [LoggerMessage(2020, LogLevel.Warning, "{Who}: {What} by {Limit}; {KeptBack} more since the last such line")]
    private static partial void LogLimit(ILogger logger, string who, string what, string limit, long keptBack);

    [LoggerMessage(2030, LogLevel.Error, "internal error, {Where}: everything else goes on, please report it; {KeptBack} more since the last such line")]
    private static partial void LogFault(ILogger logger, Exception exception, string where, long keptBack);

    [LoggerMessage(2021, LogLevel.Error, "memory is short, {UsedKB} of {LimitKB} KB (limits.max_memory): {Doing}")]
    private static partial void LogMemoryShort(ILogger logger, long usedKB, long limitKB, string doing);

    [LoggerMessage(2022, LogLevel.Information, "memory is enough again, {UsedKB} of {LimitKB} KB (limits.max_memory)")]
    private static partial void LogMemoryEnough(ILogger logger, long usedKB, long limitKB);
}
