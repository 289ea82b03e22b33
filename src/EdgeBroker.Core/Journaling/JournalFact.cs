namespace EdgeBroker.Core.Journaling;

/// <summary>
/// Something that happened and is to outlive the process. Facts are appended to the <see cref="Ports.IJournal"/> in the order they happen to one session or
/// topic, and are committed in that order, several at a time. A fact is done when it is on disk, or need not be any more.
/// </summary>
public abstract class JournalFact : Completion
{
    private JournalFact? _next;

    /// <summary>The fact appended next, or null; the journal's own, which one thread writes and another reads.</summary>
    public JournalFact? NextFact
    {
        get => Volatile.Read(ref _next);
        set => Volatile.Write(ref _next, value);
    }

    /// <inheritdoc/>
    protected internal override bool Covers(Completion earlier) => earlier is JournalFact;
}
