using EdgeBroker.Core.Security;

namespace EdgeBroker.Core.Sessions;

/// <summary>What holds for one session alone; most have nothing of it, and pay for one reference.</summary>
/// <param name="Policy">How its queue is kept; null: as those of others.</param>
/// <param name="Judge">
/// By what each of its messages is judged, where the client has subscribed to more than it may receive; null: whatever its filters match is permitted.
/// </param>
/// <param name="MoveChanged">
/// Of one that is to move: called when it may have become ready, on any thread and under the session's lock. Null: it is not to move.
/// </param>
internal sealed record SessionRules(QueuePolicy? Policy, Permissions? Judge, Action? MoveChanged)
{
    /// <summary>All three; null: none is there.</summary>
    public static SessionRules? Of(QueuePolicy? policy, Permissions? judge, Action? moveChanged) =>
        policy is null && judge is null && moveChanged is null ? null : new SessionRules(policy, judge, moveChanged);
}
