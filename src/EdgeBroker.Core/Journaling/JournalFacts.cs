using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Journaling;

/// <summary>
/// Something that happened and is to outlive the process. Facts are appended to the <see cref="Ports.IJournal"/> in the order they happen to one session or
/// topic, and are committed in that order, several at a time. A fact is done when it is on disk, or need not be any more.
/// </summary>
public abstract class JournalFact : Completion
{
    private JournalFact? _next;

    /// <summary>The fact appended next, or null; the journal's own, which one thread writes and another reads.</summary>
    public JournalFact? NextFact
    {
        get => Volatile.Read(ref _next);
        set => Volatile.Write(ref _next, value);
    }

    /// <summary>Who waits for its commit. Does not change once it is appended.</summary>
    public virtual FactUrgency Urgency => FactUrgency.None;

    /// <inheritdoc/>
    protected internal override bool Covers(Completion earlier) => earlier is JournalFact;
}

/// <summary>Who waits for a fact's commit.</summary>
public enum FactUrgency
{
    /// <summary>Nobody, or somebody whom an acknowledgement of the receivers is likely to release before.</summary>
    None,

    /// <summary>A client: an acknowledgement or a message is held back until then, and nothing else can release it.</summary>
    Awaited,

    /// <summary>A client that does nothing else until then: it is let wait for little time only, however long others are.</summary>
    Urgent,
}

/// <summary>The session exists, and this is how it stands. The last one counts.</summary>
/// <param name="session">The session.</param>
public sealed class SessionSaved(StoredSession session) : JournalFact
{
    /// <summary>The value of a time that does not come.</summary>
    public const long Never = long.MaxValue;

    private bool _isAwaited;

    /// <inheritdoc/>
    public override FactUrgency Urgency => _isAwaited ? FactUrgency.Urgent : FactUrgency.None;

    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>How long it outlives a connection; 0: not at all: then its will is all that matters of it when the process ends.</summary>
    public required uint ExpirySeconds { get; init; }

    /// <summary>Whether it has a connection.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>When it ends, in the broker clock's milliseconds; <see cref="Never"/> while it is connected.</summary>
    public required long EndsAtMs { get; init; }

    /// <summary>When its will is due, in the broker clock's milliseconds; <see cref="Never"/> while it is connected.</summary>
    public required long WillAtMs { get; init; }

    /// <summary>The last position that was ever sent to the client.</summary>
    public required long SentPosition { get; init; }

    /// <summary>The will, or null.</summary>
    public required Will? Will { get; init; }

    /// <summary>The user who began the session, and who alone resumes it; null: anonymous.</summary>
    public required string? UserName { get; init; }

    /// <summary>Whose account it is on; null: nobody's.</summary>
    public Holder? Holder { get; init; }

    /// <summary>How its queue behaves; null: as the options of all say.</summary>
    public required QueuePolicy? QueuePolicy { get; init; }

    /// <summary>Under what this node owns it from here on; none: that has not changed.</summary>
    public Epoch Epoch { get; init; }

    /// <summary>A session of another node that is being written here: until another of these follows, a start finds one that has ended.</summary>
    internal static SessionSaved Unfinished(StoredSession session, string? userName) => new(session)
    {
        ExpirySeconds = 0,
        IsConnected = true,
        EndsAtMs = Never,
        WillAtMs = Never,
        SentPosition = Never,
        Will = null,
        UserName = userName,
        QueuePolicy = null,
    };

    /// <summary>The same, which a client waits for. Before it is appended.</summary>
    internal SessionSaved AsAwaited()
    {
        _isAwaited = true;
        return this;
    }
}

/// <summary>Older sessions of a client are no more, wherever another node still has one.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="Below">Those whose last connection was accepted before; none: every node knows by now.</param>
public sealed record SessionTombstone(string ClientId, Stamp Below);

/// <summary>There is this tombstone of a client's sessions. The last one of a client counts.</summary>
/// <param name="tombstone">The tombstone.</param>
public sealed class SessionTombstoneChanged(SessionTombstone tombstone) : JournalFact
{
    /// <summary>The tombstone.</summary>
    public SessionTombstone Tombstone { get; } = tombstone;
}

/// <summary>This node may give out stamps up to here, and a later life of its process gives out none below.</summary>
/// <param name="bound">The bound; never lower than one before.</param>
public sealed class StampBoundRaised(Stamp bound) : JournalFact
{
    /// <summary>The bound.</summary>
    public Stamp Bound { get; } = bound;
}

/// <summary>The session has this subscription, or none with this filter any more.</summary>
/// <param name="session">The session.</param>
/// <param name="filter">The filter, <c>$share/group/</c> included.</param>
/// <param name="subscription">The subscription, in place of one with the same filter; null: none.</param>
public sealed class SubscriptionChanged(StoredSession session, byte[] filter, Subscription? subscription) : JournalFact
{
    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>The filter.</summary>
    public byte[] Filter { get; } = filter;

    /// <summary>The subscription, or null.</summary>
    public Subscription? Subscription { get; } = subscription;

    /// <summary>Clients subscribe seldom, and do little else until they are answered.</summary>
    public override FactUrgency Urgency => FactUrgency.Urgent;
}

/// <summary>PUBREL came: the identifier of a QoS 2 publish is free again.</summary>
/// <param name="session">The publisher's session.</param>
/// <param name="packetId">The identifier.</param>
public sealed class ReceivedIdRemoved(StoredSession session, ushort packetId) : JournalFact
{
    /// <summary>The publisher's session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>The identifier.</summary>
    public ushort PacketId { get; } = packetId;

    /// <summary>PUBCOMP waits.</summary>
    public override FactUrgency Urgency => FactUrgency.Awaited;
}

/// <summary>PUBREC came for a delivery: only PUBREL is owed now, and it is sent when this is on disk.</summary>
/// <param name="delivery">The delivery.</param>
public sealed class DeliveryReleased(StoredDelivery delivery) : JournalFact
{
    /// <summary>The delivery.</summary>
    public StoredDelivery Delivery { get; } = delivery;

    /// <summary>PUBREL waits.</summary>
    public override FactUrgency Urgency => FactUrgency.Awaited;
}

/// <summary>
/// The session is over, and of what it held only the messages of shared subscriptions count any more, until another member has them:
/// <see cref="SessionDeleted"/> follows. A start that finds
/// it so goes on handing them over, whoever uses the client id by now.
/// </summary>
/// <param name="session">The session.</param>
public sealed class SessionEnded(StoredSession session) : JournalFact
{
    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;
}

/// <summary>The session and all it held is gone.</summary>
/// <param name="session">The session.</param>
/// <param name="spilled">What waited for it on disk.</param>
public sealed class SessionDeleted(StoredSession session, IReadOnlyList<SpilledDelivery> spilled) : JournalFact
{
    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>What waited for it on disk and not in memory.</summary>
    public IReadOnlyList<SpilledDelivery> Spilled { get; } = spilled;
}
