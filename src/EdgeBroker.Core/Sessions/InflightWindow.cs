namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The QoS 1 and 2 messages sent and not yet acknowledged, oldest first. Identifiers are given out in sequence, 1 to 65,535 and round again, so the place of
/// an identifier is its distance from the oldest one: look-up needs neither search nor table. Acknowledged places between open ones stay until the oldest is done.
/// </summary>
internal sealed class InflightWindow
{
    /// <summary>The empty window, shared; never added to.</summary>
    public static readonly InflightWindow None = new();

    private const int MaxPacketId = ushort.MaxValue;

    // Beyond this the client leaves old messages unacknowledged while it acknowledges new ones: it waits instead of making the ring grow.
    private const int MaxSpan = 16_384;

    private QueuedMessage[] _ring = [];
    private int _head;
    private int _span;
    private ushort _headId = 1;

    /// <summary>Open messages.</summary>
    public int Count { get; private set; }

    /// <summary>Places from the oldest open message to the newest, done ones between them included.</summary>
    public int Span => _span;

    /// <summary>Whether one more can be added.</summary>
    public bool HasRoom => _span < MaxSpan;

    /// <summary>The message at a place, 0 being the oldest.</summary>
    public ref QueuedMessage At(int place) => ref _ring[(_head + place) & (_ring.Length - 1)];

    /// <summary>The packet identifier of a place.</summary>
    public ushort IdAt(int place) => (ushort)(((_headId - 1 + place) % MaxPacketId) + 1);

    /// <summary>The place of an open identifier, or -1.</summary>
    public int Find(ushort packetId)
    {
        int place = packetId - _headId;
        if (place < 0) place += MaxPacketId;
        return place < _span && At(place).State != DeliveryState.None ? place : -1;
    }

    /// <summary>Adds a message behind the newest and returns its packet identifier.</summary>
    public ushort Add(in QueuedMessage message)
    {
        if (_span == _ring.Length) Grow();
        int place = _span++;
        At(place) = message;
        Count++;
        return IdAt(place);
    }

    /// <summary>Closes a place; its identifier is free again.</summary>
    public void Remove(int place)
    {
        At(place) = default;
        Count--;
        while (_span > 0 && At(0).State == DeliveryState.None)
        {
            _head = (_head + 1) & (_ring.Length - 1);
            _headId = IdAt(1);
            _span--;
        }

        if (_span == 0 && _ring.Length > 64) _ring = [];
    }

    private void Grow()
    {
        var larger = new QueuedMessage[Math.Max(4, 2 * _ring.Length)];
        for (int i = 0; i < _span; i++) larger[i] = At(i);
        _ring = larger;
        _head = 0;
    }
}
