using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class ExactlyOnceReceiverTests
{
    [Fact]
    public void An_identifier_is_open_from_publish_to_pubrel()
    {
        var received = new ExactlyOnceReceiver();
        Assert.Equal(AckOutcome.Done, received.TryBegin(7, isDup: false, limit: 2, out _));
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(7, isDup: true, limit: 2, out _));
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(7, isDup: false, limit: 2, out _));
        Assert.Equal((1, true, false), (received.Count, received.Contains(7), received.Contains(8)));
        Assert.True(received.Complete(7));
        Assert.False(received.Complete(7));
        Assert.Equal(AckOutcome.Done, received.TryBegin(7, isDup: true, limit: 2, out _));
    }

    [Fact]
    public void More_than_the_limit_are_not_begun_and_repetitions_are_no_more()
    {
        var received = new ExactlyOnceReceiver();
        received.TryBegin(1, isDup: false, limit: 1, out _);
        Assert.Equal(AckOutcome.TooMany, received.TryBegin(2, isDup: false, limit: 1, out _));
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(1, isDup: true, limit: 1, out _));
        received.Cancel(1);
        Assert.Equal(AckOutcome.Done, received.TryBegin(2, isDup: false, limit: 1, out _));
    }

    [Fact]
    public void The_answer_to_a_repetition_waits_for_what_its_original_waited_for()
    {
        var received = new ExactlyOnceReceiver();
        received.TryBegin(1, isDup: false, limit: 9, out Completion? none);
        Assert.Null(none);
        var record = new PublishRecord(null);
        received.Store(record);
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(1, isDup: true, limit: 9, out Completion? stored));
        Assert.Same(record, stored);
    }

    [Fact]
    public void An_identifier_of_an_earlier_connection_is_new_when_the_client_does_not_call_it_a_repetition()
    {
        var received = new ExactlyOnceReceiver();
        received.Restore([3, 4]);
        received.Attach(new MemoryLedger());
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(3, isDup: true, limit: 9, out _));
        // The release of the first was lost: once.
        Assert.Equal(AckOutcome.Done, received.TryBegin(3, isDup: false, limit: 9, out _));
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(3, isDup: false, limit: 9, out _));
        Assert.True(received.Complete(4));
        Assert.Equal(AckOutcome.Done, received.TryBegin(4, isDup: false, limit: 9, out _));
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(4, isDup: false, limit: 9, out _));
        Assert.Equal(2, received.Count);
        // On the connection after this one both are of an earlier one.
        received.Attach(new MemoryLedger());
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(4, isDup: true, limit: 9, out _));
        Assert.Equal(AckOutcome.Done, received.TryBegin(4, isDup: false, limit: 9, out _));
        Assert.Equal(AckOutcome.Repeated, received.TryBegin(4, isDup: false, limit: 9, out _));
    }

    [Fact]
    public void Idle_ones_share_what_they_do_not_need()
    {
        var received = new ExactlyOnceReceiver();
        received.Cancel(1);
        Assert.False(received.Complete(1));
        received.TryBegin(1, isDup: false, limit: 9, out _);
        Assert.Equal(0, new ExactlyOnceReceiver().Count);
    }
}
