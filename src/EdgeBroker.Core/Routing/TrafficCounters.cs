using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// What went through one routing context. One thread at a time counts, without atomics; readers see values that may be a moment old. Never reset.
/// </summary>
public sealed class TrafficCounters
{
    /// <summary>Control packets received.</summary>
    public long PacketsReceived;

    /// <summary>Control packets written.</summary>
    public long PacketsSent;

    /// <summary>Bytes received.</summary>
    public long BytesReceived;

    /// <summary>Bytes written.</summary>
    public long BytesSent;

    /// <summary>PUBLISH packets received.</summary>
    public long PublishesReceived;

    /// <summary>PUBLISH packets written.</summary>
    public long PublishesSent;

    /// <summary>Payload bytes of PUBLISH packets received.</summary>
    public long PublishBytesReceived;

    /// <summary>Payload bytes of PUBLISH packets written.</summary>
    public long PublishBytesSent;

    /// <summary>Transport connections accepted.</summary>
    public long SocketsOpened;

    /// <summary>CONNECT packets received.</summary>
    public long Connects;

    private readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];

    /// <summary>Messages that did not reach a session they were meant for.</summary>
    public long PublishesDropped => _dropped.Sum();

    /// <summary>Those of them that did not for one reason.</summary>
    public long Dropped(DropReason reason) => Volatile.Read(ref _dropped[(int)reason]);

    /// <summary>Counts messages that did not reach a session.</summary>
    public void CountDropped(DropReason reason, int count = 1) => _dropped[(int)reason] += count;

    /// <summary>Adds another's figures to these.</summary>
    public void Add(TrafficCounters other)
    {
        PacketsReceived += Volatile.Read(ref other.PacketsReceived);
        PacketsSent += Volatile.Read(ref other.PacketsSent);
        BytesReceived += Volatile.Read(ref other.BytesReceived);
        BytesSent += Volatile.Read(ref other.BytesSent);
        PublishesReceived += Volatile.Read(ref other.PublishesReceived);
        PublishesSent += Volatile.Read(ref other.PublishesSent);
        PublishBytesReceived += Volatile.Read(ref other.PublishBytesReceived);
        PublishBytesSent += Volatile.Read(ref other.PublishBytesSent);
        for (int i = 0; i < _dropped.Length; i++) _dropped[i] += Volatile.Read(ref other._dropped[i]);
        SocketsOpened += Volatile.Read(ref other.SocketsOpened);
        Connects += Volatile.Read(ref other.Connects);
    }
}
