using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class SessionStoreTests
{
    private readonly TestJournal _journal = new();

    [Fact]
    public void A_delivery_is_part_of_its_publish_or_a_record_of_its_own()
    {
        SessionStore store = Open();
        var record = new PublishRecord(Message());
        QueuedMessage published = Queued(1, record.Message);
        store.Add(_journal, ref published, record, isAwaited: false);
        Assert.Same(record, published.Stored!.Record);
        Assert.Empty(_journal.Facts);
        QueuedMessage own = Queued(2, Message());
        store.Add(_journal, ref own, record: null, isAwaited: false);
        Assert.Equal(["Enqueue c t"], _journal.Facts);
        _journal.Commit();
        Assert.True(own.Stored!.IsDurable);
    }

    [Fact]
    public void What_is_done_before_it_was_written_completes_its_publisher_and_is_never_written()
    {
        SessionStore store = Open();
        var record = new PublishRecord(Message());
        QueuedMessage first = Queued(1, record.Message);
        QueuedMessage second = Queued(2, record.Message);
        store.Add(_journal, ref first, record, isAwaited: false);
        store.Add(_journal, ref second, record, isAwaited: false);
        record.Seal();
        store.Remove(_journal, first);
        Assert.Null(store.TakeCoalesced());
        store.Remove(_journal, second);
        PublishRecord? coalesced = store.TakeCoalesced();
        Assert.Same(record, coalesced);
        Assert.False(record.IsDone);
        new Deferred(coalesced, Rooms: null).Complete();
        Assert.True(record.IsDone);
        Assert.Null(store.TakeCoalesced());
        Assert.Empty(_journal.Facts);
    }

    [Fact]
    public void Several_records_complete_together()
    {
        SessionStore store = Open();
        var records = new List<PublishRecord>();
        for (int i = 1; i <= 3; i++)
        {
            var record = new PublishRecord(Message());
            QueuedMessage one = Queued(i, record.Message);
            store.Add(_journal, ref one, record, isAwaited: false);
            record.Seal();
            store.Remove(_journal, one);
            records.Add(record);
        }

        new Deferred(store.TakeCoalesced(), Rooms: null).Complete();
        Assert.All(records, record => Assert.True(record.IsDone));
        default(Deferred).Complete();
    }

    [Fact]
    public void What_is_done_after_it_was_written_is_said_to_the_journal_once()
    {
        SessionStore store = Open();
        QueuedMessage one = Queued(1, Message());
        store.Add(_journal, ref one, record: null, isAwaited: false);
        store.Remove(_journal, one);
        store.Remove(_journal, one);
        Assert.Equal(["Enqueue c t", "Dequeue c"], _journal.Facts);
        Assert.Null(store.TakeCoalesced());
        // What is in memory only is nothing to it.
        store.Remove(_journal, Queued(2, Message()));
        Assert.Equal(2, _journal.Facts.Count);
    }

    [Fact]
    public void Closing_gives_the_identity_up()
    {
        SessionStore store = Open();
        StoredSession? session = store.Session;
        Assert.NotNull(session);
        Assert.Same(session, store.Close());
        Assert.Null(store.Session);
        Assert.Null(store.Close());
    }

    private SessionStore Open()
    {
        var store = new SessionStore();
        store.Open(_journal.Open("c"), new Owner());
        return store;
    }

    private static Message Message() => new() { Topic = [(byte)'t'], Payload = [1] };

    private static QueuedMessage Queued(long position, Message? message) =>
        new() { Message = message, Position = position, QoS = QoS.AtLeastOnce, State = DeliveryState.Queued };

    private sealed class Owner : IStoredSessionOwner
    {
        public void OnCommitted()
        {
        }

        public void OnLoaded(IReadOnlyList<LoadedDelivery> deliveries)
        {
        }
    }
}
