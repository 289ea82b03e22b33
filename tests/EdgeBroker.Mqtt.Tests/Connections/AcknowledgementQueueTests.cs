using EdgeBroker.Core.Journaling;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Tests.Connections;

/// <summary>The order in which acknowledgements go out, and how many publishes a client may have open; without a connection.</summary>
public sealed class AcknowledgementQueueTests
{
    private AcknowledgementQueue _acks;

    [Fact]
    public void What_waits_for_nothing_goes_at_once_until_something_waits()
    {
        var disk = new Fact();
        Assert.False(_acks.MustWait(null));
        Assert.True(_acks.MustWait(disk));
        Assert.True(_acks.Add(Puback(1, disk)));
        Assert.True(_acks.MustWait(null));
        Assert.False(_acks.Add(Puback(2, null)));
        Assert.False(_acks.TryTake(out _));
        disk.Complete();
        Assert.Equal([1, 2], TakeAll());
        Assert.False(_acks.MustWait(null));
    }

    [Fact]
    public void One_that_is_ready_early_stays_behind_those_before_it()
    {
        Fact first = new(), second = new(), third = new();
        Assert.True(_acks.Add(Puback(1, first)));
        Assert.False(_acks.Add(Puback(2, second)));
        Assert.False(_acks.Add(Puback(3, third)));
        third.Complete();
        Assert.Empty(TakeAll());
        first.Complete();
        Assert.Equal([1], TakeAll());
        Assert.True(_acks.TryPeek(out PendingAck next));
        Assert.Equal(2, next.PacketId);
        second.Complete();
        Assert.Equal([2, 3], TakeAll());
        Assert.False(_acks.TryPeek(out _));
    }

    [Fact]
    public void Publishes_are_open_until_their_acknowledgement_has_gone()
    {
        _acks.Begin(receiveMaximum: 3, inheritedReceives: 0);
        var disk = new Fact();
        _acks.Add(Puback(1, disk));
        _acks.Add(new PendingAck(disk, PacketType.Pubrec, 2, ReasonCode.Success));
        Assert.Equal(2, _acks.ExactlyOnceLimit);
        Assert.True(_acks.MayReceive(openExactlyOnce: 1));
        Assert.False(_acks.MayReceive(openExactlyOnce: 2));
        disk.Complete();
        TakeAll();
        Assert.True(_acks.MayReceive(openExactlyOnce: 2));
        Assert.False(_acks.MayReceive(openExactlyOnce: 3));
    }

    [Fact]
    public void What_an_earlier_connection_began_is_not_on_this_ones_account_until_it_is_done()
    {
        _acks.Begin(receiveMaximum: 2, inheritedReceives: 3);
        Assert.True(_acks.MayReceive(openExactlyOnce: 4));
        Assert.False(_acks.MayReceive(openExactlyOnce: 5));
        _acks.NoteReleased(openExactlyOnce: 4);
        Assert.Equal(5, _acks.ExactlyOnceLimit);
        _acks.NoteReleased(openExactlyOnce: 1);
        Assert.Equal(3, _acks.ExactlyOnceLimit);
        _acks.NoteReleased(openExactlyOnce: 2);
        Assert.Equal(3, _acks.ExactlyOnceLimit);
    }

    [Fact]
    public void It_is_full_with_4096()
    {
        var disk = new Fact();
        for (int i = 1; i < AcknowledgementQueue.MaxPending; i++) _acks.Add(Puback(i, disk));
        Assert.False(_acks.IsFull);
        _acks.Add(Puback(AcknowledgementQueue.MaxPending, disk));
        Assert.True(_acks.IsFull);
        disk.Complete();
        Assert.True(_acks.TryTake(out _));
        Assert.False(_acks.IsFull);
    }

    private static PendingAck Puback(int packetId, Fact? fact) => new(fact, PacketType.Puback, (ushort)packetId, ReasonCode.Success);

    private List<int> TakeAll()
    {
        List<int> taken = [];
        while (_acks.TryTake(out PendingAck ack)) taken.Add(ack.PacketId);
        return taken;
    }

    private sealed class Fact : JournalFact;
}
