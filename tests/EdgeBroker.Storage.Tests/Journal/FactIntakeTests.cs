using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>Facts come out as they went in, and wake who waits for them.</summary>
public sealed class FactIntakeTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly FactIntake _intake = new(long.MaxValue, reserveBytes: long.MaxValue, mostFacts: 512);

    public void Dispose() => _intake.Dispose();

    [Fact]
    public void Facts_of_one_thread_keep_their_order()
    {
        Fact[] facts = [.. Enumerable.Range(0, 100).Select(_ => new Fact())];
        foreach (Fact fact in facts) _intake.Append(fact);
        Assert.Equal(100, _intake.Appended);
        foreach (Fact fact in facts)
        {
            Assert.True(_intake.TryTake(out JournalFact? taken));
            Assert.Same(fact, taken);
        }

        Assert.False(_intake.TryTake(out _));
    }

    [Fact]
    public async Task So_many_facts_end_the_wait()
    {
        Task waiting = Task.Run(() => _intake.Wait(Long, 3, FactUrgency.Urgent));
        for (int i = 0; i < 3; i++) _intake.Append(new Fact());
        await waiting.WaitAsync(Deadline.Timeout);
    }

    [Fact]
    public async Task A_fact_that_is_urgent_enough_ends_the_wait_whenever_it_comes()
    {
        for (int round = 0; round < 200; round++)
        {
            Task waiting = Task.Run(() => _intake.Wait(Long, 1000, round % 2 == 0 ? FactUrgency.Awaited : FactUrgency.Urgent));
            _intake.Append(new Fact(FactUrgency.Urgent));
            await waiting.WaitAsync(Deadline.Timeout);
            Assert.True(_intake.TryTake(out _));
        }
    }

    [Theory]
    [InlineData(4 * 1024, 10)]
    [InlineData(8, 1_000_000)]
    public void Retained_values_fill_it_by_their_number_and_by_their_bytes_until_they_are_released(int most, int bytes)
    {
        var made = new TestJournal();
        var retained = new RetainedMessages(made, new MemoryLedger());
        var values = new List<JournalFact>();
        for (int i = 0; i <= most; i++)
        {
            Assert.False(_intake.IsFullOfValues);
            retained.Set(new Publication { Topic = "a"u8, Payload = new byte[bytes], Retain = true }, 0, out _);
            values.Add(made.Last!);
            _intake.Append(made.Last!);
        }

        Assert.Equal((true, false), (_intake.IsFullOfValues, _intake.IsFull));
        _intake.Release(values[0]);
        Assert.False(_intake.IsFullOfValues);
    }

    [Fact]
    public void Facts_that_were_not_taken_leave_no_time_to_wait()
    {
        _intake.Append(new Fact());
        _intake.Wait(Long, 1000, FactUrgency.Awaited);
    }

    [Fact]
    public async Task To_be_woken_ends_the_wait_or_the_next_one()
    {
        _intake.Wake();
        _intake.Wait(Long, 1000, FactUrgency.Awaited);
        Task pausing = Task.Run(() => _intake.Pause(Long));
        _intake.Append(new Fact(FactUrgency.Urgent));
        _intake.Wake();
        await pausing.WaitAsync(Deadline.Timeout);
    }

    [Fact]
    public void Who_appends_leaves_waking_to_the_end_of_its_iteration()
    {
        var loops = new KeptWork();
        _intake.UseLoops(loops);
        var waiting = new Thread(() => _intake.Wait(Long, 1, woken: null));
        waiting.Start();
        Assert.True(SpinWait.SpinUntil(() => waiting.ThreadState.HasFlag(ThreadState.WaitSleepJoin), Deadline.Timeout));
        _intake.Append(new Fact());
        _intake.Append(new Fact());
        Assert.True(waiting.IsAlive);
        Assert.Single(loops.Kept)();
        Assert.True(waiting.Join(Deadline.Timeout));
    }

    [Fact]
    public void Messages_that_wait_for_their_commit_fill_it()
    {
        PublishRecord[] records =
        [
            .. Enumerable.Range(0, 65).Select(
                _ => new PublishRecord(new Message { Topic = "t"u8.ToArray(), Payload = new byte[1024 * 1024], Properties = [] })),
        ];
        foreach (PublishRecord record in records) _intake.Append(record);
        Assert.True(_intake.IsFull);
        foreach (PublishRecord record in records) _intake.Release(record);
        Assert.False(_intake.IsFull);
    }

    private sealed class KeptWork : ILoopRequests
    {
        public List<Action> Kept { get; } = [];

        public void Begin()
        {
        }

        public void End()
        {
        }

        public void Defer(Action work) => Kept.Add(work);
    }

    private sealed class Fact(FactUrgency urgency = FactUrgency.None) : JournalFact
    {
        public override FactUrgency Urgency => urgency;
    }
}
