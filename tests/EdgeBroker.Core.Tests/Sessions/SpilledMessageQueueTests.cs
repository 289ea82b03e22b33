using CsCheck;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>A queue whose messages go to disk and come back, against a list that holds them all.</summary>
public sealed class SpilledMessageQueueTests
{
    [Fact]
    public void Order_and_content_are_the_same_wherever_the_messages_are() => Steps.Of(20, 500).Sample(Run, iter: 1_000);

    [Fact]
    public void What_was_let_go_while_nobody_was_there_is_asked_for_although_later_messages_are_in_memory()
    {
        var session = new Identity();
        var queue = new MessageQueue();
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

    private static void Run((int Op, int A, int B)[] steps)
    {
        var session = new Identity();
        var queue = new MessageQueue();
        var model = new List<Entry>();
        var asked = new Queue<SpilledDelivery>();
        long position = 0, nowMs = 0;
        foreach ((int op, int a, int b) in steps)
        {
            switch (op)
            {
                case < 8: model.Add(Enqueue(queue, session, ++position, a, b % 5 == 0 ? nowMs + b : Message.Never)); break;
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
        }

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
    }

    private static Entry Enqueue(MessageQueue queue, Identity session, long position, int a, long expiresAtMs)
    {
        var message = new Message { Topic = [(byte)position], Payload = new byte[a % 50], ExpiresAtMs = expiresAtMs };
        QoS qos = a % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce;
        uint[]? identifiers = a % 3 == 0 ? [(uint)a] : null;
        byte[]? shared = a % 5 == 0 ? [(byte)a] : null;
        StoredDelivery stored = new PublishRecord(message).Add(session, position, qos, a % 7 == 0, identifiers, shared);
        var queued = new QueuedMessage
        {
            Message = message,
            SizeBytes = message.SizeBytes,
            Position = position,
            Stored = stored,
            QoS = qos,
            Retain = a % 7 == 0,
            SubscriptionIdentifiers = identifiers,
            SharedFilter = shared,
            State = DeliveryState.Queued,
        };
        queue.Enqueue(queued);
        return new Entry(message, position, stored);
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
    }

    private static void TakeAnyhow(MessageQueue queue, List<Entry> model, Identity session)
    {
        QueuedMessage actual = queue.Dequeue(session);
        Assert.Equal((model[0].Position, model[0].Stored.QoS, model[0].Message.SizeBytes), (actual.Position, actual.QoS, actual.SizeBytes));
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
        public void Write()
        {
            if (Stored.TryWrite()) Stored.MessageId = Position;
            Stored.NoteDurable();
        }
    }

    private sealed class Identity() : StoredSession("c");
}
