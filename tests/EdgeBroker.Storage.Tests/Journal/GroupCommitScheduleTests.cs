using System.Globalization;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Storage.Journal;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>When facts are committed, by what publishers and their receivers do; a timestamp is a millisecond.</summary>
public sealed class GroupCommitScheduleTests
{
    private const int Never = int.MaxValue;

    /// <summary>
    /// Facts for which nobody waits, or whose receivers may release who does, in equal portions at equal intervals, and how long these take to acknowledge.
    /// </summary>
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

    /// <summary>Facts that somebody waits for, in equal portions at equal intervals.</summary>
    /// <param name="durability">Its window and budget.</param>
    /// <param name="portions">How many portions.</param>
    /// <param name="facts">Facts in each.</param>
    /// <param name="intervalMs">Time between two.</param>
    /// <param name="transactions">Transactions.</param>
    /// <param name="longestMs">The longest that a fact waits for its transaction.</param>
    /// <param name="left">What is left of the budget when the last has begun; -1: there is none.</param>
    [Theory]
    // A lone publisher never waits, and what it takes comes in again meanwhile.
    [InlineData(StoreDurability.Balanced, 10, 1, 1000, 10, 0, 5999)]
    [InlineData(StoreDurability.Strict, 10, 1, 1000, 10, 0, -1)]
    [InlineData(StoreDurability.FlashSaver, 10, 1, 10_000, 10, 0, 149)]
    [InlineData(StoreDurability.FlashSaver, 10, 1, 1000, 10, 0, 144)]
    // Nor do bursts, which take a transaction each.
    [InlineData(StoreDurability.Balanced, 10, 64, 1000, 10, 0, 5999)]
    [InlineData(StoreDurability.Balanced, 10, 5000, 1000, 10, 0, 5999)]
    // A budget holds 6,000, and 20 a second come in: after 6.1 s the window is in force, with 20 transactions a second.
    [InlineData(StoreDurability.Balanced, 5000, 1, 1, 5000, 0, 1099)]
    [InlineData(StoreDurability.Balanced, 20_000, 1, 1, 6401, 50, 0)]
    [InlineData(StoreDurability.Balanced, 20_000, 5, 1, 6401, 50, 0)]
    // Where the window fills, it is not waited for: 39 times a second here.
    [InlineData(StoreDurability.Balanced, 20_000, 20, 1, 6656, 50, 0)]
    // Who publishes less often than the window ends never spends it.
    [InlineData(StoreDurability.Balanced, 10_000, 1, 55, 10_000, 0, 5999)]
    [InlineData(StoreDurability.FlashSaver, 10_000, 1, 1, 156, 2000, 0)]
    [InlineData(StoreDurability.Strict, 20_000, 1, 1, 20_000, 0, -1)]
    public void What_somebody_waits_for_is_committed_at_once_within_the_budget(
        StoreDurability durability, int portions, int facts, int intervalMs, int transactions, int longestMs, long left)
    {
        var run = new Run(durability);
        for (int i = 0; i < portions; i++)
        {
            for (int fact = 0; fact < facts; fact++) run.Add((long)i * intervalMs, Never, FactUrgency.Awaited);
        }

        run.ToEnd();
        Assert.Equal((transactions, portions * facts, longestMs, left), (run.Transactions, run.Written, run.LongestMs, run.Left ?? -1));
    }

    [Fact]
    public void A_quiet_time_fills_the_budget_and_never_beyond_its_measure()
    {
        var run = new Run(StoreDurability.Balanced);
        for (int i = 0; i < 10_000; i++) run.Add(i, Never, FactUrgency.Awaited);
        run.ToEnd();
        Assert.True(run.IsSpent);
        run.Rest(TimeSpan.FromSeconds(10));
        Assert.Equal((200, false), (run.Left!.Value, run.IsSpent));
        run.Rest(TimeSpan.FromMinutes(4.5));
        Assert.Equal(5600, run.Left);
        run.Rest(TimeSpan.FromDays(30));
        Assert.Equal(6000, run.Left);
    }

    /// <summary>Those who pause get what came in meanwhile at once: 20 of 100 ms each, then the window again.</summary>
    [Fact]
    public void A_spent_budget_gives_what_comes_in()
    {
        var run = new Run(StoreDurability.Balanced);
        for (int i = 0; i < 10_000; i++) run.Add(i, Never, FactUrgency.Awaited);
        run.ToEnd();
        int before = run.Commits.Count;
        long from = run.NowMs + 1000;
        for (int i = 0; i < 100; i++) run.Add(from + i, Never, FactUrgency.Awaited);
        run.ToEnd();
        List<(long AtMs, int Facts)> commits = run.Commits[before..];
        Assert.All(commits[..20], commit => Assert.Equal(1, commit.Facts));
        Assert.InRange(commits.Count, 21, 25);
    }

    [Fact]
    public void What_somebody_waits_for_takes_along_what_came_before_and_nothing_else()
    {
        var run = new Run(StoreDurability.Balanced);
        for (int i = 0; i < 10; i++) run.Add(0, Never);
        run.Add(0, Never, FactUrgency.Awaited);
        run.Add(0, Never);
        run.Add(1, 2);
        run.ToEnd();
        // The others wait for their window, in which the second was acknowledged.
        Assert.Equal([(0L, 11), (50L, 2)], run.Commits);
        Assert.Equal(12, run.Written);
    }

    /// <summary>
    /// A program that waits for what is stored, beside traffic that is acknowledged promptly: none of that is written for it once the budget is spent.
    /// </summary>
    [Fact]
    public void A_spent_budget_writes_as_the_window_does()
    {
        Run mixed = new(StoreDurability.Balanced), plain = new(StoreDurability.Balanced);
        for (int i = 0; i < 60_000; i++)
        {
            mixed.Add(i, 5);
            plain.Add(i, 5);
            mixed.Add(i, Never, FactUrgency.Awaited);
            plain.Add(i, Never);
        }

        mixed.ToEnd();
        plain.ToEnd();
        int mixedLate = mixed.Commits.Count(commit => commit.AtMs > 10_000), plainLate = plain.Commits.Count(commit => commit.AtMs > 10_000);
        Assert.InRange(mixedLate, plainLate * 0.99, plainLate * 1.01);
        Assert.InRange(mixed.WrittenAfter(10_000), 0, plain.WrittenAfter(10_000) * 1.01);
    }

    /// <summary>Whatever comes: in any time, no more early transactions than the budget had and got, and no more others than the window's ticks.</summary>
    [Fact]
    public void No_more_transactions_than_budget_and_window_allow()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            int perSecond = random.Next(1, 100);
            var options = new StorageOptions { CommitsPerSecond = perSecond };
            var run = new Run(CommitPolicy.Of(options));
            long at = 0;
            for (int i = 0; i < 20_000; i++, at += random.Next(20))
            {
                run.Add(at, random.Next(3) == 0 ? 5 : Never, random.Next(2) == 0 ? FactUrgency.Awaited : FactUrgency.None);
            }

            run.ToEnd();
            double seconds = at / 1000.0;
            double ticks = seconds * 2 / CommitPolicy.Of(options).Window.TotalSeconds;
            Assert.InRange(run.Transactions, 1, (perSecond * (300 + seconds)) + ticks + 2);
        }
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(10, 100)]
    [InlineData(20, 50)]
    [InlineData(200, 50)]
    public void A_small_budget_has_a_long_window(int perSecond, int windowMs)
    {
        CommitPolicy policy = CommitPolicy.Of(new StorageOptions { CommitsPerSecond = perSecond });
        Assert.Equal((windowMs, perSecond, perSecond * 300), (policy.Window.TotalMilliseconds, policy.Budget!.Amount, policy.Budget.Burst));
    }

    [Fact]
    public void A_subscription_takes_along_what_came_before_it()
    {
        var run = new Run(StoreDurability.FlashSaver);
        for (int i = 0; i < 10; i++) run.Add(i, Never);
        run.Add(10, Never, FactUrgency.Urgent);
        run.Add(11, Never);
        run.ToEnd();
        Assert.Equal((10L, 11), run.Commits[0]);
    }

    [Fact]
    public void A_subscription_waits_20_ms_at_most_even_when_the_budget_is_spent()
    {
        var run = new Run(StoreDurability.FlashSaver);
        for (int i = 0; i < 3000; i++) run.Add(i, Never, FactUrgency.Awaited);
        run.ToEnd();
        Assert.True(run.IsSpent);
        int before = run.Commits.Count;
        long from = run.NowMs + 1;
        for (int i = 0; i < 10; i++) run.Add(from + i, Never, FactUrgency.Awaited);
        run.Add(from + 10, Never, FactUrgency.Urgent);
        run.ToEnd();
        Assert.Equal([(from + 30, 11)], run.Commits[before..]);
    }

    /// <summary>Whatever comes and however it is acknowledged.</summary>
    [Fact]
    public void No_fact_waits_longer_than_the_window()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            StoreDurability durability = seed % 2 == 0 ? StoreDurability.Balanced : StoreDurability.FlashSaver;
            CommitPolicy policy = CommitPolicy.Of(new StorageOptions { Durability = durability });
            int windowMs = (int)policy.Window.TotalMilliseconds;
            // With a budget, without any, and with one that is spent soon.
            var run = new Run(policy with { Budget = (seed / 2 % 3) switch { 0 => policy.Budget, 1 => null, _ => policy.Budget! with { Burst = 2 } } });
            long at = 0;
            for (int phase = 0; phase < 10; phase++)
            {
                int most = random.Next(4) switch { 0 => 1, 1 => 3, 2 => 30, _ => 200 };
                int acknowledgedMs = random.Next(3) switch { 0 => Never, 1 => 2, _ => random.Next(windowMs * 2) };
                for (int i = 0; i < 50; i++, at += random.Next(3) == 0 ? random.Next(windowMs) : 1)
                {
                    for (int fact = random.Next(most); fact >= 0; fact--) run.Add(at, random.Next(10) == 0 ? Never : acknowledgedMs, UrgencyOf(random));
                }
            }

            run.ToEnd();
            // Facts that fill the window together, in one millisecond, begin theirs in the same.
            Assert.True(run.LongestMs <= windowMs, string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {run.LongestMs} ms"));
        }
    }

    private static FactUrgency UrgencyOf(Random random) =>
        random.Next(1000) switch { 0 => FactUrgency.Urgent, < 100 => FactUrgency.Awaited, _ => FactUrgency.None };

    /// <summary>The journal's thread with a disk that takes no time.</summary>
    private sealed class Run(CommitPolicy policy)
    {
        private readonly GroupCommitSchedule _schedule = new(policy, 1000);
        private readonly Queue<(long At, long AcknowledgedAt, FactUrgency Urgency)> _coming = new();
        private readonly List<(long At, long AcknowledgedAt)> _pending = [];
        private readonly List<(long AtMs, int Facts)> _written = [];

        public Run(StoreDurability durability)
            : this(CommitPolicy.Of(new StorageOptions { Durability = durability }))
        {
        }

        public long NowMs { get; private set; }

        public List<(long AtMs, int Facts)> Commits { get; } = [];

        public int Transactions => _written.Count;

        public int Written => WrittenAfter(-1);

        public int LongestMs { get; private set; }

        public long? Left => _schedule.Budget.Left(NowMs);

        public bool IsSpent => _schedule.Budget.IsSpent(NowMs);

        public int WrittenAfter(long ms) => _written.Where(one => one.AtMs > ms).Sum(one => one.Facts);

        public void Rest(TimeSpan time) => NowMs += (long)time.TotalMilliseconds;

        public void Add(long atMs, int acknowledgedMs, FactUrgency urgency = FactUrgency.None) => _coming.Enqueue((atMs, atMs + acknowledgedMs, urgency));

        public void ToEnd()
        {
            while (_coming.Count > 0 || _pending.Count > 0)
            {
                if (_pending.Count == 0) NowMs = Math.Max(NowMs, _coming.Peek().At);
                Take();
                CommitDecision next = _schedule.Next(_pending.Count, NowMs);
                switch (next.Action)
                {
                    case CommitAction.Commit: Commit(next.Facts); break;
                    case CommitAction.Coalesce: Coalesce(); break;
                    default: NowMs = Math.Min(next.Until, NextWake(next.Facts, next.Woken)); break;
                }
            }
        }

        /// <summary>When so many facts more have come, or one that is urgent enough.</summary>
        private long NextWake(int facts, FactUrgency? woken)
        {
            foreach ((long at, _, FactUrgency urgency) in _coming)
            {
                if (urgency >= woken || --facts == 0) return at;
            }

            return long.MaxValue;
        }

        private void Take()
        {
            while (_coming.TryPeek(out (long At, long AcknowledgedAt, FactUrgency Urgency) fact) && fact.At <= NowMs)
            {
                _coming.Dequeue();
                if (_pending.Count == 0) _schedule.Begin(NowMs);
                _pending.Add((fact.At, fact.AcknowledgedAt));
                if (fact.Urgency == FactUrgency.Urgent) _schedule.CommitSoon(_pending.Count, NowMs);
                else if (fact.Urgency == FactUrgency.Awaited) _schedule.Await(_pending.Count);
            }
        }

        private void Coalesce()
        {
            int mature = _pending.Take(_schedule.Mature).Count(fact => fact.AcknowledgedAt > NowMs);
            int awaited = _pending.Take(_schedule.Awaited).Count(fact => fact.AcknowledgedAt > NowMs);
            int removed = _pending.RemoveAll(fact => fact.AcknowledgedAt <= NowMs);
            int due = _schedule.Coalesced(removed, _pending.Count, mature, awaited, NowMs);
            if (due > 0) Commit(due);
        }

        private void Commit(int count)
        {
            List<(long At, long AcknowledgedAt)> facts = _pending.GetRange(0, count);
            _pending.RemoveRange(0, count);
            int written = facts.Count(fact => fact.AcknowledgedAt > NowMs);
            _schedule.Committed(count, count - written, written > 0, NowMs);
            LongestMs = Math.Max(LongestMs, (int)(NowMs - facts.Min(fact => fact.At)));
            Commits.Add((NowMs, count));
            if (written > 0) _written.Add((NowMs, written));
        }
    }
}
