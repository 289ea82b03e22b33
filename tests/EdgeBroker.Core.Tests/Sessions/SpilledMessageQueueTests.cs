using CsCheck;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>A queue whose messages go to disk and come back, against a list that holds them all.</summary>
public sealed class SpilledMessageQueueTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Order_and_content_are_the_same_wherever_the_messages_are(bool latestOnly) =>
        Steps.Of(20, 500).Sample(steps => Run(steps, latestOnly), iter: 1_000);

    [Fact]
    public void A_queue_of_before_the_start_keeps_the_latest_of_each_topic_as_soon_as_it_has_read_them()
    {
        const int count = 1_000, topics = 37;
        var session = new Identity();
        var spilled = new SpilledQueue();
        var model = new List<Entry>();
        for (int position = 1; position <= count; position++)
        {
            Entry one = EntryOf(session, position, 1, Message.Never, (byte)(position % topics));
            one.Write();
            model.Add(one);
            spilled.Enqueue(new SpilledDelivery(position, position, one.Message.SizeBytes, Message.Never, DeliveryOptions.ExactlyOnce));
        }

        var queue = new MessageQueue(session.Ledger, spilled, model.Sum(one => one.Message.SizeBytes));
        queue.KeepLatest(true);
        int slices = 0;
        while (queue.TakeUnread(64) is { } slice)
        {
            // Not before those asked for are here.
            Assert.Null(queue.TakeUnread(64));
            queue.Fill([.. slice.Select(one => new LoadedDelivery(one.Position, model.Single(other => other.Position == one.Position).Message, null, null))]);
            if (++slices % 5 != 0) continue;
            // One that comes meanwhile is the latest of its topic, whatever is read after it.
            queue.Supersede([(byte)slices]);
            model.Add(Enqueue(queue, session, count + slices, 1, Message.Never, (byte)slices));
        }

        Assert.Equal((count + 63) / 64, slices);
        var left = model.GroupBy(one => one.Message.Topic[0]).Select(group => group.Last().Position).ToHashSet();
        Assert.Equal(left.Count, queue.Count);
        List<QueuedMessage> superseded = queue.TakeSuperseded(session, all: true)!;
        Assert.Equal(model.Count, superseded.Count + left.Count);
        Assert.DoesNotContain(superseded, one => left.Contains(one.Position));
        while (queue.Count > 0) Assert.True(left.Remove(queue.Dequeue(session).Position));
    }

    [Fact]
    public void Superseding_costs_the_same_however_long_the_queue()
    {
        // 100,000 topics, each twice: were a search or a shift needed for one, this would take minutes.
        const int topics = 100_000;
        var session = new Identity();
        var queue = new MessageQueue(session.Ledger);
        queue.KeepLatest(true);
        long position = 0;
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < topics; i++)
            {
                byte[] topic = BitConverter.GetBytes(i * 7_919 % topics);
                Assert.Equal(round > 0, queue.Supersede(topic));
                var message = new Message { Topic = topic, Payload = [] };
                StoredDelivery stored = new PublishRecord(message).Add(session, ++position, QoS.AtLeastOnce, false, null, null);
                queue.Enqueue(new QueuedMessage { Message = message, SizeBytes = 4, Position = position, Stored = stored, State = DeliveryState.Queued });
                stored.TryWrite();
                stored.RecordDurable();
                if (i % 1_000 == 0) queue.Spill();
            }
        }

        Assert.Equal((topics, 4L * topics), (queue.Count, queue.SizeBytes));
        Assert.Equal(topics, queue.TakeSuperseded(session, all: true)!.Select(one => one.Position).Distinct().Count());
        for (int i = 0; i < topics; i++) Assert.Equal(topics + i + 1, queue.Dequeue(session).Position);
    }

    [Fact]
    public void What_was_let_go_while_nobody_was_there_is_asked_for_although_later_messages_are_in_memory()
    {
        var session = new Identity();
        var queue = new MessageQueue(session.Ledger);
        var model = new List<Entry>();
        var asked = new Queue<SpilledDelivery>();
        for (int position = 1; position <= 300; position++) model.Add(Enqueue(queue, session, position, 1, Message.Never));
        foreach (Entry one in model) one.Write();
        queue.Spill();
        queue.Unload();
        Ask(queue, session, asked, 256);
        Load(queue, model, asked, 64);
        // The first portion came to a session without a connection, the others to one with a new connection.
        queue.Unload();
        Load(queue, model, asked, 256);
        Assert.Empty(asked);
        Assert.False(queue.IsReadingOrAhead(128));
        Ask(queue, session, asked, 256);
        Assert.True(queue.IsReadingOrAhead(128));
        Load(queue, model, asked, 256);
        Assert.True(queue.IsReadingOrAhead(128));
        while (queue.IsHeadLoaded) Take(queue, model, session);
        Assert.Equal(300 - 256, model.Count);
    }

    [Fact]
    public void What_is_asked_for_after_what_stands_behind_it_is_filled_with_it()
    {
        var session = new Identity();
        var queue = new MessageQueue(session.Ledger);
        var model = new List<Entry>();
        var asked = new Queue<SpilledDelivery>();
        for (int position = 1; position <= 300; position++) model.Add(Enqueue(queue, session, position, 1, Message.Never));
        foreach (Entry one in model) one.Write();
        queue.Spill();
        Ask(queue, session, asked, 256);
        Load(queue, model, asked, 64);
        // Let go while the others are on their way, and asked for behind them.
        queue.Unload();
        Ask(queue, session, asked, 80);
        Load(queue, model, asked, 256);
        Assert.Empty(asked);
        while (queue.IsHeadLoaded) Take(queue, model, session);
        Assert.Equal(300 - 256, model.Count);
    }

    [Fact]
    public void What_the_disk_has_lost_is_not_asked_for_again()
    {
        var session = new Identity();
        var queue = new MessageQueue(session.Ledger);
        for (int position = 1; position <= 40; position++) Enqueue(queue, session, position, 1, Message.Never).Write();
        queue.Spill();
        List<SpilledDelivery> wanted = queue.TakeUnloaded(40, session);
        Assert.NotEmpty(wanted);
        queue.Fill([.. wanted.Select(one => new LoadedDelivery(one.Position, null, null, null))]);
        Assert.Empty(queue.TakeUnloaded(40, session));
        Assert.False(queue.IsReading);
    }

    private static void Run((int Op, int A, int B)[] steps, bool latestOnly)
    {
        var session = new Identity();
        var queue = new MessageQueue(session.Ledger);
        var superseded = new List<long>();
        queue.KeepLatest(latestOnly);
        var model = new List<Entry>();
        var asked = new Queue<SpilledDelivery>();
        long position = 0, nowMs = 0;
        foreach ((int op, int a, int b) in steps)
        {
            switch (op)
            {
                case < 8:
                    // In places topics that come again, in places new ones.
                    byte topic = latestOnly ? (byte)(a % 3 == 0 ? position : b % 20) : (byte)position;
                    if (Supersede(queue, model, topic) is { } old) superseded.Add(old);
                    model.Add(Enqueue(queue, session, ++position, a, b % 5 == 0 ? nowMs + b : Message.Never, topic));
                    break;
                case < 10:
                    foreach (Entry one in model.Take(1 + (a % (model.Count + 1)))) one.Write();
                    queue.Spill();
                    break;
                case 10: queue.Unload(); break;
                case < 13:
                    if (!queue.IsReadingOrAhead(1 + (a % 40))) Ask(queue, session, asked, 1 + (b % 80));
                    break;
                case < 15: Load(queue, model, asked, 1 + (a % 64)); break;
                case < 18:
                    for (int i = a % 20; i > 0 && queue.IsHeadLoaded; i--) Take(queue, model, session);
                    break;
                case 18:
                    // What a full queue drops may be anywhere.
                    if (model.Count > 0) TakeAnyhow(queue, model, session);
                    break;
                default:
                    nowMs += b / 4;
                    Expire(queue, model, nowMs);
                    break;
            }

            Assert.Equal((model.Count, model.Sum(one => (long)one.Message.SizeBytes)), (queue.Count, queue.SizeBytes));
            if (model.Count > 0) Assert.Equal(model[0].QueuedAtSeconds, queue.OldestQueuedAtSeconds);
            if (op == 17) TakeSuperseded(all: false);
        }

        queue.Account(isOver: false, isStored: false);
        Assert.True(session.Ledger.Bytes(MemoryKind.Queues) > 0);

        TakeSuperseded(all: true);
        Assert.Empty(superseded);
        while (model.Count > 0)
        {
            if (queue.IsHeadLoaded)
            {
                Take(queue, model, session);
                continue;
            }

            // Nothing is on its way, so it must not say so: a session that waits for nothing waits for ever.
            if (asked.Count == 0) Assert.False(queue.IsReadingOrAhead(128));
            if (asked.Count == 0) Ask(queue, session, asked, 256);
            Assert.NotEmpty(asked);
            Load(queue, model, asked, 64);
        }

        Assert.False(queue.IsHeadLoaded);
        // What was let go was released, what was read back accounted anew.
        queue.Account(isOver: true, isStored: false);
        Assert.Equal(0, session.Ledger.TotalBytes);

        void TakeSuperseded(bool all)
        {
            foreach (QueuedMessage one in queue.TakeSuperseded(session, all) ?? [])
            {
                Assert.True(superseded.Remove(one.Position));
                one.Message?.Release(session.Ledger);
                Assert.Equal(one.Position, one.Stored!.Position);
                if (one.Stored.IsDurable) Assert.Equal(one.Position, one.Stored.MessageId);
            }
        }
    }

    /// <summary>Takes the message of the topic out of both; null: there was none. Returns its position.</summary>
    private static long? Supersede(MessageQueue queue, List<Entry> model, byte topic)
    {
        bool isThere = queue.Supersede([topic]);
        if (!isThere) return null;
        Entry old = model.FindLast(one => one.Message.Topic[0] == topic)!;
        model.Remove(old);
        return old.Position;
    }

    private static Entry Enqueue(MessageQueue queue, Identity session, long position, int a, long expiresAtMs, byte? topic = null)
    {
        Entry entry = EntryOf(session, position, a, expiresAtMs, topic ?? (byte)position);
        entry.Message.Hold(session.Ledger, MemoryKind.Queues);
        queue.Enqueue(new QueuedMessage
        {
            Message = entry.Message,
            SizeBytes = entry.Message.SizeBytes,
            Position = position,
            QueuedAtSeconds = entry.QueuedAtSeconds,
            Stored = entry.Stored,
            QoS = entry.Stored.QoS,
            Retain = entry.Stored.Retain,
            SubscriptionIdentifiers = entry.Stored.SubscriptionIdentifiers,
            SharedFilter = entry.Stored.SharedFilter,
            State = DeliveryState.Queued,
        });
        return entry;
    }

    private static Entry EntryOf(Identity session, long position, int a, long expiresAtMs, byte topic)
    {
        var message = new Message { Topic = [topic], Payload = new byte[a % 50], ExpiresAtMs = expiresAtMs };
        var qos = (QoS)(a % 3);
        uint[]? identifiers = a % 3 == 0 ? [(uint)a] : null;
        byte[]? shared = a % 5 == 0 ? [(byte)a] : null;
        StoredDelivery stored = new PublishRecord(message).Add(session, position, qos, a % 7 == 0, identifiers, shared);
        return new Entry(message, position, stored) { QueuedAtSeconds = (int)(position / 3) - 10 };
    }

    private static void Ask(MessageQueue queue, Identity session, Queue<SpilledDelivery> asked, int upTo)
    {
        foreach (SpilledDelivery one in queue.TakeUnloaded(upTo, session)) asked.Enqueue(one);
    }

    /// <summary>The disk answers in the order it was asked, also for what has been dropped meanwhile.</summary>
    private static void Load(MessageQueue queue, List<Entry> model, Queue<SpilledDelivery> asked, int atMost)
    {
        var loaded = new List<LoadedDelivery>();
        while (loaded.Count < atMost && asked.TryDequeue(out SpilledDelivery one))
        {
            Entry? entry = model.Find(other => other.Position == one.Position);
            if (entry is not null)
            {
                Assert.Equal(entry.Stored.SubscriptionIdentifiers is not null, one.Options.HasFlag(DeliveryOptions.HasIdentifiers));
                Assert.Equal(entry.Stored.SharedFilter is not null, one.Options.HasFlag(DeliveryOptions.IsShared));
            }

            loaded.Add(new LoadedDelivery(one.Position, entry?.Message, entry?.Stored.SubscriptionIdentifiers, entry?.Stored.SharedFilter));
        }

        queue.Fill(loaded);
    }

    private static void Take(MessageQueue queue, List<Entry> model, Identity session)
    {
        Entry expected = model[0];
        Assert.Same(expected.Message, queue.Peek().Message);
        QueuedMessage actual = queue.Dequeue(session);
        model.RemoveAt(0);
        Assert.Same(expected.Message, actual.Message);
        Assert.Equal((expected.Position, expected.Stored.QoS, expected.Stored.Retain, false), (actual.Position, actual.QoS, actual.Retain, actual.IsLost));
        Assert.Equal(expected.Stored.SubscriptionIdentifiers, actual.SubscriptionIdentifiers);
        Assert.Equal(expected.Stored.SharedFilter, actual.SharedFilter);
        Assert.Equal(expected.Position, actual.Stored!.Position);
        actual.Message!.Release(session.Ledger);
    }

    private static void TakeAnyhow(MessageQueue queue, List<Entry> model, Identity session)
    {
        QueuedMessage actual = queue.Dequeue(session);
        Assert.Equal((model[0].Position, model[0].Stored.QoS, model[0].Message.SizeBytes), (actual.Position, actual.QoS, actual.SizeBytes));
        actual.Message?.Release(session.Ledger);
        model.RemoveAt(0);
    }

    private static void Expire(MessageQueue queue, List<Entry> model, long nowMs)
    {
        foreach (SpilledDelivery one in queue.TakeExpired(nowMs))
        {
            Entry entry = model.Single(other => other.Position == one.Position);
            Assert.True(entry.Message.IsExpired(nowMs) && entry.Stored.IsDurable);
            model.Remove(entry);
        }
    }

    private sealed record Entry(Message Message, long Position, StoredDelivery Stored)
    {
        public int QueuedAtSeconds { get; init; }

        public void Write()
        {
            if (Stored.TryWrite()) Stored.MessageId = Position;
            Stored.RecordDurable();
        }
    }

    private sealed class Identity() : StoredSession("c")
    {
        public MemoryLedger Ledger { get; } = new();
    }
}
