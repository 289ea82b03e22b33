using System.Numerics;

namespace EdgeBroker.Core.Sessions;

/// <summary>Where a session stands among <see cref="StoreUsers"/>, which guards it.</summary>
internal struct StoreUse()
{
    /// <summary>Its class; -1: none.</summary>
    public int Class = -1;

    /// <summary>Its index in the class.</summary>
    public int Index;
}

/// <summary>
/// The sessions of which a full store may drop what waits, in classes of twice as many bytes each: a queue that grows or shrinks seldom moves, and the largest
/// is found without a search through all. One that has become empty leaves when it is met, so that queues of a message now and then cost nothing.
/// </summary>
internal sealed class StoreUsers
{
    // The first class is of all below this power of two.
    private const int FirstClassBits = 12;

    // Looked at in the largest class.
    private const int MostCompared = 16;

    private readonly Lock _lock = new();
    private readonly List<Session>?[] _classes = new List<Session>?[64 - FirstClassBits];

    /// <summary>Whether a session has to move.</summary>
    /// <param name="bytes">What waits for it on disk and may be dropped.</param>
    /// <param name="current">The class it is in; -1: none.</param>
    public static bool IsMoving(long bytes, int current) => ClassOf(bytes, current) != current;

    /// <summary>Moves the session to where it belongs by now. Called when it may have to move, with no lock held.</summary>
    public void Update(Session session)
    {
        lock (_lock.Alone()) Move(session, session.HasEnded ? -1 : ClassOf(session.DroppableStoreBytes, session.StoreUse.Class));
    }

    /// <summary>One of the largest; null: none has anything that may be dropped.</summary>
    public Session? FindLargest()
    {
        lock (_lock.Alone())
        {
            for (int i = _classes.Length - 1; i >= 0; i--)
            {
                while (_classes[i] is { Count: > 0 } users)
                {
                    Session largest = users.Take(MostCompared).MaxBy(one => one.DroppableStoreBytes)!;
                    if (largest.DroppableStoreBytes > 0) return largest;
                    foreach (Session empty in users.Take(MostCompared).ToArray()) Move(empty, -1);
                }
            }

            return null;
        }
    }

    private static int ClassOf(long bytes, int current)
    {
        if (bytes == 0 && current < 0) return current;
        int next = bytes == 0 ? 0 : Math.Max(0, BitOperations.Log2((ulong)bytes) - FirstClassBits + 1);
        // One that comes and goes about a bound stays, until it has fallen to half of it.
        return next < current && bytes >= 1L << (FirstClassBits - 2 + current) ? current : next;
    }

    private void Move(Session session, int next)
    {
        _lock.MustBeHeld();
        ref StoreUse use = ref session.StoreUse;
        if (next == use.Class) return;
        if (use.Class >= 0)
        {
            List<Session> old = _classes[use.Class]!;
            Session last = old[^1];
            old[use.Index] = last;
            last.StoreUse.Index = use.Index;
            old.RemoveAt(old.Count - 1);
        }

        use.Class = next;
        if (next < 0) return;
        List<Session> users = _classes[next] ??= [];
        use.Index = users.Count;
        users.Add(session);
    }
}
