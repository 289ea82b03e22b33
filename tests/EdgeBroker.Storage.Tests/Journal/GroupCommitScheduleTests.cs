using System.Globalization;
using EdgeBroker.Storage.Journal;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>When facts are committed, by what publishers and their receivers do; a timestamp is a millisecond.</summary>
public sealed class GroupCommitScheduleTests
{
    private const int Never = int.MaxValue;

    /// <summary>Facts in equal portions at equal intervals, and how long their receivers take to acknowledge.</summary>
    /// <param name="durability">Its window.</param>
    /// <param name="portions">How many portions.</param>
    /// <param name="facts">Facts in each.</param>
    /// <param name="intervalMs">Time between two.</param>
    /// <param name="acknowledgedMs">When each is acknowledged.</param>
    /// <param name="transactions">Transactions that write something.</param>
    /// <param name="written">Facts that are written.</param>
    /// <param name="longestMs">The longest that a fact waits for its transaction.</param>
    [Theory]
    // A lone publisher whose receiver is away waits for the window, every time.
    [InlineData(StoreDurability.Balanced, 10, 1, 1000, Never, 10, 10, 50)]
    [InlineData(StoreDurability.Strict, 10, 1, 1000, Never, 10, 10, 4)]
    [InlineData(StoreDurability.FlashSaver, 10, 1, 10_000, Never, 10, 10, 2000)]
    // One whose receiver acknowledges at once writes nothing; at the edge of the window, half a tick decides.
    [InlineData(StoreDurability.Balanced, 10, 1, 1000, 2, 0, 0, 50)]
    [InlineData(StoreDurability.Balanced, 10, 1, 1000, 49, 0, 0, 50)]
    [InlineData(StoreDurability.Balanced, 10, 1, 1000, 51, 10, 10, 50)]
    // Bursts that fit the window take one transaction each.
    [InlineData(StoreDurability.Balanced, 10, 100, 1000, Never, 10, 1000, 50)]
    [InlineData(StoreDurability.Balanced, 10, 511, 1000, Never, 10, 5110, 50)]
    [InlineData(StoreDurability.Strict, 10, 200, 1000, Never, 10, 2000, 5)]
    // A burst that fills the window does not wait.
    [InlineData(StoreDurability.Balanced, 10, 512, 1000, Never, 10, 5120, 0)]
    [InlineData(StoreDurability.Balanced, 10, 5000, 1000, Never, 10, 50_000, 0)]
    [InlineData(StoreDurability.Balanced, 10, 400, 1000, 10, 0, 0, 50)]
    // A flood for who is away is committed as the window fills, or closes.
    [InlineData(StoreDurability.Balanced, 1000, 20, 1, Never, 39, 20_000, 50)]
    [InlineData(StoreDurability.Balanced, 1000, 5, 1, Never, 21, 5000, 50)]
    [InlineData(StoreDurability.FlashSaver, 10_000, 1, 1, Never, 6, 10_000, 2000)]
    // A flood that is acknowledged promptly writes nothing.
    [InlineData(StoreDurability.Balanced, 1000, 20, 1, 5, 0, 0, 38)]
    [InlineData(StoreDurability.Balanced, 1000, 100, 1, 3, 0, 0, 29)]
    [InlineData(StoreDurability.Strict, 1000, 20, 1, 1, 0, 0, 4)]
    public void Facts_are_committed_as_late_as_they_may_be(
        StoreDurability durability, int portions, int facts, int intervalMs, int acknowledgedMs, int transactions, int written, int longestMs)
    {
        var run = new Run(durability);
        for (int i = 0; i < portions; i++)
        {
            for (int fact = 0; fact < facts; fact++) run.Add((long)i * intervalMs, acknowledgedMs);
        }

        run.ToEnd();
        Assert.Equal((transactions, written, longestMs), (run.Transactions, run.Written, run.LongestMs));
    }

    [Fact]
    public void A_subscription_takes_along_what_came_before_it_and_waits_20_ms_at_most()
    {
        var run = new Run(StoreDurability.FlashSaver);
        for (int i = 0; i < 10; i++) run.Add(i, Never);
        run.Add(10, Never, isUrgent: true);
        run.Add(11, Never);
        run.ToEnd();
        Assert.Equal([(30L, 11), (1030L, 1)], run.Commits);
    }

    [Fact]
    public void A_subscription_does_not_wait_longer_than_others_do()
    {
        var run = new Run(StoreDurability.Strict);
        run.Add(0, Never, isUrgent: true);
        run.ToEnd();
        Assert.InRange(run.LongestMs, 0, 5);
    }

    /// <summary>Whatever comes and however it is acknowledged.</summary>
    [Fact]
    public void No_fact_waits_longer_than_the_window()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            StoreDurability durability = seed % 2 == 0 ? StoreDurability.Balanced : StoreDurability.FlashSaver;
            int windowMs = (int)CommitWindow.Of(durability).Longest.TotalMilliseconds;
            var run = new Run(durability);
            long at = 0;
            for (int phase = 0; phase < 10; phase++)
            {
                int most = random.Next(4) switch { 0 => 1, 1 => 3, 2 => 30, _ => 200 };
                int acknowledgedMs = random.Next(3) switch { 0 => Never, 1 => 2, _ => random.Next(windowMs * 2) };
                for (int i = 0; i < 50; i++, at += random.Next(3) == 0 ? random.Next(windowMs) : 1)
                {
                    for (int fact = random.Next(most); fact >= 0; fact--) run.Add(at, random.Next(10) == 0 ? Never : acknowledgedMs, random.Next(1000) == 0);
                }
            }

            run.ToEnd();
            // Facts that fill the window together, in one millisecond, begin theirs in the same.
            Assert.True(run.LongestMs <= windowMs, string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {run.LongestMs} ms"));
        }
    }

    /// <summary>The journal's thread with a disk that takes no time.</summary>
    private sealed class Run(StoreDurability durability)
    {
        private readonly GroupCommitSchedule _schedule = new(CommitWindow.Of(durability), 1000);
        private readonly Queue<(long At, long AcknowledgedAt, bool IsUrgent)> _coming = new();
        private readonly List<(long At, long AcknowledgedAt)> _pending = [];
        private long _nowMs;

        public List<(long AtMs, int Facts)> Commits { get; } = [];

        public int Transactions { get; private set; }

        public int Written { get; private set; }

        public int LongestMs { get; private set; }

        public void Add(long atMs, int acknowledgedMs, bool isUrgent = false) => _coming.Enqueue((atMs, atMs + acknowledgedMs, isUrgent));

        public void ToEnd()
        {
            while (_coming.Count > 0 || _pending.Count > 0)
            {
                if (_pending.Count == 0) _nowMs = Math.Max(_nowMs, _coming.Peek().At);
                Take();
                CommitDecision next = _schedule.Next(_pending.Count, _nowMs);
                switch (next.Action)
                {
                    case CommitAction.Commit: Commit(next.Facts); break;
                    case CommitAction.Coalesce: Coalesce(); break;
                    default: _nowMs = Math.Min(next.Until, NextWake(next.Facts)); break;
                }
            }
        }

        /// <summary>When so many facts more have come, or an urgent one.</summary>
        private long NextWake(int facts)
        {
            foreach ((long at, _, bool isUrgent) in _coming)
            {
                if (isUrgent || --facts == 0) return at;
            }

            return long.MaxValue;
        }

        private void Take()
        {
            while (_coming.TryPeek(out (long At, long AcknowledgedAt, bool IsUrgent) fact) && fact.At <= _nowMs)
            {
                _coming.Dequeue();
                if (_pending.Count == 0) _schedule.Begin(_nowMs);
                _pending.Add((fact.At, fact.AcknowledgedAt));
                if (fact.IsUrgent) _schedule.CommitSoon(_pending.Count, _nowMs);
            }
        }

        private void Coalesce()
        {
            int mature = _pending.Take(_schedule.Mature).Count(fact => fact.AcknowledgedAt > _nowMs);
            int removed = _pending.RemoveAll(fact => fact.AcknowledgedAt <= _nowMs);
            int due = _schedule.Coalesced(removed, _pending.Count, mature, _nowMs);
            if (due > 0) Commit(due);
        }

        private void Commit(int count)
        {
            List<(long At, long AcknowledgedAt)> facts = _pending.GetRange(0, count);
            _pending.RemoveRange(0, count);
            int written = facts.Count(fact => fact.AcknowledgedAt > _nowMs);
            _schedule.Committed(count, count - written, _nowMs);
            LongestMs = Math.Max(LongestMs, (int)(_nowMs - facts.Min(fact => fact.At)));
            Commits.Add((_nowMs, count));
            Written += written;
            if (written > 0) Transactions++;
        }
    }
}
