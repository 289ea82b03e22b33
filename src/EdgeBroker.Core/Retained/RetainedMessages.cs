using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// The last value of every topic that has one (3.3.1.3). One lock, held for one topic or one slice of a walk at a time. Values lie in memory that the garbage
/// collector does not see; whoever gets one gets a copy.
/// </summary>
public sealed class RetainedMessages
{
    private readonly IJournal _journal;
    private readonly HolderTable _holders;
    private readonly RetainedTree _tree = new();
    private long _lastOrdinal;
    private int _count;
    private int _expiring;
    private long _sizeBytes;
    private RetainedWalk? _sweep;

    // Walks that were given up and still stand on nodes: a stack that takes no lock, since who gives one up has a session's.
    private RetainedWalk? _givenUp;

    /// <param name="journal">Where the values are kept beyond the process.</param>
    /// <param name="ledger">Where their memory is accounted.</param>
    /// <param name="holders">On whose account they are.</param>
    public RetainedMessages(IJournal journal, MemoryLedger ledger, HolderTable? holders = null)
    {
        _journal = journal;
        _holders = holders ?? new HolderTable();
        ledger.Poll(MemoryKind.Retained, () => _tree.UsedBytes);
    }

    /// <summary>
    /// Is told each topic whose value or tombstone has changed by a publish of this node, under the lock: returns at once, and calls nobody. Null: nobody. Set
    /// before the first publish.
    /// </summary>
    public Action<byte[]>? Changed { get; set; }

    /// <summary>Topics with a value.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes of the values, topics included.</summary>
    public long SizeBytes => Volatile.Read(ref _sizeBytes);

    /// <summary>By how many bytes the values would grow with a message; below 0 where it is shorter than what it replaces.</summary>
    /// <param name="publication">A retained message with a payload.</param>
    /// <param name="isNew">Whether its topic has no value.</param>
    public long CountGrowth(in Publication publication, out bool isNew)
    {
        lock (SyncRoot.Alone())
        {
            RetainedHead? old = _tree.HeadOf(_tree.Find(publication.Topic));
            isNew = old is null or { IsTombstone: true };
            return publication.SizeBytes - (old is { } head ? SizeOf(publication.Topic, head) : 0);
        }
    }

    internal Lock SyncRoot { get; } = new();

    /// <summary>Topics and values, under <see cref="SyncRoot"/>.</summary>
    internal RetainedTree Tree => _tree;

    /// <summary>The ordinal of the value set last. Values set after a walk has begun reach the walker as ordinary messages.</summary>
    public long LastOrdinal => Volatile.Read(ref _lastOrdinal);

    /// <summary>Sets the topic's value, or removes it when the payload is empty [MQTT-3.3.1-6]; with a stamp a tombstone is left.</summary>
    /// <param name="publication">The message.</param>
    /// <param name="nowMs">The broker clock's time.</param>
    /// <param name="change">What became of the topic's value.</param>
    /// <returns>What the publisher's acknowledgement waits for; null: nothing.</returns>
    public Completion? Set(in Publication publication, long nowMs, out RetainedChange change)
    {
        lock (SyncRoot.Alone())
        {
            LeaveGivenUp();
            uint node = _tree.Find(publication.Topic);
            bool hasValue = _tree.HeadOf(node) is { IsTombstone: false };
            if (publication.Condition is { } condition && !condition.Evaluate(PresentAt(node, nowMs)))
            {
                change = RetainedChange.None;
                return null;
            }

            change = publication.Payload.IsEmpty ? (hasValue ? RetainedChange.Deleted : RetainedChange.None)
                : hasValue ? RetainedChange.Replaced : RetainedChange.Set;
            bool isAwaited = publication.QoS != QoS.AtMostOnce;
            if (!publication.Stamp.IsNone && _tree.HeadOf(node) is { } known && known.Stamp.Value >= publication.Stamp.Value)
            {
                // Another node's value overtook this one.
                change = RetainedChange.None;
                return null;
            }

            if (publication.Payload.IsEmpty && publication.Stamp.IsNone) return Remove(publication.Topic, node, isAwaited);
            var head = new RetainedHead
            {
                Ordinal = _lastOrdinal + 1,
                ExpiresAtMs = publication.ExpiresAtMs(nowMs),
                Stamp = publication.Stamp,
                QoS = publication.QoS,
                Retain = publication.Retain,
                HolderId = publication is { Payload.IsEmpty: false, Publisher.Holder: { } holder } && holder.TryUse() ? holder.Id : 0,
            };
            long superseded = Replace(node, publication.Topic, head, publication.Payload, publication.Properties);
            _lastOrdinal++;
            if (!head.Stamp.IsNone) Changed?.Invoke(publication.Topic.ToArray());
            if (!IsStored(publication.Topic)) return null;
            Holder? owner = _holders.Find(head.HolderId);
            return Save(new RetainedChanged(publication.Topic, publication.Properties, publication.Payload, head, superseded, isAwaited, owner));
        }
    }

    /// <summary>
    /// Goes on removing what has expired, a bounded part of the tree at a time, so that a large one is swept over many calls.
    /// </summary>
    /// <param name="nowMs">The broker clock's time.</param>
    /// <param name="limit">Most messages removed.</param>
    /// <param name="removed">Is told of each that is removed.</param>
    internal void SweepExpired(long nowMs, int limit, Action<Message> removed)
    {
        if (_sweep is null && Volatile.Read(ref _expiring) == 0) return;
        if (_sweep is null)
        {
            lock (SyncRoot.Alone()) _sweep = new RetainedWalk(this, _tree.Root, 0, [(byte)'#'], reservedToo: true);
        }

        _sweep.OnlyExpiredAtMs = nowMs;
        for (int i = 0; i < limit; i++)
        {
            if (!_sweep.TryTake(out Message? message))
            {
                if (_sweep.IsDone) _sweep = null;
                return;
            }

            if (RemoveIfSame(message)) removed(message);
        }
    }

    /// <summary>
    /// Starts a walk over the values whose topic matches <paramref name="filter"/>; null when there are none below the levels before its first wildcard, as is
    /// so with most filters of most clients.
    /// </summary>
    internal RetainedWalk? Walk(ReadOnlySpan<byte> filter)
    {
        lock (SyncRoot.Alone())
        {
            LeaveGivenUp();
            uint node = _tree.Root;
            int at = 0;
            while (at < filter.Length && node != 0)
            {
                ReadOnlySpan<byte> level = TopicLevels.Cut(filter[at..], out _, out bool isLast);
                if (TopicLevels.IsMultiWildcard(level) || TopicLevels.IsSingleWildcard(level)) break;
                node = _tree.Child(node, level);
                at = isLast ? filter.Length + 1 : at + level.Length + 1;
            }

            if (node == 0 || (at > filter.Length && _tree.HeadOf(node) is not { IsTombstone: false })) return null;
            return new RetainedWalk(this, node, at, filter.ToArray());
        }
    }

    /// <summary>Puts back what the store has kept, in the order of ordinals; null: the topic has no value any more. Before the first connection.</summary>
    /// <returns>The ordinal of the value or tombstone it replaces; 0: none.</returns>
    public long Restore(ReadOnlySpan<byte> topic, Message? message, long ordinal, HolderKey holder = default)
    {
        lock (SyncRoot.Alone())
        {
            _lastOrdinal = Math.Max(_lastOrdinal, ordinal);
            uint node = _tree.Find(topic);
            if (message is null) return node == 0 ? 0 : Clear(node, topic);
            var head = new RetainedHead
            {
                Ordinal = message.Ordinal,
                ExpiresAtMs = message.ExpiresAtMs,
                Stamp = message.Stamp,
                QoS = message.QoS,
                Retain = message.Retain,
                HolderId = message.Payload.Length > 0 && _holders.Use(holder) is { } account ? account.Id : 0,
            };
            return Replace(node, topic, head, message.Payload, message.Properties);
        }
    }

    /// <summary>The stamp of a topic's value, or of the tombstone that is left of it; none where there is neither, or no cluster.</summary>
    public Stamp StampOf(ReadOnlySpan<byte> topic)
    {
        lock (SyncRoot.Alone()) return _tree.HeadOf(_tree.Find(topic))?.Stamp ?? Stamp.None;
    }

    /// <summary>A copy of a topic's value, or of the tombstone that is left of it; null: there is neither.</summary>
    public Message? Look(ReadOnlySpan<byte> topic)
    {
        lock (SyncRoot.Alone())
        {
            uint node = _tree.Find(topic);
            return _tree.HeadOf(node) is null ? null : _tree.Copy(node);
        }
    }

    /// <summary>Begins to read all values and tombstones that have changed after a place in the order of changes.</summary>
    /// <param name="ordinal">The place; 0: all.</param>
    public RetainedReader ReadSince(long ordinal)
    {
        lock (SyncRoot.Alone())
        {
            LeaveGivenUp();
            return new RetainedReader(new RetainedWalk(this, _tree.Root, 0, [(byte)'#'], reservedToo: true) { SinceOrdinal = ordinal }, _lastOrdinal);
        }
    }

    /// <summary>Removes a tombstone that is as old as it was seen: no node can bring an older value any more.</summary>
    public void Forget(Message tombstone)
    {
        lock (SyncRoot.Alone())
        {
            uint node = _tree.Find(tombstone.Topic);
            if (_tree.HeadOf(node) is not { IsTombstone: true } head || head.Ordinal != tombstone.Ordinal) return;
            Clear(node, tombstone.Topic);
            _lastOrdinal++;
            if (IsStored(tombstone.Topic)) Save(new RetainedChanged(tombstone.Topic, _lastOrdinal, tombstone.Ordinal, isAwaited: false));
        }
    }

    /// <summary>Whether a topic has a value.</summary>
    internal bool Contains(ReadOnlySpan<byte> topic)
    {
        lock (SyncRoot.Alone()) return _tree.HeadOf(_tree.Find(topic)) is { IsTombstone: false };
    }

    /// <summary>Bytes of a topic's value; 0: it has none.</summary>
    internal int LengthOf(ReadOnlySpan<byte> topic)
    {
        lock (SyncRoot.Alone()) return _tree.HeadOf(_tree.Find(topic))?.PayloadLength ?? 0;
    }

    /// <summary>A copy of a topic's value, or null.</summary>
    internal Message? Get(ReadOnlySpan<byte> topic)
    {
        lock (SyncRoot.Alone())
        {
            uint node = _tree.Find(topic);
            return _tree.HeadOf(node) is { IsTombstone: false } ? _tree.Copy(node) : null;
        }
    }

    private Message? PresentAt(uint node, long nowMs) =>
        _tree.HeadOf(node) is { IsTombstone: false } && _tree.Copy(node) is { } present && !present.IsExpired(nowMs) ? present : null;

    /// <summary>Removes a topic's value.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="condition">What must hold of it; null: nothing.</param>
    /// <param name="nowMs">The broker clock's time.</param>
    /// <param name="isFound">Whether it had one, which is deleted then.</param>
    /// <returns>What is to be on disk before it is gone for good; null: nothing.</returns>
    internal Completion? Delete(ReadOnlySpan<byte> topic, RetainedCondition? condition, long nowMs, out bool isFound)
    {
        lock (SyncRoot.Alone())
        {
            LeaveGivenUp();
            uint node = _tree.Find(topic);
            isFound = _tree.HeadOf(node) is { IsTombstone: false };
            if (isFound && condition?.Evaluate(PresentAt(node, nowMs)) == false)
            {
                isFound = false;
                return null;
            }

            return Remove(topic, node, isAwaited: true);
        }
    }

    /// <summary>Has a walk leave the tree, sooner or later.</summary>
    internal void GiveUp(RetainedWalk walk)
    {
        RetainedWalk? next;
        do walk.NextGivenUp = next = Volatile.Read(ref _givenUp);
        while (Interlocked.CompareExchange(ref _givenUp, walk, next) != next);
    }

    private void LeaveGivenUp()
    {
        if (Volatile.Read(ref _givenUp) is null) return;
        for (RetainedWalk? walk = Interlocked.Exchange(ref _givenUp, null); walk is not null; walk = walk.NextGivenUp) walk.Leave();
    }

    private RetainedChanged? Remove(ReadOnlySpan<byte> topic, uint node, bool isAwaited)
    {
        if (_tree.HeadOf(node) is not { IsTombstone: false }) return null;
        long superseded = Clear(node, topic);
        _lastOrdinal++;
        return IsStored(topic) ? Save(new RetainedChanged(topic, _lastOrdinal, superseded, isAwaited)) : null;
    }

    private bool RemoveIfSame(Message message)
    {
        lock (SyncRoot.Alone())
        {
            uint node = _tree.Find(message.Topic);
            if (_tree.HeadOf(node) is not { } head || head.Ordinal != message.Ordinal) return false;
            Clear(node, message.Topic);
            _lastOrdinal++;
            if (IsStored(message.Topic)) Save(new RetainedChanged(message.Topic, _lastOrdinal, message.Ordinal, isAwaited: false));
            return true;
        }
    }

    // A broker's own topics are made anew by every life of the process.
    private bool IsStored(ReadOnlySpan<byte> topic) => _journal.IsDurable && !topic.StartsWith("$SYS/"u8);

    private RetainedChanged Save(RetainedChanged fact)
    {
        _journal.Append(fact);
        return fact;
    }

    private long Replace(uint node, ReadOnlySpan<byte> topic, RetainedHead head, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> properties)
    {
        head.PayloadLength = payload.Length;
        head.PropertiesLength = properties.Length;
        RetainedHead? old = _tree.HeadOf(node);
        _tree.Set(node, topic, head, payload, properties);
        Tally(old, topic, -1);
        Tally(head, topic, 1);
        return old?.Ordinal ?? 0;
    }

    private long Clear(uint node, ReadOnlySpan<byte> topic)
    {
        RetainedHead? old = _tree.HeadOf(node);
        _tree.Remove(node);
        Tally(old, topic, -1);
        return old?.Ordinal ?? 0;
    }

    private void Tally(in RetainedHead? value, ReadOnlySpan<byte> topic, int sign)
    {
        if (value is not { } head) return;
        if (!head.IsTombstone) _count += sign;
        if (head.ExpiresAtMs != Message.Never) _expiring += sign;
        int bytes = SizeOf(topic, head);
        _sizeBytes += sign * bytes;
        if (_holders.Find(head.HolderId) is not { } holder) return;
        holder.CountRetained(sign, bytes);
        // Taken when the value was set.
        if (sign < 0) holder.Release();
    }

    private static int SizeOf(ReadOnlySpan<byte> topic, in RetainedHead head) => topic.Length + head.PayloadLength + head.PropertiesLength;
}
