using System.Text;
using System.Text.Unicode;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Ingress;

/// <summary>
/// Judges what comes in, whatever protocol it comes by: topic rules, rights, grants, rates. Adapters call it with every publish and every filter, and translate
/// its verdicts into what their clients understand. Tells the events of what it refuses.
/// </summary>
public sealed class Ingress
{
    private const string TooManyLevels = "a topic with more levels than mqtt.max_topic_levels";
    private const string TooManyFilterLevels = "a filter with more levels than mqtt.max_topic_levels";
    private const string TooManySubscriptions = "the client has as many subscriptions as it may (mqtt.max_subscriptions_per_client)";
    private const string FalseText = "a payload that is not the UTF-8 its Payload Format Indicator promises";

    private readonly Broker _broker;

    internal Ingress(Broker broker) => _broker = broker;

    /// <summary>Knows messages that have been here before; null: none can have been.</summary>
    public ICopyGuard? CopyGuard { get; set; }

    private static ReadOnlySpan<byte> BridgePrefix => "$SYS/broker/connection/"u8;

    private static ReadOnlySpan<byte> BridgeSuffix => "/state"u8;

    /// <summary>
    /// Evaluates an operation by the rates, before it is looked at any closer. Takes nothing: one that is admitted is charged when it has been carried out.
    /// </summary>
    /// <param name="active">The limits in force.</param>
    /// <param name="operation">What is asked for.</param>
    /// <param name="qos">Of a publish, its QoS.</param>
    /// <param name="principal">Who asks.</param>
    /// <param name="nowMs">The time, by the clock of whoever calls.</param>
    public LimitVerdict Admit(ActiveLimits active, Operation operation, QoS qos, Principal principal, long nowMs)
    {
        principal.Rates ??= new ClientRateLimits();
        LimitVerdict verdict = principal.Rates.Evaluate(active, operation, qos, principal.HearsRefusals, nowMs);
        if (verdict.Decision == LimitDecision.Wait) _broker.Limits.Report(verdict.Limit, LimitAction.Delayed, principal.Receiver.Id);
        else if (verdict.Decision == LimitDecision.Disconnect) _broker.Limits.Report(verdict.Limit, LimitAction.Disconnected, principal.Receiver.Id);
        return verdict;
    }

    /// <summary>Charges an operation, once: neither one that waits nor one that is tried again pays twice.</summary>
    /// <param name="active">The limits in force.</param>
    /// <param name="operation">What was asked for.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="admitted">What <see cref="Admit"/> said.</param>
    /// <param name="principal">Who asked.</param>
    /// <param name="nowMs">The time.</param>
    public static void Charge(ActiveLimits active, Operation operation, int bytes, in LimitVerdict admitted, Principal principal, long nowMs) =>
        principal.Rates?.Charge(active, operation, bytes, admitted, nowMs);

    /// <summary>Judges a message and routes it.</summary>
    /// <param name="message">The message. Its topic is a valid name.</param>
    /// <param name="principal">Who publishes.</param>
    /// <param name="context">The caller's context.</param>
    /// <param name="batch">Where the message may wait for others, if it is one that may; null: it goes at once.</param>
    /// <param name="admitted">What <see cref="Admit"/> said; the default: it is within all limits.</param>
    public PublishVerdict Publish(
        in Publication message, Principal principal, RoutingContext context, MessageBatch? batch = null, in LimitVerdict admitted = default)
    {
        if (FindViolation(message, principal.Grants, out ReasonCode reason) is { } violation)
        {
            TellRefused(message, principal, reason, violation);
            return new PublishVerdict(PublishDecision.Disconnect, reason, Cause: violation);
        }

        if (admitted.Decision == LimitDecision.Drop)
        {
            _broker.Limits.Report(admitted.Limit, LimitAction.Dropped, principal.Receiver.Id);
            context.Counters.CountDropped(DropReason.Limited);
            bool isHeard = message.QoS != QoS.AtMostOnce && principal.HearsRefusals;
            return new PublishVerdict(
                PublishDecision.Dropped, ReasonCode.QuotaExceeded, Cause: isHeard ? BrokerLimits.NameOf(admitted.Limit) + " is reached" : null);
        }

        if (!MayPublish(message, principal.Permissions, principal.Receiver.Id, principal.IsBridge)) return Deny(message, principal, context);
        if (IsFalseText(message))
        {
            context.Counters.CountDropped(DropReason.PayloadFormat);
            TellRefused(message, principal, ReasonCode.PayloadFormatInvalid, FalseText);
            return new PublishVerdict(PublishDecision.Refused, ReasonCode.PayloadFormatInvalid, Cause: FalseText);
        }

        CopyVerdict copy = !message.Properties.IsEmpty && CopyGuard is { } guard ? guard.Judge(message) : default;
        if (copy.IsCopy) return new PublishVerdict(PublishDecision.Accepted, ReasonCode.Success, copy.Arrival);
        PublishOutcome outcome = _broker.Publish(message, context, batch);
        if (outcome.IsHeld && (principal.WaitsForStore || outcome.IsBrief))
        {
            if (outcome.Limit is { } holding) _broker.Limits.Report(holding, LimitAction.Delayed, principal.Receiver.Id);
            return new PublishVerdict(PublishDecision.Retry, outcome.Reason);
        }

        if (copy.Arrival is { } arrival) Conclude(arrival, outcome.Completion);
        if (!outcome.Reason.IsError()) return new PublishVerdict(PublishDecision.Accepted, outcome.Reason, outcome.Completion);
        // Not a refusal: somebody was faster, as the publisher has reckoned with.
        if (message.Condition is { HasFailed: true }) return new PublishVerdict(PublishDecision.Refused, outcome.Reason);
        if (outcome.Limit is { } refusing) _broker.Limits.Count(refusing, LimitAction.Refused);
        TellRefused(message, principal, outcome.Reason, outcome.Cause);
        return new PublishVerdict(PublishDecision.Refused, outcome.Reason, outcome.Completion, outcome.Cause);
    }

    /// <summary>Judges a message that may be published later, as a will, without publishing it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="permissions">What its publisher may do.</param>
    /// <param name="grants">What it is granted.</param>
    /// <param name="clientId">Its client id.</param>
    /// <param name="isBridge">Whether it says that it is a bridge.</param>
    public static PublishVerdict Evaluate(in Publication message, Permissions permissions, MqttOptions grants, string clientId, bool isBridge)
    {
        string? cause = FindViolation(message, grants, out ReasonCode reason);
        if (cause is null && IsFalseText(message)) (reason, cause) = (ReasonCode.PayloadFormatInvalid, FalseText);
        if (cause is null && !MayPublish(message, permissions, clientId, isBridge))
        {
            (reason, cause) = (ReasonCode.NotAuthorized, WhyNotPublish(message, permissions, clientId, isBridge));
        }

        return cause is null ? default : new PublishVerdict(PublishDecision.Refused, reason, Cause: cause);
    }

    /// <summary>Judges a filter and subscribes to it.</summary>
    /// <param name="filter">The filter, shared or not, whose form has been checked.</param>
    /// <param name="options">The options asked for.</param>
    /// <param name="identifier">Subscription identifier; 0: none.</param>
    /// <param name="principal">Who subscribes.</param>
    /// <param name="nowMs">The time, by the clock of whoever calls.</param>
    public SubscribeVerdict Subscribe(ReadOnlySpan<byte> filter, SubscriptionOptions options, uint identifier, Principal principal, long nowMs)
    {
        if (_broker.Limits.Active is { } active && !IsWithinRate(active, principal, nowMs, out LimitKind? disconnectedBy))
        {
            if (disconnectedBy is null) TellRefused(filter, principal, ReasonCode.QuotaExceeded, _broker.Limits.Describe(LimitKind.SubscribesPerClient));
            return new SubscribeVerdict(ReasonCode.QuotaExceeded, DisconnectedBy: disconnectedBy);
        }

        ReadOnlySpan<byte> topics = TopicFilter.TrySplitShared(filter, out _, out ReadOnlySpan<byte> shared) ? shared : filter;
        if (TopicName.CountLevels(topics) > _broker.Options.MaxTopicLevels)
        {
            TellRefused(filter, principal, ReasonCode.TopicFilterInvalid, TooManyFilterLevels);
            return new SubscribeVerdict(ReasonCode.TopicFilterInvalid);
        }

        bool isWide = !principal.Permissions.MaySubscribe(topics);
        QoS most = QoS.ExactlyOnce;
        if (isWide && !MayFilter(filter, principal, out most))
        {
            TellRefused(filter, principal, ReasonCode.NotAuthorized, principal.Permissions.JudgeSubscribe(topics).Cause);
            return new SubscribeVerdict(ReasonCode.NotAuthorized);
        }

        if (_broker.FindFilterLimit(principal.Receiver, filter) is { } limit)
        {
            _broker.Limits.Count(limit, LimitAction.Refused);
            TellRefused(filter, principal, ReasonCode.QuotaExceeded, _broker.Limits.Describe(limit));
            return new SubscribeVerdict(ReasonCode.QuotaExceeded);
        }

        // Before it is in the tree: nothing is to be delivered unjudged.
        if (isWide) ((Session)principal.Receiver).Judge(principal.Lease, principal.Permissions);
        else most = principal.Permissions.MaximumQoS(topics);
        if (options.MaximumQoS > most) options = new SubscriptionOptions(most, options.NoLocal, options.RetainAsPublished, options.RetainHandling);
        ReasonCode outcome = _broker.Subscribe(principal.Receiver, principal.Lease, filter, options, identifier, out Completion? completion);
        if (outcome.IsError()) TellRefused(filter, principal, outcome, TooManySubscriptions);
        return new SubscribeVerdict(outcome, completion);
    }

    /// <summary>Judges the reading of one topic's retained message: permitted to who may subscribe to the topic.</summary>
    /// <param name="topic">The topic, a valid name.</param>
    /// <param name="principal">Who reads.</param>
    /// <returns>Success, or why not.</returns>
    public ReasonCode Read(ReadOnlySpan<byte> topic, Principal principal)
    {
        if (principal.Permissions.MaySubscribe(topic)) return ReasonCode.Success;
        TellRefused(topic, principal, ReasonCode.NotAuthorized, principal.Permissions.JudgeSubscribe(topic).Cause);
        return ReasonCode.NotAuthorized;
    }

    // A shared message that its receiver may not have would be lost to the group; an observation is judged as a whole, as it has one filter.
    private bool MayFilter(ReadOnlySpan<byte> filter, Principal principal, out QoS most)
    {
        most = QoS.AtMostOnce;
        return _broker.Options.FiltersWideSubscriptions && principal.Receiver is Session { IsOfObservation: false }
            && !TopicFilter.TrySplitShared(filter, out _, out _) && principal.Permissions.MayReceiveSome(filter, out most);
    }

    private static void Conclude(Completion arrival, Completion? kept)
    {
        if (kept is null) arrival.Complete();
        else kept.WhenDone(arrival.Complete);
    }

    /// <summary>Looks for what a message has that its publisher was not granted.</summary>
    private static string? FindViolation(in Publication message, MqttOptions grants, out ReasonCode reason)
    {
        reason = ReasonCode.QoSNotSupported;
        if ((int)message.QoS > grants.MaxQos) return "QoS above mqtt.max_qos";
        reason = ReasonCode.RetainNotSupported;
        if (message.Retain && !grants.RetainAvailable) return "RETAIN, and mqtt.retain is off";
        reason = ReasonCode.TopicNameInvalid;
        // A topic of n bytes has at most n + 1 levels, so short ones need no counting.
        return message.Topic.Length >= grants.MaxTopicLevels && TopicName.CountLevels(message.Topic) > grants.MaxTopicLevels ? TooManyLevels : null;
    }

    // $SYS is the broker's own, but for the place where a bridge tells, by message and will, whether it is connected: refused, mosquitto's could not connect.
    // What begins with $share is no topic, but the form of a shared subscription.
    private static bool IsReserved(ReadOnlySpan<byte> topic, string clientId, bool isBridge)
    {
        if (topic.IsEmpty || topic[0] != '$') return false;
        int end = topic.IndexOf((byte)'/');
        ReadOnlySpan<byte> first = end < 0 ? topic : topic[..end];
        return first.SequenceEqual("$share"u8) || (first.SequenceEqual("$SYS"u8) && !(isBridge && IsBridgeState(topic, clientId)));
    }

    private static bool IsBridgeState(ReadOnlySpan<byte> topic, string clientId) =>
        topic.StartsWith(BridgePrefix) && topic.EndsWith(BridgeSuffix) && topic.Length >= BridgePrefix.Length + BridgeSuffix.Length
        && topic[BridgePrefix.Length..^BridgeSuffix.Length].SequenceEqual(Encoding.UTF8.GetBytes(clientId));

    private static bool IsFalseText(in Publication message) => message.IsText && !Utf8.IsValid(message.Payload);

    private static bool MayPublish(in Publication message, Permissions permissions, string clientId, bool isBridge) =>
        !IsReserved(message.Topic, clientId, isBridge) && permissions.MayPublish(message.Topic, message.QoS, message.Retain);

    private static string WhyNotPublish(in Publication message, Permissions permissions, string clientId, bool isBridge) =>
        !IsReserved(message.Topic, clientId, isBridge) ? permissions.JudgePublish(message.Topic, message.QoS, message.Retain).Cause
        : message.Topic.StartsWith("$share"u8) ? "$share is for subscriptions, no topic to publish to"
        : "only the broker publishes under $SYS; a bridge, to $SYS/broker/connection/CLIENTID/state";

    private PublishVerdict Deny(in Publication message, Principal principal, RoutingContext context)
    {
        string cause = WhyNotPublish(message, principal.Permissions, principal.Receiver.Id, principal.IsBridge);
        context.Counters.CountDropped(DropReason.NotPermitted);
        TellRefused(message, principal, ReasonCode.NotAuthorized, cause);
        return !principal.HearsRefusals && principal.Grants.DisconnectOnDeniedPublish
            ? new PublishVerdict(PublishDecision.Disconnect, ReasonCode.NotAuthorized, Cause: "a publish that is not permitted (auth.on_denied_publish_v311)")
            : new PublishVerdict(PublishDecision.Refused, ReasonCode.NotAuthorized, Cause: cause);
    }

    private void TellRefused(in Publication message, Principal principal, ReasonCode reason, string? cause) => _broker.Events.PublishRefused(new RefusedEvent
    {
        ClientId = principal.Receiver.Id,
        UserName = principal.Identity.UserName,
        Topic = message.Topic,
        QoS = message.QoS,
        Retain = message.Retain,
        Reason = reason,
        Cause = cause,
    });

    private void TellRefused(ReadOnlySpan<byte> filter, Principal principal, ReasonCode reason, string cause) =>
        _broker.Events.SubscribeRefused(new RefusedEvent
        {
            ClientId = principal.Receiver.Id,
            UserName = principal.Identity.UserName,
            Topic = filter,
            Reason = reason,
            Cause = cause,
        });

    private bool IsWithinRate(ActiveLimits active, Principal principal, long nowMs, out LimitKind? disconnectedBy)
    {
        disconnectedBy = null;
        principal.Rates ??= new ClientRateLimits();
        if (principal.Rates.TrySubscribe(active, nowMs)) return true;
        if (active.Options.SubscribesPerClient!.OnExceed == ExceedAction.Disconnect) disconnectedBy = LimitKind.SubscribesPerClient;
        _broker.Limits.Report(LimitKind.SubscribesPerClient, disconnectedBy is null ? LimitAction.Refused : LimitAction.Disconnected, principal.Receiver.Id);
        return false;
    }
}
