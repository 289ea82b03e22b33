using System.Runtime.CompilerServices;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The QoS 1 and 2 messages sent and not yet acknowledged, oldest first. A message's packet identifier follows from its position in the session's order, 1 to
/// 65,535 and round again: it is the same when the message is sent again by a later life of the process, and its slot is its distance from the oldest one, so
/// that a look-up needs neither search nor table. Slots between open ones stay until the oldest is done.
/// </summary>
internal sealed class InflightWindow
{
    /// <summary>The empty window, shared; never added to.</summary>
    public static readonly InflightWindow None = new();

    private const int MaxPacketId = ushort.MaxValue;

    // Beyond this the client leaves old messages unacknowledged while it acknowledges new ones: it waits instead of making the ring grow.
    private const int MaxSpan = 16_384;

    // Room for the first messages, and what a session without open ones keeps at most.
    private const int FirstSlots = 4;
    private const int LargestKept = 64;

    // Beyond this the ring grows by doubling: the size a window once had must not decide how much memory it takes.
    private const int MostExpected = 256;

    private QueuedMessage[] _ring = [];
    private int _head;
    private int _span;

    // The most slots it had since it was empty, and the time before: when it outgrows the first ones it makes room for as many at once.
    private int _most;
    private int _mostBefore;
    private long _headPosition = 1;
    private int _accountedBytes;

    /// <summary>Open messages.</summary>
    public int Count { get; private set; }

    /// <summary>Slots from the oldest open message to the newest, done ones between them included.</summary>
    public int Span => _span;

    /// <summary>Whether a message with this position, behind all others, can be added.</summary>
    public bool HasRoomFor(long position) => _span == 0 || position - _headPosition < MaxSpan;

    /// <summary>The packet identifier of a message with this position.</summary>
    public static ushort IdOf(long position) => (ushort)(((position - 1) % MaxPacketId) + 1);

    /// <summary>The message at a slot, 0 being the oldest.</summary>
    public ref QueuedMessage At(int slot) => ref _ring[(_head + slot) & (_ring.Length - 1)];

    /// <summary>The packet identifier of a slot.</summary>
    public ushort IdAt(int slot) => IdOf(_headPosition + slot);

    /// <summary>The slot of an open identifier, or -1.</summary>
    public int Find(ushort packetId)
    {
        int slot = packetId - IdAt(0);
        if (slot < 0) slot += MaxPacketId;
        return slot < _span && At(slot).State != DeliveryState.None ? slot : -1;
    }

    /// <summary>
    /// Adds a message by its position and returns its slot. Nearly always it is the last; in a session that was restored it may come before others, whose slots
    /// move back.
    /// </summary>
    public int Add(in QueuedMessage message)
    {
        if (_span == 0)
        {
            _headPosition = message.Position;
        }
        else if (message.Position < _headPosition)
        {
            int moved = (int)(_headPosition - message.Position);
            Reserve(_span + moved);
            _head = (_head - moved) & (_ring.Length - 1);
            _span += moved;
            _headPosition = message.Position;
        }

        int slot = (int)(message.Position - _headPosition);
        if (slot >= _span)
        {
            Reserve(slot + 1);
            _span = slot + 1;
        }

        _most = Math.Max(_most, _span);
        At(slot) = message;
        Count++;
        return slot;
    }

    /// <summary>Frees a slot and its identifier.</summary>
    public void Remove(int slot)
    {
        At(slot) = default;
        Count--;
        while (_span > 0 && At(0).State == DeliveryState.None)
        {
            _head = (_head + 1) & (_ring.Length - 1);
            _headPosition++;
            _span--;
        }

        if (_span > 0) return;
        _mostBefore = _most;
        _most = 0;
        if (_ring.Length > LargestKept) _ring = [];
    }

    /// <summary>Another window with all open messages that stand where they should.</summary>
    public InflightWindow Rebuild()
    {
        var whole = new InflightWindow { _accountedBytes = _accountedBytes };
        for (int slot = 0; slot < Math.Min(_span, _ring.Length); slot++)
        {
            ref QueuedMessage message = ref At(slot);
            if (message.State != DeliveryState.None && message.Position == _headPosition + slot) whole.Add(message);
        }

        return whole;
    }

    /// <summary>Whether a message with this position is open.</summary>
    public bool Contains(long position) =>
        _span > 0 && position >= _headPosition && position < _headPosition + _span && At((int)(position - _headPosition)).State != DeliveryState.None;

    /// <summary>Bytes of the messages that are in memory.</summary>
    public long CountHeldBytes()
    {
        long bytes = 0;
        for (int slot = 0; slot < _span; slot++) bytes += At(slot).Message?.SizeBytes ?? 0;
        return bytes;
    }

    /// <summary>Whether this message is open.</summary>
    public bool Holds(Message message)
    {
        for (int slot = _span - 1; slot >= 0; slot--)
        {
            if (ReferenceEquals(At(slot).Message, message)) return true;
        }

        return false;
    }

    /// <summary>Accounts what the window itself takes, with the journal's side of its messages; nothing once it is over.</summary>
    public void Account(MemoryLedger ledger, bool isOver, bool isStored)
    {
        int bytes = isOver ? 0 : _ring.Length * (Unsafe.SizeOf<QueuedMessage>() + (isStored ? StoredDelivery.MemoryBytes : 0));
        if (bytes == _accountedBytes) return;
        ledger.Account(MemoryKind.Inflight, bytes - _accountedBytes);
        _accountedBytes = bytes;
    }

    private void Reserve(int slots)
    {
        if (slots <= _ring.Length) return;
        int expected = _ring.Length == FirstSlots ? Math.Min(_mostBefore, MostExpected) : FirstSlots;
        var larger = new QueuedMessage[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(slots, expected))];
        for (int i = 0; i < _span; i++) larger[i] = At(i);
        _ring = larger;
        _head = 0;
    }
}
