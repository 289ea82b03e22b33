using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// When facts are committed, and how many of them: pure over timestamps and counts. As long as the budget has room, whatever somebody waits for is committed
/// at once, with all before it. All other facts wait for the window, and so do those when the budget is spent. A window goes in ticks. While clients
/// acknowledge promptly, a tick is half a window and commits only facts that were there at the tick before: most others are coalesced by the next. Where
/// nobody does, a tick is the whole window and commits everything, since fewer and larger transactions write less. Either way no fact waits longer than the
/// window.
/// </summary>
internal sealed class GroupCommitSchedule
{
    /// <summary>How long an urgent fact waits at most, whatever the window.</summary>
    public static readonly TimeSpan LongestUrgentWait = TimeSpan.FromMilliseconds(20);

    private readonly long _window;
    private readonly long _urgentWindow;
    private readonly int _mostFacts;
    private int _crowdedAt;
    private bool _isEarly;
    private bool _isCoalescing = true;
    private long _nextTick;

    /// <param name="policy">Window and budget.</param>
    /// <param name="timestampFrequency">Timestamps a second.</param>
    public GroupCommitSchedule(CommitPolicy policy, long timestampFrequency)
    {
        _window = (long)(policy.Window.TotalSeconds * timestampFrequency);
        _urgentWindow = (long)(LongestUrgentWait.TotalSeconds * timestampFrequency);
        _crowdedAt = _mostFacts = policy.MostFacts;
        Window = policy.Window;
        Budget = new CommitBudget(policy.Budget, timestampFrequency);
    }

    /// <summary>How long a fact waits at most when the budget is spent.</summary>
    public TimeSpan Window { get; }

    /// <summary>What may be committed before its window is over.</summary>
    public CommitBudget Budget { get; }

    /// <summary>How many of the oldest facts were there at the last tick, and are committed at the next.</summary>
    public int Mature { get; private set; }

    private long Tick => _isCoalescing ? _window / 2 : _window;

    /// <summary>How many facts there are from the oldest to the last one that somebody waits for.</summary>
    public int Awaited { get; private set; }

    /// <summary>A fact came while none was waiting.</summary>
    public void Begin(long now) => _nextTick = now + Tick;

    /// <summary>Somebody waits for the last of the facts.</summary>
    /// <param name="pending">Facts that wait, that one included.</param>
    public void Await(int pending) => Awaited = pending;

    /// <summary>Somebody waits for the last of the facts who does nothing else until then: the window is cut short, if it comes to that.</summary>
    /// <param name="pending">Facts that wait, that one included.</param>
    /// <param name="now">The time.</param>
    public void CommitSoon(int pending, long now)
    {
        Await(pending);
        _nextTick = Math.Min(_nextTick, now + _urgentWindow);
        Mature = pending;
    }

    /// <summary>What to do now.</summary>
    /// <param name="pending">Facts that wait; 1 or more.</param>
    /// <param name="now">The time.</param>
    public CommitDecision Next(int pending, long now)
    {
        bool hasRoom = Budget.HasRoom(now);
        _isEarly = hasRoom && Awaited > 0;
        if (_isEarly) return CommitDecision.Commit(Awaited);
        if (pending >= _crowdedAt) return CommitDecision.Coalesce;
        if (now >= _nextTick)
        {
            int due = _isCoalescing ? Mature : pending;
            Mature = pending;
            _nextTick = now + Tick;
            if (due > 0) return CommitDecision.Commit(due);
        }

        // One that waits no longer than an urgent fact may wakes nobody for it, so that many of them together wake the thread once.
        FactUrgency? woken = hasRoom ? FactUrgency.Awaited : _nextTick - now > _urgentWindow ? FactUrgency.Urgent : null;
        return CommitDecision.Wait(Awaited > 0 ? Math.Min(_nextTick, Budget.RoomAt(now)) : _nextTick, _crowdedAt - pending, woken);
    }

    /// <summary>After <see cref="CommitAction.Coalesce"/>: facts that need no disk any more were removed. Returns how many of the rest to commit now.</summary>
    /// <param name="removed">How many were removed.</param>
    /// <param name="pending">How many are left.</param>
    /// <param name="mature">How many of <see cref="Mature"/> are left.</param>
    /// <param name="awaited">How many of <see cref="Awaited"/> are left.</param>
    /// <param name="now">The time of the decision.</param>
    public int Coalesced(int removed, int pending, int mature, int awaited, long now)
    {
        (Mature, Awaited) = (mature, awaited);
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
    /// <param name="isWritten">Whether anything had to be.</param>
    /// <param name="now">The time of the decision.</param>
    public void Committed(int facts, int coalesced, bool isWritten, long now)
    {
        Mature = Math.Max(0, Mature - facts);
        Awaited = Math.Max(0, Awaited - facts);
        if (isWritten) Budget.Spend(now);
        // The tick that has begun goes on for the facts that are left.
        if (_isEarly) return;
        _isCoalescing = coalesced >= facts / 8;
        // Facts that are left have waited for up to half a window.
        _nextTick = now + (Mature > 0 ? _window / 2 : Tick);
    }
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
/// <param name="Woken">To wait: a fact of this urgency ends it as well; null: none does.</param>
internal readonly record struct CommitDecision(CommitAction Action, int Facts, long Until, FactUrgency? Woken = null)
{
    /// <summary>Remove what needs no disk any more.</summary>
    public static readonly CommitDecision Coalesce = new(CommitAction.Coalesce, 0, 0);

    /// <summary>Commit the oldest facts.</summary>
    public static CommitDecision Commit(int facts) => new(CommitAction.Commit, facts, 0);

    /// <summary>Do nothing until a time, or until so many facts more have come, or one that is urgent enough.</summary>
    public static CommitDecision Wait(long until, int facts, FactUrgency? woken) => new(CommitAction.Wait, facts, until, woken);
}
