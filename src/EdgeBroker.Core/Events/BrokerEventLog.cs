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
public sealed partial class BrokerEventLog(ILogger<BrokerEventLog> logger, TimeProvider time) : IBrokerEvents
{
    // Enough for any plant; in a storm of reconnects the log must not be what holds the broker up.
    private readonly LogThrottle _comings = new(time, burst: 200);
    private readonly LogThrottle _refused = new(time, burst: 20);
    private readonly LogThrottle _dropped = new(time, burst: 5);
    private readonly LogThrottle _denied = new(time, burst: 5);
    private readonly LogThrottle _faults = new(time, burst: 5);

    // One each: a client that is always held up must not hide another limit.
    private readonly LogThrottle[] _limited = [.. Enum.GetValues<LimitKind>().Select(_ => new LogThrottle(time, burst: 5))];

    public void ClientConnected(in ClientDescription client, bool sessionPresent)
    {
        if (!AdmitComing()) return;
        string version = client.Version == ProtocolVersion.V5 ? "5.0" : "3.1.1";
        LogConnected(logger, client.ClientId, client.RemoteEndPoint, version, client.KeepAliveSeconds, sessionPresent ? "resumed" : "new");
    }

    public void ClientDisconnected(in ClientDescription client, ReasonCode reason, string explanation)
    {
        if (AdmitComing()) LogDisconnected(logger, client.ClientId, client.RemoteEndPoint, explanation, (byte)reason);
    }

    public void ConnectRefused(string remoteEndPoint, string? clientId, ReasonCode reason, string explanation)
    {
        if (_refused.Admit(out long kept)) LogRefused(logger, remoteEndPoint, clientId ?? "", explanation, (byte)reason, kept);
    }

    public void SessionEnded(string clientId) => LogSessionEnded(logger, clientId);

    public void Subscribed(string clientId, ReadOnlySpan<byte> filter, ReasonCode outcome)
    {
        if (!outcome.IsError())
        {
            if (logger.IsEnabled(LogLevel.Debug)) LogSubscribed(logger, clientId, Encoding.UTF8.GetString(filter), (byte)outcome);
        }
        else if (_denied.Admit(out long kept))
        {
            LogSubscribeRefused(logger, clientId, Encoding.UTF8.GetString(filter), outcome, (byte)outcome, kept);
        }
    }

    public void Unsubscribed(string clientId, ReadOnlySpan<byte> filter)
    {
        if (logger.IsEnabled(LogLevel.Debug)) LogUnsubscribed(logger, clientId, Encoding.UTF8.GetString(filter));
    }

    public void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason)
    {
        if (_denied.Admit(out long kept)) LogPublishRefused(logger, clientId, Encoding.UTF8.GetString(topic), reason, (byte)reason, kept);
    }

    public void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason, string cause)
    {
        if (_denied.Admit(out long kept)) LogPublishDenied(logger, clientId, Encoding.UTF8.GetString(topic), cause, (byte)reason, kept);
    }

    public void SubscribeDenied(string clientId, ReadOnlySpan<byte> filter, string cause)
    {
        if (_denied.Admit(out long kept)) LogSubscribeDenied(logger, clientId, Encoding.UTF8.GetString(filter), cause, (byte)ReasonCode.NotAuthorized, kept);
    }

    public void MessagesDropped(string clientId, DropReason reason, int count)
    {
        if (_dropped.Admit(out long kept)) LogDropped(logger, count, clientId, CauseOf(reason), kept);
    }

    public void LimitReached(LimitKind limit, LimitAction action, string who, BrokerLimits limits)
    {
        if (!_limited[(int)limit].Admit(out long kept)) return;
        string what = action switch
        {
            LimitAction.Delayed => "held up",
            LimitAction.Dropped => "publish dropped",
            LimitAction.Disconnected => "disconnected",
            LimitAction.Refused => "refused",
            _ => throw new ArgumentOutOfRangeException(nameof(action), action, "An action needs words."),
        };
        LogLimit(logger, who, what, limits.Describe(limit), kept);
    }

    public void Fault(Exception exception, string where)
    {
        if (_faults.Admit(out long kept)) LogFault(logger, exception, where, kept);
    }

    public void MemoryStageChanged(MemoryStage stage, long usedBytes, long limitBytes)
    {
        if (stage == MemoryStage.Normal) LogMemoryEnough(logger, usedBytes / 1024, limitBytes / 1024);
        else LogMemoryShort(logger, usedBytes / 1024, limitBytes / 1024, MeasuresOf(stage));
    }

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
