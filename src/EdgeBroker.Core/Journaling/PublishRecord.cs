using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Journaling;

/// <summary>
/// What one publish leaves behind: its message, once, the sessions it waits for, and the identifier it was received under. One transaction takes all of it.
/// Where every session has acknowledged before the journal comes to it, it is complete without ever having been written.
/// </summary>
public sealed class PublishRecord : JournalFact
{
    private bool _isAwaited;

    // What still speaks for writing it: each delivery, and the publish itself until it is sealed.
    private int _open = 1;

    /// <param name="message">The message; null when nothing but the received identifier is to be kept.</param>
    public PublishRecord(Message? message) => Message = message;

    /// <summary>The message.</summary>
    public Message? Message { get; }

    /// <summary>Whom it waits for, the last one first.</summary>
    public StoredDelivery? Deliveries { get; private set; }

    /// <summary>The session that published it at QoS 2, or null.</summary>
    public StoredSession? Publisher { get; private set; }

    /// <summary>The packet identifier it was received under; 0: none.</summary>
    public ushort ReceivedId { get; private set; }

    /// <summary>Where another node handed the message on from; null: it was published here.</summary>
    public MessageOrigin? Origin { get; private set; }

    /// <summary>
    /// Whether its commit is waited for even when everyone has acknowledged: something before it in the journal, or the received identifier, must be on disk.
    /// </summary>
    public bool MustCommit { get; private set; }

    /// <summary>While all its receivers are there and likely to acknowledge at once, they release the publisher, and nothing need be written.</summary>
    public override FactUrgency Urgency => MustCommit || _isAwaited ? FactUrgency.Awaited : FactUrgency.None;

    /// <summary>The next of several records that were completed together, before their completion is told.</summary>
    internal PublishRecord? NextCoalesced { get; set; }

    /// <summary>Adds a session the message waits for. Before <see cref="Seal"/>, on the publisher's thread.</summary>
    public StoredDelivery Add(StoredSession session, long position, QoS qos, bool retain, uint[]? subscriptionIdentifiers, byte[]? sharedFilter)
    {
        Interlocked.Increment(ref _open);
        return Deliveries = new StoredDelivery(this, Deliveries)
        {
            Session = session,
            Position = position,
            QoS = qos,
            Retain = retain,
            SubscriptionIdentifiers = subscriptionIdentifiers,
            SharedFilter = sharedFilter,
        };
    }

    /// <summary>Adds the identifier the publish was received under.</summary>
    public void AddReceivedId(StoredSession publisher, ushort packetId)
    {
        Publisher = publisher;
        ReceivedId = packetId;
        MustCommit = true;
    }

    /// <summary>Adds where another node handed the message on from: what is on disk is not taken again.</summary>
    public void AddOrigin(MessageOrigin origin) => Origin = origin;

    /// <summary>Makes the record's commit a condition, whatever becomes of its deliveries.</summary>
    public void RequireCommit() => MustCommit = true;

    /// <summary>
    /// Has it committed soon: who waits for it waits for the disk, since a receiver is away, or is to see the message only then. Before it is appended.
    /// </summary>
    public void Await() => _isAwaited = true;

    /// <summary>Nothing more is added. Completes the record when every delivery has been acknowledged meanwhile.</summary>
    public void Seal()
    {
        if (CloseOne()) Complete();
    }

    /// <summary>Not while acknowledgements may complete it before its turn.</summary>
    protected internal override bool Covers(Completion earlier) => MustCommit ? base.Covers(earlier) : ReferenceEquals(earlier, this);

    /// <summary>One reason less to write it; true when it is to be completed because none is left.</summary>
    internal bool CloseOne() => Interlocked.Decrement(ref _open) == 0 && !MustCommit;
}
