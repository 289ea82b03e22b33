using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// Other nodes: what goes to them and comes from them.
public sealed partial class Broker
{
    private const string StampsAreUsedUp = "the clock of the cluster cannot be kept on disk";
    private const int PeerWindow = 16_000;
    private const int PeerWindowBytes = 4 * 1024 * 1024;

    private readonly List<RestoredSession> _restoredPeers = [];
    private SessionEnvironment? _peerEnvironment;

    /// <summary>Where retained messages get their stamps; null: in a broker that is alone they have none. Set before the first connection.</summary>
    public IStampSource? Stamps { get; set; }

    /// <summary>Makes what the thread needs that publishes what other nodes send.</summary>
    public RoutingContext CreatePeerContext() => _contexts.Create(new MessageBatch(), isOfPeer: true);

    /// <summary>Opens the way to another node, with what the store has kept for it. Once a node, before the first connection.</summary>
    /// <param name="node">Its number.</param>
    /// <param name="life">Names this life of the process among all: 64 random bits.</param>
    /// <param name="maxQueuedBytes">Bytes of messages that wait for it at most; beyond, the oldest go.</param>
    public PeerOutbox OpenPeer(int node, long life, long maxQueuedBytes)
    {
        MqttOptions options = Options with { ReceiveMaximum = PeerWindow, MaxOutboundBytes = PeerWindowBytes };
        _peerEnvironment ??= new SessionEnvironment(options, Clock, Journal, Limits.Ledger, Events) { StoreUsers = StoreUsers, Loops = Loops };
        string prefix = PeerOutbox.PrefixOf(node);
        List<RestoredSession> own = _restoredPeers.FindAll(one => one.Stored.ClientId.StartsWith(prefix, StringComparison.Ordinal));
        _restoredPeers.RemoveAll(own.Contains);
        return new PeerOutbox(this, node, life, maxQueuedBytes, _peerEnvironment, own);
    }

    /// <summary>Takes a retained value, or its tombstone, that another node has, if it is newer than what is here. Nobody is sent it.</summary>
    /// <param name="message">The value, with its stamp.</param>
    /// <returns>Whether it was newer.</returns>
    public bool MergeRetained(Message message)
    {
        Publication publication = Publication.Of(message, Clock.NowMs);
        if (Retained.StampOf(message.Topic).Value >= message.Stamp.Value) return false;
        Retained.Set(publication, Clock.NowMs, out RetainedChange change);
        TellRetained(publication, change);
        return true;
    }

    /// <summary>
    /// Hands a message of another node to one member of a shared group. If none is here any more, it goes to a node that has one: what other nodes have told
    /// of their members comes before the messages they pass on, so it does not go round.
    /// </summary>
    /// <param name="publication">The message.</param>
    /// <param name="sharedFilter">The filter, <c>$share/group/</c> included.</param>
    /// <param name="context">The caller's context.</param>
    public PublishOutcome PublishToGroup(in Publication publication, ReadOnlySpan<byte> sharedFilter, RoutingContext context)
    {
        SharedGroup? group = Subscriptions.FindGroup(sharedFilter);
        if (FindObstacle(group, publication) is { } obstacle) return new PublishOutcome(ReasonCode.QuotaExceeded, null, obstacle, IsHeld: true);
        Deliver(context.Batch, context);
        context.Forms?.Reset();
        context.BeginOne(publication);
        Completion? completion;
        try
        {
            DeliveryOutcome outcome = group is null ? DeliveryOutcome.Ignored : DeliverToOne(group, publication, context, except: null, withPeers: false);
            if (outcome.Result == DeliveryResult.Ignored && group is not null) outcome = DeliverToOne(group, publication, context, except: null);
            // The last member has gone, and there is no other.
            if (outcome.Result == DeliveryResult.Ignored) context.Counters.CountDropped(DropReason.SessionEnded);
            completion = RecordPublish(publication, null, context, ReasonCode.Success);
        }
        catch
        {
            Abandon(publication, context);
            throw;
        }

        if (context.Isolated.Count > 0) ConcludeIsolated(context);
        return new PublishOutcome(ReasonCode.Success, completion);
    }

    /// <summary>Why a group's message cannot be taken from another node at the moment; null: it can.</summary>
    private string? FindObstacle(SharedGroup? group, in Publication publication)
    {
        if (group is null || publication.QoS == QoS.AtMostOnce) return null;
        return Journal.Condition switch
        {
            JournalCondition.Failing when NeedsStore(group) => StoreCannotBeWritten,
            JournalCondition.Busy when NeedsStore(group) => StoreIsBusy,
            JournalCondition.Full when NeedsStoreRoom(group, publication.QoS) => StoreIsFull,
            _ => null,
        };
    }

    /// <summary>A session has got or lost its connection: other nodes look at that when they choose a member of a group.</summary>
    private void NoteReadiness(Session session)
    {
        if (Subscriptions.Observer is null) return;
        foreach (byte[] filter in session.FindSharedFilters()) Subscriptions.NoteReadiness(filter);
    }

    /// <summary>A lane of an earlier life is empty: the store forgets it.</summary>
    internal void EndLane(Session session)
    {
        if (session.End(onlyIfDetached: false) is not { } ending) return;
        ending.Deferred.Complete();
        if (ending.Stored is not null) _transfers.Delete(session, ending.Stored, ending.Spilled);
    }
}
