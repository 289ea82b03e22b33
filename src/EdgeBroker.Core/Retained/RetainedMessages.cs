using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>The last value of every topic that has one (3.3.1.3). One lock, held for one topic or one slice of a walk at a time.</summary>
public sealed class RetainedMessages(IRetainedStore store)
{
    private readonly RetainedNode _root = new([], 0, null);
    private long _lastOrdinal;
    private int _count;
    private long _sizeBytes;
    private RetainedWalk? _sweep;

    /// <summary>Topics with a value.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes of the values, topics included.</summary>
    public long SizeBytes => Volatile.Read(ref _sizeBytes);

    internal Lock Gate { get; } = new();

    /// <summary>The ordinal of the value set last. Values set after a walk has begun reach the walker as ordinary messages.</summary>
    internal long LastOrdinal => Volatile.Read(ref _lastOrdinal);

    /// <summary>Sets the topic's value, or removes it when the payload is empty [MQTT-3.3.1-6].</summary>
    /// <param name="publication">The message.</param>
    /// <param name="nowMs">The broker clock's time.</param>
    public CommitToken Set(in Publication publication, long nowMs)
    {
        if (publication.Payload.IsEmpty) return Remove(publication.Topic);
        lock (Gate)
        {
            RetainedNode node = Find(publication.Topic, create: true)!;
            Message message = publication.ToMessage(nowMs, node.Message?.Topic, ++_lastOrdinal);
            Replace(node, message);
            return store.Save(message);
        }
    }

    /// <summary>Goes on removing what has expired, at most <paramref name="limit"/> messages looked at, so that a large tree is swept over many calls.</summary>
    internal void SweepExpired(long nowMs, int limit)
    {
        _sweep ??= new RetainedWalk(this, _root, [(byte)'#'], reservedToo: true);
        for (int i = 0; i < limit; i++)
        {
            if (!_sweep.TryTake(out Message? message))
            {
                _sweep = null;
                return;
            }

            if (message.IsExpired(nowMs)) RemoveIfSame(message);
        }
    }

    /// <summary>Starts a walk over the values whose topic matches <paramref name="filter"/>.</summary>
    internal RetainedWalk Walk(ReadOnlySpan<byte> filter) => new(this, _root, filter.ToArray());

    private CommitToken Remove(ReadOnlySpan<byte> topic)
    {
        lock (Gate)
        {
            if (Find(topic, create: false) is not { Message: { } old } node) return CommitToken.None;
            Replace(node, null);
            Prune(node);
            return store.Delete(old.Topic);
        }
    }

    private void RemoveIfSame(Message message)
    {
        lock (Gate)
        {
            if (Find(message.Topic, create: false) is not { } node || !ReferenceEquals(node.Message, message)) return;
            Replace(node, null);
            Prune(node);
            store.Delete(message.Topic);
        }
    }

    private void Replace(RetainedNode node, Message? message)
    {
        if (node.Message is { } old)
        {
            _count--;
            _sizeBytes -= old.SizeBytes;
        }

        if (message is not null)
        {
            _count++;
            _sizeBytes += message.SizeBytes;
        }

        node.Message = message;
    }

    private RetainedNode? Find(ReadOnlySpan<byte> topic, bool create)
    {
        RetainedNode node = _root;
        bool isLast = false;
        while (!isLast)
        {
            ReadOnlySpan<byte> level = TopicLevels.Cut(topic, out topic, out isLast);
            int hash = LevelHash.Of(level);
            RetainedNode? next = node.Children.Find(level, hash);
            if (next is null)
            {
                if (!create) return null;
                next = new RetainedNode(level.ToArray(), hash, node);
                node.Children.Add(next);
            }

            node = next;
        }

        return node;
    }

    private static void Prune(RetainedNode node)
    {
        while (node.IsEmpty && node.Parent is { } parent)
        {
            parent.Children.Remove(node);
            node = parent;
        }
    }
}
