using CsCheck;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class SendWindowTests
{
    private static readonly MemoryLedger Ledger = new();

    [Fact]
    public void Behaves_as_a_list_of_open_exchanges() => Steps.Of(12, 300).Sample(steps =>
    {
        var window = new SendWindow();
        var open = new List<Exchange>();
        int receiveMaximum = 0;
        foreach ((int op, int a, int b) in steps)
        {
            Exchange? one = open.Count == 0 ? null : open[a % open.Count];
            switch (op)
            {
                case 0:
                    receiveMaximum = 1 + (a % 4);
                    window.Attach(receiveMaximum, int.MaxValue);
                    open.ForEach(exchange => exchange.IsSeen = false);
                    break;
                case < 5:
                    // Dropped messages leave gaps in the order.
                    if (b % 5 == 0) window.NextPosition();
                    Assert.Equal(open.TrueForAll(exchange => exchange.IsSeen) && open.Count < receiveMaximum, window.HasRoom);
                    if (!window.HasRoom) break;
                    var begun = new Exchange(window.NextPosition(), b % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce) { IsSeen = true };
                    Assert.Equal(begun.Id, window.Begin(begun.ToMessage()));
                    if (b % 7 != 0) open.Add(begun);
                    else Assert.Equal(begun.Position, window.Drop(begun.Id).Position);
                    break;
                case < 8:
                    Exchange? next = open.Find(exchange => !exchange.IsSeen);
                    bool fits = next is not null && (next.IsReleased || open.Count(exchange => exchange.IsSeen) < receiveMaximum);
                    Assert.Equal(fits, window.TryNextResend(out ushort resent, out QueuedMessage message));
                    if (!fits) break;
                    Assert.Equal((next!.Id, next.IsReleased), (resent, message.State == DeliveryState.Released));
                    next.IsSeen = true;
                    break;
                case < 10:
                    if (one is null) Assert.Equal(AckOutcome.UnknownId, window.Acknowledge((ushort)(1 + a), out _));
                    else if (one.QoS == QoS.AtLeastOnce) End(one, window.Acknowledge(one.Id, out QueuedMessage acknowledged), acknowledged);
                    else Assert.Equal(AckOutcome.OutOfPlace, window.Acknowledge(one.Id, out _));
                    break;
                case 10:
                    if (one is null) break;
                    if (b % 4 == 0)
                    {
                        AckOutcome refused = window.Refuse(one.Id, out QueuedMessage done);
                        if (one.QoS == QoS.ExactlyOnce) End(one, refused, done);
                        else Assert.Equal(AckOutcome.OutOfPlace, refused);
                        break;
                    }

                    AckOutcome outcome = window.Release(one.Id, Ledger, out _, out DeliveryReleased? fact, out bool isReleased);
                    one.IsReleased = one.QoS == QoS.ExactlyOnce;
                    Assert.Equal((one.IsReleased ? AckOutcome.Done : AckOutcome.OutOfPlace, null, one.IsReleased), (outcome, fact, isReleased));
                    break;
                default:
                    if (one is null) break;
                    AckOutcome completed = window.Complete(one.Id, out QueuedMessage finished);
                    if (one.IsReleased) End(one, completed, finished);
                    else Assert.Equal(AckOutcome.OutOfPlace, completed);
                    break;
            }

            Assert.Equal(open.Count, window.Count);
            Assert.Equal(open.Exists(exchange => !exchange.IsSeen), window.HasResends);
            Assert.Equal(open.Select(exchange => exchange.Position), window.ToList().Select(exchange => exchange.Position));
        }

        void End(Exchange exchange, AckOutcome outcome, QueuedMessage done)
        {
            Assert.Equal((AckOutcome.Done, exchange.Position), (outcome, done.Position));
            open.Remove(exchange);
        }
    });

    [Fact]
    public void A_release_is_sent_when_it_is_on_disk_and_in_order()
    {
        var window = new SendWindow();
        window.Attach(5, int.MaxValue);
        ushort[] ids = [Begin(ref window), Begin(ref window), Begin(ref window)];
        var facts = new List<DeliveryReleased>();
        foreach (ushort id in ids)
        {
            Assert.Equal(AckOutcome.Done, window.Release(id, Ledger, out _, out DeliveryReleased? fact, out bool isReleased));
            Assert.False(isReleased);
            facts.Add(fact!);
        }

        // A repetition of PUBREC neither writes it again nor sends PUBREL too early.
        Assert.Equal(AckOutcome.Done, window.Release(ids[0], Ledger, out _, out DeliveryReleased? again, out bool early));
        Assert.True(again is null && !early);
        Assert.False(window.TryTakeReleased(out _));
        facts[1].Complete();
        Assert.False(window.TryTakeReleased(out _));
        facts[0].Complete();
        Assert.True(window.TryTakeReleased(out ushort first));
        Assert.True(window.TryTakeReleased(out ushort second));
        Assert.Equal((ids[0], ids[1]), (first, second));
        Assert.True(window.HasReleases);
        // The third is for the next connection, which sends it again in its turn.
        window.Attach(5, int.MaxValue);
        facts[2].Complete();
        Assert.False(window.TryTakeReleased(out _));
        Assert.False(window.HasReleases);
        foreach (ushort id in ids)
        {
            Assert.True(window.TryNextResend(out ushort resent, out QueuedMessage message));
            Assert.Equal((id, DeliveryState.Released), (resent, message.State));
        }
    }

    [Fact]
    public void Exchanges_only_to_be_released_may_exceed_the_receive_maximum_and_count()
    {
        var window = new SendWindow();
        window.Attach(3, int.MaxValue);
        for (ushort id = 1; id <= 3; id++)
        {
            Assert.Equal(id, window.Begin(new QueuedMessage { Position = window.NextPosition(), QoS = QoS.ExactlyOnce }));
            window.Release(id, Ledger, out _, out _, out _);
        }

        window.Attach(1, int.MaxValue);
        for (int i = 0; i < 3; i++) Assert.True(window.TryNextResend(out _, out _));
        for (ushort id = 1; id <= 3; id++)
        {
            Assert.False(window.HasQuota);
            Assert.Equal(AckOutcome.Done, window.Complete(id, out _));
        }

        Assert.True(window.HasRoom);
    }

    [Fact]
    public void What_was_restored_is_sent_again_before_anything_new()
    {
        var session = new Identity();
        var restored = new RestoredSession(session)
        {
            ExpirySeconds = 60,
            EndsAtMs = 0,
            WillAtMs = 0,
            SentPosition = 9,
            Will = null,
            UserName = null,
            QueuePolicy = null,
            LastPosition = 12,
        };
        restored.Released.Add(new StoredDelivery(session, 7, 70));
        restored.Released.Add(new StoredDelivery(session, 9, 90));
        var window = new SendWindow();
        window.Restore(restored);
        Assert.Equal((2, 9, 12), (window.Count, window.SentPosition, window.LastPosition));
        window.Attach(5, int.MaxValue);
        Assert.False(window.HasRoom);
        Assert.True(window.TryNextResend(out ushort first, out _));
        Assert.True(window.TryNextResend(out ushort second, out _));
        Assert.False(window.TryNextResend(out _, out _));
        Assert.Equal((7, 9), (first, second));
        // One that waited before them has its old identifier.
        Assert.True(window.HasRoomFor(8));
        Assert.Equal(8, window.Begin(new QueuedMessage { Position = 8, QoS = QoS.AtLeastOnce }));
        Assert.Equal(13, window.NextPosition());
    }

    private static ushort Begin(ref SendWindow window)
    {
        long position = window.NextPosition();
        var message = new Message { Topic = [1], Payload = [2] };
        StoredDelivery stored = new PublishRecord(message).Add(new Identity(), position, QoS.ExactlyOnce, false, null, null);
        return window.Begin(new QueuedMessage { Message = message, Position = position, QoS = QoS.ExactlyOnce, Stored = stored });
    }

    private sealed class Exchange(long position, QoS qos)
    {
        public long Position => position;

        public ushort Id => InflightWindow.IdOf(position);

        public QoS QoS => qos;

        public bool IsSeen { get; set; }

        public bool IsReleased { get; set; }

        public QueuedMessage ToMessage() => new() { Position = position, QoS = qos, State = DeliveryState.Queued };
    }

    private sealed class Identity() : StoredSession("c");
}
