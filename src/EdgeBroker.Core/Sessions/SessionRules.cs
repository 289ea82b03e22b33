using EdgeBroker.Core.Security;

namespace EdgeBroker.Core.Sessions;

/// <summary>What holds for one session alone; most have nothing of it, and pay for one reference.</summary>
/// <param name="Policy">How its queue is kept; null: as those of others.</param>
/// <param name="Judge">
/// By what each of its messages is judged, where the client has subscribed to more than it may receive; null: whatever its filters match is permitted.
/// </param>
internal sealed record SessionRules(QueuePolicy? Policy, Permissions? Judge)
{
    /// <summary>Both; null: neither is there.</summary>
    public static SessionRules? Of(QueuePolicy? policy, Permissions? judge) => policy is null && judge is null ? null : new SessionRules(policy, judge);
}
