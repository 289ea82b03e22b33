using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The part of a session's queue whose messages are on disk, oldest first: seven bytes or so for each, since numbers, positions and times are kept as
/// differences from the one before. A million waiting messages cost megabytes.
/// </summary>
internal sealed class SpilledQueue
{
    private const int ChunkBytes = 512;
    private const int RemovedBytes = 24;
    private const int LongestEntryBytes = 1 + (5 * 10);
    private const byte Expires = 0x80;
    private const byte QueuedLater = 0x40;

    // Removed entries stay where they are until there are so many of them, and more than others: to take them out is to write all anew.
    private const int LeastRemoved = 64;

    private readonly Queue<byte[]> _chunks = new();
    private byte[]? _tail;
    private int _readAt;
    private int _writeAt;
    private int _entries;
    private SpilledDelivery _lastRead;
    private SpilledDelivery _lastWritten;

    // Positions of removed entries that are still there, and the entries that are not any more.
    private HashSet<long>? _removed;
    private List<SpilledDelivery>? _taken;

    /// <summary>Deliveries in it.</summary>
    public int Count => _entries - (_removed?.Count ?? 0);

    /// <summary>Bytes of memory that it takes.</summary>
    public long MemoryBytes =>
        (_chunks.Count == 1 ? _tail!.Length : (long)_chunks.Count * ChunkBytes) + ((long)_entries - Count) * RemovedBytes;

    /// <summary>No delivery in it expires before this, in the broker clock's milliseconds.</summary>
    public long EarliestExpiryMs { get; private set; } = Message.Never;

    /// <summary>Adds behind the newest.</summary>
    public void Enqueue(in SpilledDelivery delivery)
    {
        if (_tail is null || _tail.Length - _writeAt < LongestEntryBytes)
        {
            // The short chunk of a queue of few grows before another one begins.
            if (_tail is not null && _tail.Length < ChunkBytes && _chunks.Count == 1) GrowOnly();
            else AddChunk();
        }

        bool expires = delivery.ExpiresAtMs != Message.Never;
        bool queuedLater = delivery.QueuedAtSeconds != _lastWritten.QueuedAtSeconds;
        // First, and never zero since it says the QoS: the zero behind a chunk's last entry is its end.
        _tail![_writeAt++] = (byte)((byte)delivery.Options | (expires ? Expires : 0) | (queuedLater ? QueuedLater : 0));
        Write(delivery.MessageId - _lastWritten.MessageId);
        Write(delivery.Position - _lastWritten.Position);
        Write(delivery.SizeBytes);
        if (queuedLater) Write((long)delivery.QueuedAtSeconds - _lastWritten.QueuedAtSeconds);
        // Never stands for no time at all, so differences are taken between real times only.
        long lastExpiry = _lastWritten.ExpiresAtMs;
        if (expires)
        {
            Write(delivery.ExpiresAtMs - lastExpiry);
            lastExpiry = delivery.ExpiresAtMs;
            EarliestExpiryMs = Math.Min(EarliestExpiryMs, lastExpiry);
        }

        _lastWritten = delivery with { ExpiresAtMs = lastExpiry };
        _entries++;
    }

    /// <summary>The oldest; it stays.</summary>
    public bool TryPeek(out SpilledDelivery delivery)
    {
        while (true)
        {
            SkipEndOfChunk();
            (int readAt, SpilledDelivery lastRead) = (_readAt, _lastRead);
            if (!TryRead(out delivery)) return false;
            if (!TakeIfRemoved(delivery))
            {
                (_readAt, _lastRead) = (readAt, lastRead);
                return true;
            }
        }
    }

    /// <summary>Takes the oldest.</summary>
    public bool TryDequeue(out SpilledDelivery delivery)
    {
        while (TryRead(out delivery))
        {
            if (TakeIfRemoved(delivery)) continue;
            if (--_entries == 0) Clear();
            return true;
        }

        return false;
    }

    /// <summary>Removes one that is in it, from anywhere. Who removes it gets it from <see cref="TakeRemoved"/> sooner or later.</summary>
    public void Remove(long position)
    {
        (_removed ??= []).Add(position);
        if (Count == 0 || (_removed.Count >= LeastRemoved && _removed.Count > Count)) TakeOutRemoved();
    }

    /// <summary>Takes the removed ones that have left it.</summary>
    /// <param name="all">Whether those that are still there leave it now.</param>
    public List<SpilledDelivery>? TakeRemoved(bool all)
    {
        if (all && _removed is not null) TakeOutRemoved();
        List<SpilledDelivery>? taken = _taken;
        _taken = null;
        return taken;
    }

    /// <summary>Takes all that have expired.</summary>
    public List<SpilledDelivery> TakeExpired(long nowMs)
    {
        if (nowMs < EarliestExpiryMs) return [];
        var expired = new List<SpilledDelivery>();
        Sift(one => nowMs >= one.ExpiresAtMs, expired);
        return expired;
    }

    /// <summary>Them, oldest first; they stay.</summary>
    /// <param name="limit">Most of them.</param>
    public List<SpilledDelivery> ToList(int limit = int.MaxValue)
    {
        var copy = new SpilledQueue { _readAt = _readAt, _lastRead = _lastRead, _entries = _entries };
        foreach (byte[] chunk in _chunks) copy._chunks.Enqueue(chunk);
        var all = new List<SpilledDelivery>(Math.Min(limit, Count));
        for (int i = 0; i < _entries && all.Count < limit && copy.TryRead(out SpilledDelivery delivery); i++)
        {
            if (_removed is null || !_removed.Contains(delivery.Position)) all.Add(delivery);
        }

        return all;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _chunks.Clear();
        _tail = null;
        _readAt = _writeAt = 0;
        _lastRead = _lastWritten = default;
        _entries = 0;
        _removed = null;
        EarliestExpiryMs = Message.Never;
    }

    private bool TakeIfRemoved(in SpilledDelivery delivery)
    {
        if (_removed is null || !_removed.Remove(delivery.Position)) return false;
        (_taken ??= []).Add(delivery);
        if (--_entries == 0) Clear();
        else if (_removed.Count == 0) _removed = null;
        return true;
    }

    private void TakeOutRemoved() => Sift(static _ => false, []);

    /// <summary>Writes all anew but those that are chosen, and those that were removed.</summary>
    private void Sift(Predicate<SpilledDelivery> isChosen, List<SpilledDelivery> chosen)
    {
        var kept = new List<SpilledDelivery>(Count);
        while (TryRead(out SpilledDelivery delivery))
        {
            if (_removed is not null && _removed.Contains(delivery.Position)) (_taken ??= []).Add(delivery);
            else if (isChosen(delivery)) chosen.Add(delivery);
            else kept.Add(delivery);
        }

        Clear();
        foreach (SpilledDelivery one in kept) Enqueue(one);
    }

    private bool TryRead(out SpilledDelivery delivery)
    {
        delivery = default;
        SkipEndOfChunk();
        if (!_chunks.TryPeek(out byte[]? chunk) || IsEnd(chunk)) return false;
        byte flags = chunk[_readAt++];
        long id = _lastRead.MessageId + Read(chunk);
        long position = _lastRead.Position + Read(chunk);
        int size = (int)Read(chunk);
        int queuedAt = _lastRead.QueuedAtSeconds + ((flags & QueuedLater) != 0 ? (int)Read(chunk) : 0);
        bool expires = (flags & Expires) != 0;
        long expiry = expires ? _lastRead.ExpiresAtMs + Read(chunk) : _lastRead.ExpiresAtMs;
        _lastRead = new SpilledDelivery(id, position, size, expiry, (DeliveryOptions)(flags & ~(Expires | QueuedLater)), queuedAt);
        delivery = expires ? _lastRead : _lastRead with { ExpiresAtMs = Message.Never };
        return true;
    }

    // An entry never lies across chunks.
    private void SkipEndOfChunk()
    {
        if (_chunks.Count <= 1 || !IsEnd(_chunks.Peek())) return;
        _chunks.Dequeue();
        _readAt = 0;
    }

    private bool IsEnd(byte[] chunk) => _readAt >= chunk.Length || chunk[_readAt] == 0;

    [MemberNotNull(nameof(_tail))]
    private void AddChunk()
    {
        _tail = new byte[_chunks.Count == 0 ? 2 * LongestEntryBytes : ChunkBytes];
        _chunks.Enqueue(_tail);
        _writeAt = 0;
    }

    private void GrowOnly()
    {
        Array.Resize(ref _tail, ChunkBytes);
        _chunks.Clear();
        _chunks.Enqueue(_tail!);
    }

    // Signed, since two publishers on two threads may be numbered in another order than they reached the session: zigzag, seven bits a byte.
    private void Write(long value)
    {
        ulong rest = (ulong)((value << 1) ^ (value >> 63));
        while (rest >= 0x80)
        {
            _tail![_writeAt++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        _tail![_writeAt++] = (byte)rest;
    }

    private long Read(byte[] chunk)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = chunk[_readAt++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return (long)(value >> 1) ^ -(long)(value & 1);
        }
    }
}
