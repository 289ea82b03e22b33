using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Forwarding;

/// <summary>
/// Takes what another node forwards: each position of a lane once, in its order, and says up to where they are safe. It outlives links. Only on the thread that
/// serves the cluster.
/// </summary>
/// <param name="broker">The broker.</param>
/// <param name="context">The thread's context.</param>
/// <param name="wake">Has the thread look again; any thread calls it.</param>
internal sealed class PeerInbox(Broker broker, RoutingContext context, Action wake)
{
    // What is held while the store takes nothing: a window of the other node's, and some.
    private const long MostHeldBytes = 16L * 1024 * 1024;

    private readonly Dictionary<PeerLaneId, Lane> _lanes = [];
    private long _heldBytes;

    /// <summary>Messages taken since the start.</summary>
    public long Taken { get; private set; }

    /// <summary>Messages that came again, since the start.</summary>
    public long Repeated { get; private set; }

    /// <summary>Messages held because the store takes nothing.</summary>
    public int Held => _lanes.Values.Sum(lane => lane.Held.Count);

    /// <summary>A link is up: the node names the lanes in which messages may come. Others are over.</summary>
    /// <param name="storeId">The node's store.</param>
    /// <param name="lanes">The lanes.</param>
    /// <param name="takenBefore">The position up to which an earlier life of this process has taken a lane's; 0: none.</param>
    public void Begin(Guid storeId, IReadOnlyList<PeerLaneId> lanes, Func<PeerLaneId, long> takenBefore)
    {
        foreach (PeerLaneId gone in _lanes.Keys.Except(lanes).ToList())
        {
            _heldBytes -= _lanes[gone].Held.Sum(held => held.Message.SizeBytes);
            _lanes.Remove(gone);
        }

        foreach (PeerLaneId id in lanes)
        {
            if (!_lanes.TryGetValue(id, out Lane? lane)) _lanes.Add(id, lane = new Lane(takenBefore(id)));
            lane.StoreId = storeId;
            // It may not have heard of it.
            lane.IsTold = false;
        }
    }

    /// <summary>Takes a message of a lane; false: there is no such lane, or the node sends more than it may.</summary>
    public bool Take(in ForwardedMessage message)
    {
        if (!_lanes.TryGetValue(new PeerLaneId(message.Life, message.Lane), out Lane? lane)) return false;
        if (message.Position <= lane.Taken)
        {
            Repeated++;
            lane.IsTold &= message.Position > lane.Safe;
            return true;
        }

        if (lane.Held.Count > 0 || !TryPublish(lane, message.Life, message.Lane, message.Position, message.Publication, message.Group))
        {
            if (_heldBytes > MostHeldBytes) return false;
            Message held = message.Publication.ToMessage(broker.Clock.NowMs);
            _heldBytes += held.SizeBytes;
            lane.Held.Enqueue(new HeldMessage(message.Life, message.Lane, message.Position, held, message.Group.ToArray()));
        }

        lane.Taken = message.Position;
        return true;
    }

    /// <summary>Takes a message that is sent once.</summary>
    public void TakeOnce(in Publication publication, ReadOnlySpan<byte> group)
    {
        Taken++;
        if (group.IsEmpty) broker.Publish(publication with { IsBrokersOwn = false }, context, context.Batch);
        else broker.PublishToGroup(publication, group, context);
    }

    /// <summary>Tries again what was held, and says how far each lane is that has come further.</summary>
    /// <param name="seen">Is told the lane, and the position up to which all its messages are safe.</param>
    public void Run(Action<PeerLaneId, long> seen)
    {
        foreach ((PeerLaneId id, Lane lane) in _lanes)
        {
            while (lane.Held.TryPeek(out HeldMessage? held))
            {
                Publication again = Publication.Of(held.Message, broker.Clock.NowMs) with { IsBrokersOwn = false };
                if (!TryPublish(lane, held.Life, held.Lane, held.Position, again, held.Group)) break;
                lane.Held.Dequeue();
                _heldBytes -= held.Message.SizeBytes;
            }

            Settle(lane);
            if (lane.IsTold) continue;
            lane.IsTold = true;
            if (lane.Safe > 0) seen(id, lane.Safe);
        }
    }

    private bool TryPublish(Lane lane, long life, byte number, long position, in Publication publication, ReadOnlySpan<byte> group)
    {
        context.Origin = new MessageOrigin(lane.StoreId, life, number, position);
        PublishOutcome outcome;
        try
        {
            outcome = group.IsEmpty ? broker.Publish(publication, context) : broker.PublishToGroup(publication, group, context);
        }
        catch (Exception exception)
        {
            // It would be one each time it came again.
            broker.ReportFault(exception, "taking a message of another node");
            outcome = new PublishOutcome(ReasonCode.UnspecifiedError, null);
        }
        finally
        {
            context.Origin = null;
        }

        if (outcome.IsHeld) return false;
        Taken++;
        lane.Unsafe.Enqueue((position, outcome.Completion));
        return true;
    }

    // In their order: what is told covers all before it.
    private void Settle(Lane lane)
    {
        while (lane.Unsafe.TryPeek(out (long Position, Completion? Completion) first))
        {
            if (first.Completion is { IsDone: false } completion)
            {
                if (ReferenceEquals(lane.Awaited, completion)) return;
                lane.Awaited = completion;
                completion.WhenDone(wake);
                return;
            }

            lane.Unsafe.Dequeue();
            lane.Safe = first.Position;
            lane.IsTold = false;
        }

        lane.Awaited = null;
    }

    /// <summary>A lane, as far as it has come.</summary>
    private sealed class Lane(long taken)
    {
        public Guid StoreId { get; set; }

        // The last position taken or held.
        public long Taken { get; set; } = taken;

        // The last position that is safe, with all before it.
        public long Safe { get; set; } = taken;

        public bool IsTold { get; set; }

        public Completion? Awaited { get; set; }

        public Queue<(long Position, Completion? Completion)> Unsafe { get; } = new();

        public Queue<HeldMessage> Held { get; } = new();
    }

    private sealed record HeldMessage(long Life, byte Lane, long Position, Message Message, byte[] Group);
}
