namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The QoS 1 and 2 messages sent and not yet acknowledged, oldest first. A message's packet identifier follows from its position in the session's order, 1 to
/// 65,535 and round again:
/// it is the same when the message is sent again by a later life of the process, and its place is its distance from the oldest one, so that look-up needs
/// neither search nor table.
/// Places between open ones stay until the oldest is done.
/// </summary>
internal sealed class InflightWindow
{
    /// <summary>The empty window, shared; never added to.</summary>
    public static readonly InflightWindow None = new();

    private const int MaxPacketId = ushort.MaxValue;

    // Beyond this the client leaves old messages unacknowledged while it acknowledges new ones: it waits instead of making the ring grow.
    private const int MaxSpan = 16_384;

    // Room for the first messages, and what a session without open ones keeps at most.
    private const int FirstPlaces = 4;
    private const int LargestKept = 64;

    // Beyond this room is made by doubling: what a window once was must not decide what it weighs.
    private const int MostExpected = 256;

    private QueuedMessage[] _ring = [];
    private int _head;
    private int _span;

    // The most places it had since it was empty, and the time before: when it outgrows the first ones it makes room for as many at once.
    private int _most;
    private int _mostBefore;
    private long _headPosition = 1;

    /// <summary>Open messages.</summary>
    public int Count { get; private set; }

    /// <summary>Places from the oldest open message to the newest, done ones between them included.</summary>
    public int Span => _span;

    /// <summary>Whether a message with this position, behind all others, can be added.</summary>
    public bool HasRoomFor(long position) => _span == 0 || position - _headPosition < MaxSpan;

    /// <summary>The message at a place, 0 being the oldest.</summary>
    public ref QueuedMessage At(int place) => ref _ring[(_head + place) & (_ring.Length - 1)];

    /// <summary>The packet identifier of a place.</summary>
    public ushort IdAt(int place) => (ushort)(((_headPosition - 1 + place) % MaxPacketId) + 1);

    /// <summary>The place of an open identifier, or -1.</summary>
    public int Find(ushort packetId)
    {
        int place = packetId - IdAt(0);
        if (place < 0) place += MaxPacketId;
        return place < _span && At(place).State != DeliveryState.None ? place : -1;
    }

    /// <summary>Adds a message by its position and returns its place. Nearly always it is the last; before others only in a session that was
    /// restored.</summary>
    /// <param name="message">The message.</param>
    /// <param name="moved">How far the places of the others moved back to make room before them.</param>
    public int Add(in QueuedMessage message, out int moved)
    {
        moved = 0;
        if (_span == 0)
        {
            _headPosition = message.Position;
        }
        else if (message.Position < _headPosition)
        {
            moved = (int)(_headPosition - message.Position);
            Reserve(_span + moved);
            _head = (_head - moved) & (_ring.Length - 1);
            _span += moved;
            _headPosition = message.Position;
        }

        int place = (int)(message.Position - _headPosition);
        if (place >= _span)
        {
            Reserve(place + 1);
            _span = place + 1;
        }

        _most = Math.Max(_most, _span);
        At(place) = message;
        Count++;
        return place;
    }

    /// <summary>Closes a place; its identifier is free again.</summary>
    public void Remove(int place)
    {
        At(place) = default;
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

    private void Reserve(int places)
    {
        if (places <= _ring.Length) return;
        int expected = _ring.Length == FirstPlaces ? Math.Min(_mostBefore, MostExpected) : FirstPlaces;
        var larger = new QueuedMessage[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(places, expected))];
        for (int i = 0; i < _span; i++) larger[i] = At(i);
        _ring = larger;
        _head = 0;
    }
}
