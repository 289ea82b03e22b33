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
    private readonly SubscriptionTree _tree;
    private readonly SubscriptionMatcher _matcher = new();
    private readonly MatchCache _cache;
    private Message? _owned;
    private byte[]? _ownedTopic;
    private PublishRecord? _record;
    private Completion? _room;

    // Asked for once a receive; below 0 not yet.
    private long _burstMs;

    internal RoutingContext(SubscriptionTree tree, bool waitsForOwner)
    {
        _tree = tree;
        WaitsForOwner = waitsForOwner;
        _cache = new MatchCache(tree);
    }

    /// <summary>What went through this context.</summary>
    public TrafficCounters Counters { get; } = new();

    /// <summary>Encoded forms of the message being routed.</summary>
    public FanOutEncodings FanOut { get; } = new();

    /// <summary>The properties of the last message that had some.</summary>
    public PropertyMemo Properties { get; } = new();

    /// <summary>
    /// Whether messages wait beyond their receive, for those that come on other connections meanwhile, until the owner calls <see cref="Broker.FlushBurst"/>.
    /// </summary>
    internal bool WaitsForOwner { get; }

    /// <summary>Messages that wait for others.</summary>
    internal PublishBurst Burst { get; } = new();

    /// <summary>Who gets which of them.</summary>
    internal BurstReceivers Receivers { get; } = new();

    /// <summary>Whether others get the message being routed as well, so that its encoding is worth sharing.</summary>
    internal bool HasSeveralReceivers { get; set; }

    /// <summary>Receivers that failed while a message was delivered to them, and what is left to do about each. Nearly always empty.</summary>
    internal Queue<(Session Session, ISessionLink Link, Detachment Detachment)> Isolated { get; } = new();

    /// <summary>The owned form of the message being routed, if it was needed so far.</summary>
    internal Message? Owned => _owned;

    /// <summary>Whether there are subscriptions at all.</summary>
    internal bool HasSubscribers => _tree.Count > 0;

    /// <summary>Lets messages wait for the end of a receive, which begins.</summary>
    internal void OpenBurst()
    {
        Burst.IsOpen = true;
        _burstMs = -1;
    }

    /// <summary>The time; within a receive that of the first message that asks, since the clock costs as much as a lock.</summary>
    internal long NowMs(BrokerClock clock)
    {
        if (!Burst.IsOpen) return clock.NowMs;
        if (_burstMs < 0) _burstMs = clock.NowMs;
        return _burstMs;
    }

    /// <summary>Finds who gets the messages of the burst.</summary>
    internal void MatchBurst() => _cache.Match(_matcher, Burst);

    /// <summary>Starts routing a message and finds who gets it.</summary>
    internal MatchResult Begin(in Publication publication)
    {
        FanOut.Begin();
        _owned = publication.Owned;
        // The empty tree of a gateway that only forwards costs nothing, and an owned topic needs no copy.
        if (!HasSubscribers)
        {
            _ownedTopic = publication.Owned?.Topic;
            return MatchResult.Nobody;
        }

        return _cache.Match(_matcher, publication.Topic, out _ownedTopic);
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
    }
}
