using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Storage.Journal;

/// <summary>Facts on their way to the writer: any thread appends without a lock, one thread takes.</summary>
internal sealed class FactQueue
{
    private JournalFact _taken = new Stub();
    private JournalFact _last;

    public FactQueue() => _last = _taken;

    /// <summary>Appends a fact.</summary>
    public void Append(JournalFact fact) => Interlocked.Exchange(ref _last, fact).NextFact = fact;

    /// <summary>Takes the next fact; null when there is none, or when it is being appended this moment.</summary>
    public JournalFact? TryTake()
    {
        JournalFact? next = _taken.NextFact;
        if (next is null) return null;
        // What is taken no longer leads to those behind it, which would keep them all alive as long as it lives.
        _taken.NextFact = null;
        _taken = next;
        return next;
    }

    private sealed class Stub : JournalFact;
}
