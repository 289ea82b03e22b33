using EdgeBroker.Core.Journaling;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Journaling;

/// <summary>What acknowledgements wait for, alone and together.</summary>
public sealed class CompletionTests
{
    [Fact]
    public void It_calls_back_once_whether_done_before_or_after()
    {
        var answer = new Answer();
        int called = 0;
        answer.WhenDone(() => called++);
        Assert.False(answer.IsDone);
        answer.Complete();
        answer.Complete();
        Assert.True(answer.IsDone);
        Assert.Equal(1, called);
        answer.WhenDone(() => called++);
        Assert.Equal(2, called);
    }

    [Fact]
    public void Nothing_to_wait_for_changes_nothing()
    {
        var answer = new Answer();
        Assert.Null(Completion.Both(null, null));
        Assert.Same(answer, Completion.Both(answer, null));
        Assert.Same(answer, Completion.Both(null, answer));
        Assert.Same(answer, Completion.Both(answer, answer));
        Assert.Same(answer, Completion.Both(Done(), answer));
        Assert.Same(answer, Completion.Both(answer, Done()));
        Assert.True(Completion.Both(Done(), Done())!.IsDone);
    }

    [Fact]
    public void Of_two_facts_the_later_answers_for_both()
    {
        JournalFact earlier = new Fact();
        JournalFact later = new Fact();
        Assert.Same(later, Completion.Both(earlier, later));
    }

    [Fact]
    public void A_record_that_acknowledgements_may_complete_early_does_not_answer_for_what_came_before()
    {
        JournalFact earlier = new Fact();
        var record = new PublishRecord(null);
        Completion both = Completion.Both(earlier, record)!;
        record.Seal();
        Assert.True(record.IsDone);
        Assert.False(both.IsDone);
        earlier.Complete();
        Assert.True(both.IsDone);
        var certain = new PublishRecord(null);
        certain.RequireCommit();
        Assert.Same(certain, Completion.Both(new Fact(), certain));
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(2, 1, 0)]
    [InlineData(1, 2, 0)]
    public void All_of_several_are_done_with_the_last_of_them_in_whatever_order(params int[] order)
    {
        Completion[] parts = [new Fact(), new Answer(), new Answer()];
        Completion all = Completion.Both(Completion.Both(parts[0], parts[1]), parts[2])!;
        int called = 0;
        all.WhenDone(() => called++);
        foreach (int part in order)
        {
            Assert.False(all.IsDone);
            Assert.Equal(0, called);
            parts[part].Complete();
        }

        Assert.True(all.IsDone);
        Assert.Equal(1, called);
    }

    [Fact]
    public void What_is_joined_keeps_its_own_meaning()
    {
        var first = new Answer();
        var second = new Answer();
        Completion two = Completion.Both(first, second)!;
        Completion three = Completion.Both(two, new Answer())!;
        first.Complete();
        second.Complete();
        Assert.True(two.IsDone);
        Assert.False(three.IsDone);
    }

    [Fact]
    public void A_long_chain_waits_for_the_last_fact_and_every_answer()
    {
        const int Length = 20_000;
        Completion? all = null;
        var answer = new Answer();
        JournalFact last = new Fact();
        for (int i = 0; i < Length; i++)
        {
            all = Completion.Both(all, answer);
            all = Completion.Both(all, last = new Fact());
        }

        answer.Complete();
        Assert.False(all!.IsDone);
        last.Complete();
        Assert.True(all.IsDone);
    }

    [Fact]
    public void Two_facts_allocate_nothing()
    {
        JournalFact earlier = new Fact();
        JournalFact later = new Fact();
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1000; i++) Completion.Both(Completion.Both(null, earlier), later);
        }));
    }

    [Fact]
    public void Completions_from_several_threads_call_back_once()
    {
        for (int round = 0; round < 200; round++)
        {
            Answer[] parts = [new(), new(), new(), new()];
            Completion all = parts.Aggregate((Completion?)null, Completion.Both)!;
            int called = 0;
            Parallel.Invoke([.. parts.Select(part => (Action)part.Complete), () => all.WhenDone(() => Interlocked.Increment(ref called))]);
            Assert.True(all.IsDone);
            Assert.Equal(1, called);
        }
    }

    private static Answer Done()
    {
        var done = new Answer();
        done.Complete();
        return done;
    }

    private sealed class Fact : JournalFact;

    private sealed class Answer : Completion;
}
