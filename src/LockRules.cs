using System.Diagnostics;

namespace EdgeBroker;

/// <summary>
/// The rule about locks: a thread holds one at most, and under it calls neither out nor into the system. It is checked wherever CHECKED is defined, which is
/// every build but the published one. A source file that each library which takes part compiles for itself; what a thread holds is known to all of them.
/// </summary>
internal static class LockRules
{
    // One list for a thread, whichever assembly asks.
    private static readonly LocalDataStoreSlot Slot = Thread.GetNamedDataSlot("EdgeBroker.LockRules");

    /// <summary>The lock, about to be taken by a thread that holds no other: <c>lock (x.Alone())</c>.</summary>
    public static Lock Alone(this Lock one)
    {
        Note(one, isLeaf: false);
        return one;
    }

    /// <summary>
    /// The lock, about to be taken perhaps under another one: <c>lock (x.Leaf())</c>. Nothing that takes a lock is called under it, so the order of two locks
    /// never matters. For pools of memory.
    /// </summary>
    public static Lock Leaf(this Lock one)
    {
        Note(one, isLeaf: true);
        return one;
    }

    /// <summary>What follows needs this lock.</summary>
    [Conditional("CHECKED")]
    public static void MustBeHeld(this Lock one)
    {
        if (!one.IsHeldByCurrentThread) throw new InvalidOperationException("Lock rule: called without the lock that guards this.");
    }

    /// <summary>What follows calls out or enters the system.</summary>
    [Conditional("CHECKED")]
    public static void MustHoldNone()
    {
        if (Held().Count > 0) throw new InvalidOperationException("Lock rule: called while a lock is held.");
    }

    [Conditional("CHECKED")]
    private static void Note(Lock one, bool isLeaf)
    {
        List<(Lock Lock, bool IsLeaf)> held = Held();
        if (one.IsHeldByCurrentThread) return;
        foreach ((_, bool isOtherLeaf) in held)
        {
            if (isOtherLeaf || !isLeaf) throw new InvalidOperationException("Lock rule: a second lock is taken while one is held.");
        }

        held.Add((one, isLeaf));
    }

    /// <summary>What this thread has noted and still holds. Nobody says when a lock is released; the lock itself knows.</summary>
    private static List<(Lock Lock, bool IsLeaf)> Held()
    {
        if (Thread.GetData(Slot) is not List<(Lock Lock, bool IsLeaf)> noted) Thread.SetData(Slot, noted = new List<(Lock Lock, bool IsLeaf)>(capacity: 4));
        noted.RemoveAll(static one => !one.Lock.IsHeldByCurrentThread);
        return noted;
    }
}
