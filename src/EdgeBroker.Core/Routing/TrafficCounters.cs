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

    /// <summary>Messages that did not reach a session they were meant for.</summary>
    public long PublishesDropped;

    /// <summary>Transport connections accepted.</summary>
    public long SocketsOpened;

    /// <summary>CONNECT packets received.</summary>
    public long Connects;

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
        PublishesDropped += Volatile.Read(ref other.PublishesDropped);
        SocketsOpened += Volatile.Read(ref other.SocketsOpened);
        Connects += Volatile.Read(ref other.Connects);
    }
}
