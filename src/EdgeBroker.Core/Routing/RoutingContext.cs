using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// What a thread needs to route: match cache, scratch memory, counters. A reactor has one for all its connections; whoever else publishes has one of its own.
/// One thread at a time uses it.
/// </summary>
public sealed class RoutingContext
{
    private const long NotAsked = -1;
    private const long NotRouting = -2;

    private readonly SubscriptionTree _tree;
    private readonly SubscriptionMatcher _matcher = new();
    private readonly MatchCache _cache;
    private Message? _owned;
    private byte[]? _ownedTopic;
    private PublishRecord? _record;
    private Completion? _room;

    // Negative: NotAsked or NotRouting.
    private long _nowMs = NotRouting;

    internal RoutingContext(SubscriptionTree tree, MessageBatch? batch, bool isOfPeer = false)
    {
        IsOfPeer = isOfPeer;
        _tree = tree;
        _cache = new MatchCache(tree);
        Batch = batch;
    }

    /// <summary>What went through this context.</summary>
    public TrafficCounters Counters { get; } = new();

    /// <summary>
    /// Where messages wait for those that are received with them, until the context's owner has them delivered; null: the owner does not.
    /// </summary>
    public MessageBatch? Batch { get; }

    /// <summary>What links have encoded of the message or segment being delivered; set by the first of them.</summary>
    public IEncodedForms? Forms { get; set; }

    /// <summary>Whether others get the message being routed as well, so that its encoding is worth sharing.</summary>
    public bool HasSeveralReceivers { get; internal set; }

    /// <summary>The properties of the last message that had some.</summary>
    public PropertyMemo Properties { get; } = new();

    /// <summary>Whether what is published comes from another node: it goes to the plain subscribers of this one, and no further.</summary>
    public bool IsOfPeer { get; }

    /// <summary>Where the message being published comes from, for the disk to remember with it; null: that need not be remembered.</summary>
    public MessageOrigin? Origin { get; set; }

    /// <summary>Receivers that failed while a message was delivered to them, and what is left to do about each. Nearly always empty.</summary>
    internal Queue<(Session Session, ISessionLink Link, Detachment Detachment)> Isolated { get; } = new();

    /// <summary>The owned form of the message being routed, if it was needed so far.</summary>
    internal Message? Owned => _owned;

    /// <summary>Whether there are subscriptions at all.</summary>
    internal bool HasSubscribers => _tree.Count > 0 || _tree.PeerCount > 0;

    /// <summary>The time; of each message that of the first receiver that asks, since the clock costs as much as a lock.</summary>
    internal long NowMs(BrokerClock clock)
    {
        if (_nowMs >= 0) return _nowMs;
        long nowMs = clock.NowMs;
        if (_nowMs == NotAsked) _nowMs = nowMs;
        return nowMs;
    }

    /// <summary>Finds who gets the messages of a batch.</summary>
    internal void Match(MessageBatch batch) => _cache.Match(_matcher, batch);

    /// <summary>Starts to deliver a message to one receiver.</summary>
    internal void BeginOne(in Publication publication)
    {
        _nowMs = NotAsked;
        _owned = publication.Owned;
        HasSeveralReceivers = false;
    }

    /// <summary>Starts routing a message and finds who gets it.</summary>
    internal MatchResult Begin(in Publication publication)
    {
        Forms?.Reset();
        BeginOne(publication);
        // The empty tree of a gateway that only forwards costs nothing, and an owned topic needs no copy.
        if (!HasSubscribers)
        {
            _ownedTopic = publication.Owned?.Topic;
            return MatchResult.Empty;
        }

        MatchResult match = _cache.Match(_matcher, publication.Topic, out _ownedTopic);
        HasSeveralReceivers = match.Plain.Length + match.Groups.Length > 1;
        return match;
    }

    /// <summary>Whether a topic goes on to several brokers.</summary>
    internal bool HasSeveralWays(ReadOnlySpan<byte> topic, OnwardWays ways)
    {
        if (!HasSubscribers) return false;
        string? first = null;
        foreach (Subscription subscription in _cache.Match(_matcher, topic, out _).Plain)
        {
            if (ways.Find(subscription.Receiver.Id) is not { } way || way == first) continue;
            if (first is not null) return true;
            first = way;
        }

        return false;
    }

    /// <summary>The owned form of the message being routed, made when the first receiver needs it and shared by all.</summary>
    internal Message Own(in Publication publication, long nowMs) => _owned ??= publication.ToMessage(nowMs, _ownedTopic);

    /// <summary>What the message being routed leaves on disk, made when the first stored session takes it.</summary>
    internal PublishRecord Record(Message message) => _record ??= new PublishRecord(message);

    /// <summary>Takes what the message leaves on disk; null: nothing.</summary>
    internal PublishRecord? TakeRecord()
    {
        PublishRecord? record = _record;
        _record = null;
        return record;
    }

    /// <summary>The acknowledgement of the message being routed waits for room in a receiver's queue as well.</summary>
    internal void Await(Completion room) => _room = Completion.Both(_room, room);

    /// <summary>Takes what else than the disk the acknowledgement waits for; null: nothing.</summary>
    internal Completion? TakeRoom()
    {
        Completion? room = _room;
        _room = null;
        return room;
    }

    /// <summary>Lets go of the message.</summary>
    internal void End()
    {
        _owned = null;
        _ownedTopic = null;
        _nowMs = NotRouting;
    }
}
