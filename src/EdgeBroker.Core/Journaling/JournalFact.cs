namespace EdgeBroker.Core.Journaling;

/// <summary>
/// Something that happened and is to outlive the process. Facts are appended to the <see cref="Ports.IJournal"/> in the order they happen to one session or
/// topic, committed in that
/// order, several at a time, and then completed, which lets go on who waits for them.
/// </summary>
public abstract class JournalFact
{
    private static readonly Action Done = static () => { };
    private Action? _waiting;
    private JournalFact? _next;

    /// <summary>The fact appended next, or null; the journal's own, which one thread writes and another reads.</summary>
    public JournalFact? NextFact
    {
        get => Volatile.Read(ref _next);
        set => Volatile.Write(ref _next, value);
    }

    /// <summary>Whether it is on disk, or need not be any more.</summary>
    public bool IsCommitted => ReferenceEquals(Volatile.Read(ref _waiting), Done);

    /// <summary>Calls back once when the fact is committed; at once when it already is. Else on the committing thread, under no lock: the action must return
    /// soon.</summary>
    public void WhenCommitted(Action action)
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

    /// <summary>Marks the fact committed and calls back who waits. More than once does nothing.</summary>
    public void Complete()
    {
        Action? waiting = Interlocked.Exchange(ref _waiting, Done);
        if (waiting is not null && !ReferenceEquals(waiting, Done)) waiting();
    }
}
