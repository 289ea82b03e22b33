namespace EdgeBroker.Core.Journaling;

/// <summary>
/// Something an acknowledgement waits for: a fact on disk, a peer, room in a queue, or all of several. It cannot fail: what cannot be kept is never completed,
/// and the client sends again.
/// </summary>
public abstract class Completion
{
    private static readonly Action Done = static () => { };
    private Action? _waiting;

    /// <summary>Whether there is nothing to wait for any more.</summary>
    public virtual bool IsDone => ReferenceEquals(Volatile.Read(ref _waiting), Done);

    /// <summary>
    /// Calls back once when it is done: at once when it already is, otherwise on the completing thread, with no lock held. The action must return soon.
    /// </summary>
    public virtual void WhenDone(Action action)
    {
        while (true)
        {
            Action? seen = Volatile.Read(ref _waiting);
            if (ReferenceEquals(seen, Done))
            {
                action();
                return;
            }

            if (ReferenceEquals(Interlocked.CompareExchange(ref _waiting, seen + action, seen), seen)) return;
        }
    }

    /// <summary>Marks it done and calls back who waits. A second call does nothing.</summary>
    public void Complete()
    {
        Action? waiting = Interlocked.Exchange(ref _waiting, Done);
        if (waiting is not null && !ReferenceEquals(waiting, Done)) waiting();
    }

    /// <summary>
    /// What is done when both are. Allocates nothing where one of them answers for both: one is done already, or the later cannot be done before the earlier.
    /// </summary>
    /// <param name="earlier">What came first; null: nothing to wait for.</param>
    /// <param name="later">What came after it; null: nothing to wait for.</param>
    public static Completion? Both(Completion? earlier, Completion? later)
    {
        if (earlier is null || earlier.IsDone) return later;
        if (later is null || later.IsDone) return earlier;
        return later.Covers(earlier) ? later : AllOf.Join(earlier, later);
    }

    /// <summary>Whether this cannot be done before something that came earlier, as with facts of one journal, which are committed in their order.</summary>
    protected internal virtual bool Covers(Completion earlier) => ReferenceEquals(earlier, this);

    /// <summary>All of several, none of which covers another. It is nothing but its parts: they are completed, it never is.</summary>
    private sealed class AllOf : Completion
    {
        private readonly Completion[] _parts;

        private AllOf(Completion[] parts) => _parts = parts;

        public override bool IsDone => Array.TrueForAll(_parts, static part => part.IsDone);

        public static Completion Join(Completion earlier, Completion later)
        {
            // Flat, so that a chain of any length stays as short as there are kinds of things to wait for.
            var parts = new List<Completion>(4);
            Add(parts, earlier);
            Add(parts, later);
            return parts.Count > 1 ? new AllOf([.. parts]) : parts.Count == 1 ? parts[0] : later;
        }

        public override void WhenDone(Action action)
        {
            foreach (Completion part in _parts)
            {
                if (part.IsDone) continue;
                // The rest is looked at when this one is done.
                part.WhenDone(() => WhenDone(action));
                return;
            }

            action();
        }

        private static void Add(List<Completion> parts, Completion one)
        {
            if (one is AllOf several)
            {
                foreach (Completion part in several._parts) Add(parts, part);
            }
            else if (!one.IsDone)
            {
                parts.RemoveAll(one.Covers);
                parts.Add(one);
            }
        }
    }
}
