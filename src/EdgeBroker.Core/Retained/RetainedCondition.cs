using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// What must hold of a topic's value for another one to take its place, or for it to be deleted: looked at in the moment in which that happens, so that nobody
/// comes in between. For one publish or deletion.
/// </summary>
/// <param name="holds">Is asked with the value there is; null: there is none. Under the lock of the values, so it only looks.</param>
public sealed class RetainedCondition(Func<Message?, bool> holds)
{
    /// <summary>Whether it was looked at and did not hold: nothing was done then.</summary>
    public bool HasFailed { get; private set; }

    internal bool Evaluate(Message? present)
    {
        HasFailed = !holds(present);
        return !HasFailed;
    }
}
