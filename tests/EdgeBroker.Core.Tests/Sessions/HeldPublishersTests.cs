using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class HeldPublishersTests
{
    private HeldPublishers _held;

    [Fact]
    public void They_go_on_in_their_turn_as_messages_before_theirs_leave()
    {
        QueueRoom[] rooms = [_held.Add(10), _held.Add(10), _held.Add(10)];
        // Four messages before them, two may wait.
        for (int messages = 7; messages > 5; messages--) Assert.Null(Release(messages, 2, 1_000));
        Assert.Null(Release(5, 2, 1_000));
        Assert.Same(rooms[0], Release(4, 2, 1_000));
        Assert.Equal(2, _held.Count);
        QueueRoom? both = Release(2, 2, 1_000);
        Assert.Equal([rooms[1], rooms[2]], [both, both?.Next]);
        Assert.All(rooms, room => Assert.False(room.IsDone));
        QueueRoom.Complete(both);
        Assert.Equal([false, true, true], rooms.Select(room => room.IsDone));
        Assert.Equal(0, _held.Count);
    }

    [Fact]
    public void Bytes_hold_as_messages_do()
    {
        QueueRoom room = _held.Add(10);
        Assert.Null(_held.Release(3, 90, 100, 89));
        Assert.Same(room, _held.Release(3, 90, 100, 90));
    }

    [Fact]
    public void The_oldest_message_of_a_queue_holds_nobody_however_large_it_is()
    {
        QueueRoom room = _held.Add(1_000);
        Assert.Null(_held.Release(2, 1_001, 100, 10));
        Assert.Same(room, _held.Release(1, 1_000, 100, 10));
    }

    [Fact]
    public void All_are_let_go_at_once_when_nobody_is_to_be_held()
    {
        Assert.Null(_held.ReleaseAll());
        for (int i = 0; i < 5; i++) _held.Add(int.MaxValue);
        int count = 0;
        for (QueueRoom? one = _held.ReleaseAll(); one is not null; one = one.Next) count++;
        Assert.Equal((5, 0), (count, _held.Count));
    }

    // Ten bytes a message.
    private QueueRoom? Release(int messages, int maxMessages, long maxBytes) => _held.Release(messages, messages * 10, maxMessages, maxBytes);
}
