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
    private const int LongestEntryBytes = 1 + (4 * 10);
    private const byte Expires = 0x80;

    private readonly Queue<byte[]> _chunks = new();
    private byte[]? _tail;
    private int _readAt;
    private int _writeAt;
    private SpilledDelivery _lastRead;
    private SpilledDelivery _lastWritten;

    /// <summary>Deliveries in it.</summary>
    public int Count { get; private set; }

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

        // First, and never zero since it says QoS 1 or 2: the zero behind a chunk's last entry is its end.
        _tail![_writeAt++] = (byte)((byte)delivery.Options | (delivery.ExpiresAtMs == Message.Never ? 0 : Expires));
        Write(delivery.MessageId - _lastWritten.MessageId);
        Write(delivery.Position - _lastWritten.Position);
        Write(delivery.SizeBytes);
        // Never stands for no time at all, so differences are taken between real times only.
        long lastExpiry = _lastWritten.ExpiresAtMs;
        if (delivery.ExpiresAtMs != Message.Never)
        {
            Write(delivery.ExpiresAtMs - lastExpiry);
            lastExpiry = delivery.ExpiresAtMs;
            EarliestExpiryMs = Math.Min(EarliestExpiryMs, lastExpiry);
        }

        _lastWritten = delivery with { ExpiresAtMs = lastExpiry };
        Count++;
    }

    /// <summary>Takes the oldest.</summary>
    public bool TryDequeue(out SpilledDelivery delivery)
    {
        delivery = default;
        if (Count == 0) return false;
        if (!TryRead(out delivery)) return false;
        if (--Count == 0) Clear();
        return true;
    }

    /// <summary>All of them, oldest first; they stay.</summary>
    public List<SpilledDelivery> ToList()
    {
        var copy = new SpilledQueue { _readAt = _readAt, _lastRead = _lastRead, Count = Count };
        foreach (byte[] chunk in _chunks) copy._chunks.Enqueue(chunk);
        var all = new List<SpilledDelivery>(Count);
        for (int i = 0; i < Count && copy.TryRead(out SpilledDelivery delivery); i++) all.Add(delivery);
        return all;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _chunks.Clear();
        _tail = null;
        _readAt = _writeAt = 0;
        _lastRead = _lastWritten = default;
        Count = 0;
        EarliestExpiryMs = Message.Never;
    }

    private bool TryRead(out SpilledDelivery delivery)
    {
        delivery = default;
        // An entry never lies across chunks.
        if (_chunks.TryPeek(out byte[]? chunk) && (_readAt >= chunk.Length || chunk[_readAt] == 0))
        {
            _chunks.Dequeue();
            _readAt = 0;
            if (!_chunks.TryPeek(out chunk)) return false;
        }

        if (chunk is null) return false;
        byte flags = chunk[_readAt++];
        long id = _lastRead.MessageId + Read(chunk);
        long position = _lastRead.Position + Read(chunk);
        int size = (int)Read(chunk);
        bool expires = (flags & Expires) != 0;
        long expiry = expires ? _lastRead.ExpiresAtMs + Read(chunk) : _lastRead.ExpiresAtMs;
        _lastRead = new SpilledDelivery(id, position, size, expiry, (DeliveryOptions)(flags & ~Expires));
        delivery = expires ? _lastRead : _lastRead with { ExpiresAtMs = Message.Never };
        return true;
    }

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
