using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// The handshakes of one listener that are in progress: a bounded number. When it is reached, who has more of them than the newcomer gives up the oldest that
/// waits for its client, so that one address cannot keep the others out; among equals only one that has kept us waiting. Any thread.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class HandshakeSlots(TimeProvider time)
{
    // A client on a slow line answers within it; one that is after the slot must come back for each.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly LinkedList<Slot> _slots = new();
    private readonly Dictionary<UInt128, int> _byAddress = [];

    /// <summary>How many are in progress.</summary>
    public int Count
    {
        get
        {
            lock (_lock.Alone()) return _slots.Count;
        }
    }

    /// <summary>Takes a slot, for a client whose ClientHello is there; null: there is none.</summary>
    /// <param name="address">The client's; null: it has none.</param>
    /// <param name="limit">How many there are.</param>
    /// <param name="givenUp">Told when the slot is taken away, from another thread: the handshake must end.</param>
    public Slot? TryEnter(IPAddress? address, int limit, Action givenUp)
    {
        UInt128 key = KeyOf(address);
        Slot? victim = null;
        Slot slot;
        lock (_lock.Alone())
        {
            if (_slots.Count >= limit)
            {
                victim = FindVictim(key);
                if (victim is null) return null;
                Remove(victim);
            }

            slot = new Slot(this, key, givenUp, time.GetTimestamp());
            slot.Node = _slots.AddLast(slot);
            _byAddress[key] = _byAddress.GetValueOrDefault(key) + 1;
        }

        victim?.GivenUp();
        return slot;
    }

    // Networks of one subscriber are one address.
    private static UInt128 KeyOf(IPAddress? address)
    {
        if (address is null) return UInt128.MaxValue;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : new UInt128(BinaryPrimitives.ReadUInt64BigEndian(bytes), 0);
    }

    private Slot? FindVictim(UInt128 newcomer)
    {
        int own = _byAddress.GetValueOrDefault(newcomer);
        Slot? patient = null, greedy = null;
        int most = own + 1;
        foreach (Slot slot in _slots)
        {
            // What we are computing ends by itself.
            if (!slot.IsWaiting) continue;
            int held = _byAddress[slot.Key];
            if (held > most) (greedy, most) = (slot, held);
            if (patient is null && held >= own && time.GetElapsedTime(slot.Since) >= Timeout) patient = slot;
        }

        return greedy ?? patient;
    }

    private void Remove(Slot slot)
    {
        if (slot.Node is not { } node) return;
        slot.Node = null;
        _slots.Remove(node);
        if (--_byAddress[slot.Key] == 0) _byAddress.Remove(slot.Key);
    }

    /// <summary>One of them, until it is disposed of.</summary>
    public sealed class Slot : IDisposable
    {
        private readonly HandshakeSlots _slots;
        private readonly Action _givenUp;
        private volatile bool _isWaiting;

        internal Slot(HandshakeSlots slots, UInt128 key, Action givenUp, long since)
        {
            _slots = slots;
            _givenUp = givenUp;
            Key = key;
            Since = since;
        }

        /// <summary>Whether it is the client's turn to say something.</summary>
        public bool IsWaiting
        {
            get => _isWaiting;
            set => _isWaiting = value;
        }

        internal UInt128 Key { get; }

        /// <summary>When it was taken.</summary>
        internal long Since { get; }

        internal LinkedListNode<Slot>? Node { get; set; }

        /// <inheritdoc/>
        public void Dispose()
        {
            lock (_slots._lock.Alone()) _slots.Remove(this);
        }

        internal void GivenUp() => _givenUp();
    }
}
