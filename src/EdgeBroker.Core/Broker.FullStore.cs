using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// A store that takes nothing more: where it is full, what may be dropped makes room first; where nothing may, publishers wait.
public sealed partial class Broker
{
    /// <summary>Why nobody can be acknowledged who needs room in the store.</summary>
    public const string StoreIsFull = "the store is full (storage.max_bytes)";

    /// <summary>The same where it is the disk that has no more room.</summary>
    public const string DiskIsFull = "the disk is full (node.data_dir)";

    /// <summary>Why nobody can be acknowledged who needs the store.</summary>
    public const string StoreCannotBeWritten = "the store cannot be written";

    private const string StoreIsBusy = "the store is behind with writing";

    // Messages dropped for one that comes, and of one session at a time.
    private const int MostDropped = 4_096;
    private const int MostDroppedAtOnce = 256;

    /// <summary>Sessions of which a full store may drop what waits.</summary>
    internal StoreUsers StoreUsers => _environment.StoreUsers;

    /// <summary>Who is held because the store takes nothing more; for displays.</summary>
    public StoreHold StoreHold => _held.Hold;

    /// <summary>
    /// Calls back when it is worth trying again, on the thread that keeps house or on the journal's. For who was told <see cref="PublishOutcome.IsHeld"/>, and
    /// brings the message again.
    /// </summary>
    /// <param name="publisherId">Who is held.</param>
    /// <param name="action">Tries again; returns soon.</param>
    public void WhenStoreRecovers(string publisherId, Action action) => _held.Add(publisherId, action);

    /// <summary>Why a message cannot be acknowledged at the moment, and so is not taken; null: it can.</summary>
    private string? FindObstacle(in Publication publication, RoutingContext context, out LimitKind? limit)
    {
        limit = publication.Retain ? FindRetainLimit(publication) : null;
        if (limit is { } reached) return Limits.Describe(reached) + " is reached";

        if (publication.QoS == QoS.AtMostOnce) return publication is { Retain: true, IsBrokersOwn: false } && Journal.IsFullOfValues ? StoreIsBusy : null;
        switch (Journal.Condition)
        {
            case JournalCondition.Failing:
                return !publication.IsBrokersOwn && NeedsStore(publication, context) ? StoreCannotBeWritten : null;
            case JournalCondition.Busy:
                return !publication.IsBrokersOwn && NeedsStore(publication, context) ? StoreIsBusy : null;
            case JournalCondition.Full:
                int needs = CountRoomNeeds(publication, context);
                bool hasRoom = needs == 0 || TryMakeRoom((long)needs * publication.SizeBytes, context);
                return hasRoom || publication.IsBrokersOwn ? null : Journal.IsDiskFull ? DiskIsFull : StoreIsFull;
            default:
                return null;
        }
    }

    /// <summary>How often a message would take room in the store that only the end of its wait gives back.</summary>
    private int CountRoomNeeds(in Publication publication, RoutingContext context)
    {
        // What replaces something shorter needs room as well: else a full store could be made to hold anything.
        int needs = publication is { Retain: true, Payload.IsEmpty: false } && Retained.CountGrowth(publication, out _) > 0 ? 1 : 0;
        MatchResult match = context.Begin(publication);
        context.End();
        foreach (Subscription subscription in match.Plain)
        {
            if (subscription.For(publication.Publisher) is { } own && own.Receiver.NeedsStoreRoom(Lower(publication.QoS, own))) needs++;
        }

        if (context.IsOfPeer) return needs;
        foreach (PeerInterest peer in match.Peers)
        {
            if (peer.Receiver.NeedsStoreRoom(Lower(publication.QoS, peer))) needs++;
        }

        foreach (SharedGroup group in match.Groups)
        {
            if (NeedsStoreRoom(group, publication.QoS)) needs++;
        }

        return needs;
    }

    /// <summary>Whether no member of the group can take a message at once, and one would have it wait on disk.</summary>
    private static bool NeedsStoreRoom(SharedGroup group, QoS qos)
    {
        bool needs = false;
        foreach (Subscription member in group.Members)
        {
            if (member.Receiver.NeedsStoreRoom(Lower(qos, member))) needs = true;
            else if (member.Receiver.Readiness == ReceiverReadiness.Ready) return false;
        }

        foreach (PeerInterest peer in group.Peers) needs |= peer.Receiver.NeedsStoreRoom(Lower(qos, peer));

        return needs;
    }

    private static QoS Lower(QoS qos, Subscription subscription) => (QoS)Math.Min((int)qos, (int)subscription.Options.MaximumQoS);

    /// <summary>Drops the oldest messages of those who use most of the store, as far as their policies allow it; false when that is not enough.</summary>
    private bool TryMakeRoom(long bytes, RoutingContext context)
    {
        // Two go for one that comes, so that a full store becomes one that has room.
        long wanted = 2 * bytes, freed = 0;
        for (int dropped = 0; freed < wanted && dropped < MostDropped;)
        {
            if (StoreUsers.FindLargest() is not { } user) break;
            int count = user.DropForStore(wanted - freed, MostDroppedAtOnce, out long bytesFreed);
            CountDropped(user, count, DropReason.StoreFull, context);
            freed += bytesFreed;
            // One that has nothing any more does not stay the largest.
            dropped += Math.Max(1, count);
        }

        return freed >= bytes;
    }
}
