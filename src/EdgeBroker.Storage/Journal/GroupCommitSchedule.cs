namespace EdgeBroker.Storage.Journal;

/// <summary>
/// When facts are committed, and how many of them: pure over timestamps and counts. Time goes in ticks. While clients acknowledge promptly, a tick is half a
/// window and commits only facts that were there at the tick before: most others are coalesced by the next. Where nobody does, a tick is the whole window and
/// commits everything, since fewer and larger transactions write less. Either way no fact waits longer than the window.
/// </summary>
internal sealed class GroupCommitSchedule
{
    /// <summary>How long an urgent fact waits at most, whatever the window.</summary>
    public static readonly TimeSpan LongestUrgentWait = TimeSpan.FromMilliseconds(20);

    private readonly long _window;
    private readonly long _urgentWindow;
    private readonly int _mostFacts;
    private int _crowdedAt;
    private bool _isCoalescing = true;
    private long _nextTick;

    /// <param name="window">The window of the store's durability.</param>
    /// <param name="timestampFrequency">Timestamps a second.</param>
    public GroupCommitSchedule(CommitWindow window, long timestampFrequency)
    {
        _window = (long)(window.Longest.TotalSeconds * timestampFrequency);
        _urgentWindow = (long)(LongestUrgentWait.TotalSeconds * timestampFrequency);
        _crowdedAt = _mostFacts = window.MostFacts;
    }

    /// <summary>How many of the oldest facts were there at the last tick, and are committed at the next.</summary>
    public int Mature { get; private set; }

    private long Tick => _isCoalescing ? _window / 2 : _window;

    /// <summary>A fact came while none was waiting.</summary>
    public void Begin(long now) => _nextTick = now + Tick;

    /// <summary>The facts that wait now are committed soon, however long the window.</summary>
    public void CommitSoon(int pending, long now)
    {
        _nextTick = Math.Min(_nextTick, now + _urgentWindow);
        Mature = pending;
    }

    /// <summary>What to do now.</summary>
    /// <param name="pending">Facts that wait; 1 or more.</param>
    /// <param name="now">The time.</param>
    public CommitDecision Next(int pending, long now)
    {
        if (pending >= _crowdedAt) return CommitDecision.Coalesce;
        if (now >= _nextTick)
        {
            int due = _isCoalescing ? Mature : pending;
            Mature = pending;
            _nextTick = now + Tick;
            if (due > 0) return CommitDecision.Commit(due);
        }

        return CommitDecision.Wait(_nextTick, _crowdedAt - pending);
    }

    /// <summary>After <see cref="CommitAction.Coalesce"/>: facts that need no disk any more were removed. Returns how many of the rest to commit now.</summary>
    /// <param name="removed">How many were removed.</param>
    /// <param name="pending">How many are left.</param>
    /// <param name="mature">How many of <see cref="Mature"/> are left.</param>
    /// <param name="now">The time of the decision.</param>
    public int Coalesced(int removed, int pending, int mature, long now)
    {
        Mature = mature;
        if (removed > 0 && !_isCoalescing)
        {
            // The tick that has begun is a whole window, which the facts of it may not exceed.
            _isCoalescing = true;
            Mature = pending;
            _nextTick = Math.Min(_nextTick, now + Tick);
        }

        // Where that made room, the window is not full. Twice as many are let in before it is tried again, so that no fact is looked at more than a few times.
        bool isFull = pending >= _mostFacts;
        _crowdedAt = isFull ? _mostFacts : Math.Max(_mostFacts, 2 * pending);
        return isFull ? pending : 0;
    }

    /// <summary>After <see cref="CommitAction.Commit"/>: facts went into a transaction.</summary>
    /// <param name="facts">How many.</param>
    /// <param name="coalesced">Deliveries and values of theirs that did not have to be written.</param>
    /// <param name="now">The time of the decision.</param>
    public void Committed(int facts, int coalesced, long now)
    {
        Mature = Math.Max(0, Mature - facts);
        _isCoalescing = coalesced >= facts / 8;
        // Facts that are left have waited for up to half a window.
        _nextTick = now + (Mature > 0 ? _window / 2 : Tick);
    }
}

/// <summary>The longest time and the most facts before a transaction begins. Acknowledgements wait for it in every profile.</summary>
/// <param name="Longest">No fact waits longer before its transaction begins.</param>
/// <param name="MostFacts">Nor do more facts than this wait.</param>
internal sealed record CommitWindow(TimeSpan Longest, int MostFacts)
{
    /// <summary>The window of a durability.</summary>
    public static CommitWindow Of(StoreDurability durability) => durability switch
    {
        StoreDurability.Strict => new(TimeSpan.FromMilliseconds(5), 256),
        StoreDurability.FlashSaver => new(TimeSpan.FromSeconds(2), 8192),
        _ => new(TimeSpan.FromMilliseconds(50), 512),
    };
}

/// <summary>What to do with the facts that wait.</summary>
internal enum CommitAction
{
    /// <summary>Nothing yet.</summary>
    Wait,

    /// <summary>Remove those that need no disk any more.</summary>
    Coalesce,

    /// <summary>Commit the oldest.</summary>
    Commit,
}

/// <summary>What to do with the facts that wait, and how many are meant.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Facts">To wait: how many further facts end it. To commit: how many of the oldest.</param>
/// <param name="Until">To wait: the timestamp at which it ends.</param>
internal readonly record struct CommitDecision(CommitAction Action, int Facts, long Until)
{
    /// <summary>Remove what needs no disk any more.</summary>
    public static readonly CommitDecision Coalesce = new(CommitAction.Coalesce, 0, 0);

    /// <summary>Commit the oldest facts.</summary>
    public static CommitDecision Commit(int facts) => new(CommitAction.Commit, facts, 0);

    /// <summary>Do nothing until a time, or until so many facts more have come.</summary>
    public static CommitDecision Wait(long until, int facts) => new(CommitAction.Wait, facts, until);
}
