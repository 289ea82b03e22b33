using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Ingress;

/// <summary>What becomes of a publish.</summary>
public enum PublishDecision : byte
{
    /// <summary>It is routed.</summary>
    Accepted,

    /// <summary>A limit drops it.</summary>
    Dropped,

    /// <summary>It is not permitted, not what it says it is, or could not be kept; <see cref="PublishVerdict.Reason"/> says which.</summary>
    Refused,

    /// <summary>Nothing was done: it is to be brought again when the store can write (<see cref="Broker.WhenStoreRecovers"/>).</summary>
    Retry,

    /// <summary>The publisher has broken what it was granted, and is disconnected.</summary>
    Disconnect,
}

/// <summary>A decision about a publish.</summary>
/// <param name="Decision">What becomes of it.</param>
/// <param name="Reason">What a publisher that hears refusals is told.</param>
/// <param name="Completion">What its acknowledgement waits for; null: nothing.</param>
/// <param name="Cause">Of <see cref="PublishDecision.Refused"/> and <see cref="PublishDecision.Disconnect"/>: why, in words for the log; else null.</param>
public readonly record struct PublishVerdict(PublishDecision Decision, ReasonCode Reason, Completion? Completion = null, string? Cause = null);

/// <summary>A decision about one filter.</summary>
/// <param name="Reason">The granted QoS, or why not.</param>
/// <param name="Completion">What the acknowledgement waits for; null: nothing.</param>
/// <param name="DisconnectedBy">The limit that ends the connection over it; null: none does.</param>
public readonly record struct SubscribeVerdict(ReasonCode Reason, Completion? Completion = null, LimitKind? DisconnectedBy = null);
