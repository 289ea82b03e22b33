using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Retained;

/// <summary>The last value of every topic that has one (3.3.1.3). One lock, held for one topic or one slice of a walk at a time.</summary>
public sealed class RetainedMessages
{
    // A node of the tree, and its share of the table it stands in.
    private const int NodeBytes = 96;

    private readonly IJournal _journal;
    private readonly MemoryLedger _ledger;
    private readonly RetainedNode _root = new([], 0, 0, null);
    private long _lastOrdinal;
    private int _count;
    private long _sizeBytes;
    private int _nodes;
    private RetainedWalk? _sweep;

    /// <param name="journal">Where the values are kept beyond the process.</param>
    /// <param name="ledger">Where their memory is accounted.</param>
    public RetainedMessages(IJournal journal, MemoryLedger ledger)
    {
        _journal = journal;
        _ledger = ledger;
        ledger.Poll(MemoryKind.Retained, () => (long)Volatile.Read(ref _nodes) * NodeBytes);
    }

    /// <summary>Topics with a value.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes of the values, topics included.</summary>
    public long SizeBytes => Volatile.Read(ref _sizeBytes);

    /// <summary>By how many bytes the values would grow with a message; below 0 where it is shorter than what it replaces.</summary>
    /// <param name="publication">A retained message with a payload.</param>
    /// <param name="isNew">Whether its topic has no value.</param>
    public long CountGrowth(in Publication publication, out bool isNew)
    {
        lock (Gate)
        {
            Message? old = Find(publication.Topic)?.Message;
            isNew = old is null or { IsTombstone: true };
            return publication.SizeBytes - (old?.SizeBytes ?? 0);
        }
    }

    internal Lock Gate { get; } = new();

    /// <summary>The ordinal of the value set last. Values set after a walk has begun reach the walker as ordinary messages.</summary>
    internal long LastOrdinal => Volatile.Read(ref _lastOrdinal);

    /// <summary>Sets the topic's value, or removes it when the payload is empty [MQTT-3.3.1-6]; with a stamp a tombstone is left.</summary>
    /// <param name="publication">The message.</param>
    /// <param name="nowMs">The broker clock's time.</param>
    /// <param name="change">What became of the topic's value.</param>
    /// <returns>What the publisher's acknowledgement waits for; null: nothing.</returns>
    public Completion? Set(in Publication publication, long nowMs, out RetainedChange change)
    {
        lock (Gate)
        {
            RetainedNode? node = Find(publication.Topic);
            Message? old = node?.Message;
            bool hasValue = old is { IsTombstone: false };
            change = publication.Payload.IsEmpty ? (hasValue ? RetainedChange.Deleted : RetainedChange.None)
                : hasValue ? RetainedChange.Replaced : RetainedChange.Set;
            bool isAwaited = publication.QoS != QoS.AtMostOnce;
            if (publication.Payload.IsEmpty && publication.Stamp.IsNone) return Remove(publication.Topic, isAwaited);
            Message message = publication.ToMessage(nowMs, old?.Topic, ++_lastOrdinal);
            Replace(node ?? Make(message.Topic), message);
            return Save(message.Topic, message, old, isAwaited);
        }
    }

    /// <summary>
    /// Goes on removing what has expired, at most <paramref name="limit"/> messages looked at, so that a large tree is swept over many calls.
    /// </summary>
    /// <param name="nowMs">The broker clock's time.</param>
    /// <param name="limit">Most messages looked at.</param>
    /// <param name="removed">Is told of each that is removed.</param>
    internal void SweepExpired(long nowMs, int limit, Action<Message> removed)
    {
        _sweep ??= new RetainedWalk(this, _root, 0, [(byte)'#'], reservedToo: true);
        for (int i = 0; i < limit; i++)
        {
            if (!_sweep.TryTake(out Message? message))
            {
                if (_sweep.IsDone) _sweep = null;
                return;
            }

            if (message.IsExpired(nowMs) && RemoveIfSame(message)) removed(message);
        }
    }

    /// <summary>
    /// Starts a walk over the values whose topic matches <paramref name="filter"/>; null when there are none below the levels before its first wildcard, as is
    /// so with most filters of most clients.
    /// </summary>
    internal RetainedWalk? Walk(ReadOnlySpan<byte> filter)
    {
        lock (Gate)
        {
            RetainedNode? node = _root;
            int at = 0;
            while (at < filter.Length)
            {
                ReadOnlySpan<byte> level = TopicLevels.Cut(filter[at..], out _, out bool isLast);
                if (TopicLevels.IsMultiWildcard(level) || TopicLevels.IsSingleWildcard(level)) break;
                node = node.Children.Find(level);
                if (node is null) return null;
                at = isLast ? filter.Length + 1 : at + level.Length + 1;
            }

            return at > filter.Length && node.Value is null ? null : new RetainedWalk(this, node, at, filter.ToArray());
        }
    }

    /// <summary>Puts back what the store has kept, in the order of ordinals; null: the topic has no value any more. Before the first connection.</summary>
    /// <returns>The ordinal of the value or tombstone it replaces; 0: none.</returns>
    public long Restore(ReadOnlySpan<byte> topic, Message? message, long ordinal)
    {
        lock (Gate)
        {
            _lastOrdinal = Math.Max(_lastOrdinal, ordinal);
            RetainedNode? node = message is null ? Find(topic) : Make(message.Topic);
            long superseded = node?.Message?.Ordinal ?? 0;
            if (node is null) return 0;
            Replace(node, message);
            if (message is null) Prune(node);
            return superseded;
        }
    }

    /// <summary>The stamp of a topic's value, or of the tombstone that is left of it; none where there is neither, or no cluster.</summary>
    public Stamp StampOf(ReadOnlySpan<byte> topic)
    {
        lock (Gate) return Find(topic)?.Message?.Stamp ?? Stamp.None;
    }

    /// <summary>Whether a topic has a value.</summary>
    internal bool Contains(ReadOnlySpan<byte> topic)
    {
        lock (Gate) return Find(topic)?.Value is not null;
    }

    /// <summary>A topic's value, or null.</summary>
    internal Message? Get(ReadOnlySpan<byte> topic)
    {
        lock (Gate) return Find(topic)?.Value;
    }

    private RetainedChanged? Save(byte[] topic, Message? message, Message? old, bool isAwaited)
    {
        // A broker's own topics are made anew by every life of the process.
        if (!_journal.IsDurable || topic.AsSpan().StartsWith("$SYS/"u8)) return null;
        var fact = new RetainedChanged(topic, message, _lastOrdinal, old?.Ordinal ?? 0, isAwaited);
        _journal.Append(fact);
        return fact;
    }

    /// <summary>Removes a topic's value.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="isFound">Whether it had one.</param>
    /// <returns>What is to be on disk before it is gone for good; null: nothing.</returns>
    internal Completion? Delete(ReadOnlySpan<byte> topic, out bool isFound)
    {
        lock (Gate)
        {
            isFound = Find(topic)?.Value is not null;
            return Remove(topic, isAwaited: true);
        }
    }

    private RetainedChanged? Remove(ReadOnlySpan<byte> topic, bool isAwaited)
    {
        lock (Gate)
        {
            if (Find(topic) is not { Value: { } old } node) return null;
            Replace(node, null);
            Prune(node);
            _lastOrdinal++;
            return Save(old.Topic, null, old, isAwaited);
        }
    }

    private bool RemoveIfSame(Message message)
    {
        lock (Gate)
        {
            if (Find(message.Topic) is not { } node || !ReferenceEquals(node.Message, message)) return false;
            Replace(node, null);
            Prune(node);
            _lastOrdinal++;
            Save(message.Topic, null, message, isAwaited: false);
            return true;
        }
    }

    private void Replace(RetainedNode node, Message? message)
    {
        if (node.Message is { } old)
        {
            old.Release(_ledger);
            if (!old.IsTombstone) _count--;
            _sizeBytes -= old.SizeBytes;
        }

        if (message is not null)
        {
            if (!message.IsTombstone) _count++;
            _sizeBytes += message.SizeBytes;
            message.Hold(_ledger, MemoryKind.Retained);
        }

        node.Message = message;
    }

    private RetainedNode? Find(ReadOnlySpan<byte> topic)
    {
        RetainedNode? node = _root;
        for (bool isLast = false; !isLast && node is not null;) node = node.Children.Find(TopicLevels.Cut(topic, out topic, out isLast));
        return node;
    }

    /// <summary>Finds the node of a topic, or makes it, and those above it, of parts of the topic.</summary>
    private RetainedNode Make(byte[] topic)
    {
        RetainedNode node = _root;
        ReadOnlySpan<byte> rest = topic;
        for (bool isLast = false; !isLast;)
        {
            int start = topic.Length - rest.Length;
            ReadOnlySpan<byte> level = TopicLevels.Cut(rest, out rest, out isLast);
            RetainedNode? next = node.Children.Find(level);
            if (next is null)
            {
                next = new RetainedNode(topic, start, level.Length, node);
                node.Children.Add(next);
                _nodes++;
            }

            node = next;
        }

        return node;
    }

    private void Prune(RetainedNode node)
    {
        while (node.IsEmpty && node.Parent is { } parent)
        {
            parent.Children.Remove(node);
            _nodes--;
            node = parent;
        }
    }
}
