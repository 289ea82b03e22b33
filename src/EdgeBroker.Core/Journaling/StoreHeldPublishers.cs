using System.Collections.Concurrent;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Journaling;

/// <summary>Publishers that are held because the store takes nothing more.</summary>
/// <param name="Condition">How the store is.</param>
/// <param name="Publishers">Who is held, as of the last round of housekeeping; none while the store takes what must be kept.</param>
public readonly record struct StoreHold(JournalCondition Condition, IReadOnlyList<string> Publishers);

/// <summary>Publishers that wait until the store takes what they have brought. Any thread may add one.</summary>
/// <param name="journal">The store.</param>
internal sealed class StoreHeldPublishers(IJournal journal)
{
    // What a message needs that came while the store was full may have become free without the store having room: its receiver is back, say.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<(string PublisherId, Action Action)> _waiting = new();
    private string[] _shown = [];
    private long _retryAtMs;

    /// <summary>Who is held; for displays.</summary>
    public StoreHold Hold => new(journal.Condition, Volatile.Read(ref _shown));

    /// <summary>Calls back when it is worth trying again.</summary>
    /// <param name="publisherId">Who is held.</param>
    /// <param name="action">Tries again; returns soon.</param>
    public void Add(string publisherId, Action action) => _waiting.Enqueue((publisherId, action));

    /// <summary>A part of housekeeping: notes who is held, and lets them try when the store may take more.</summary>
    public void RunDue(long nowMs)
    {
        JournalCondition condition = journal.Condition;
        string[] held = condition == JournalCondition.Ready || _waiting.IsEmpty ? [] : [.. _waiting.Select(one => one.PublisherId)];
        Volatile.Write(ref _shown, held);
        if (condition == JournalCondition.Failing || _waiting.IsEmpty) return;
        if (condition == JournalCondition.Full && nowMs < _retryAtMs) return;
        _retryAtMs = nowMs + (long)RetryInterval.TotalMilliseconds;
        LetTry();
    }

    /// <summary>Lets those try who are waiting now: one that finds nothing changed comes back.</summary>
    public void LetTry()
    {
        for (int i = _waiting.Count; i > 0 && _waiting.TryDequeue(out (string PublisherId, Action Action) next); i--) next.Action();
    }
}
