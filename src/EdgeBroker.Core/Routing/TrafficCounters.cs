using System.Runtime.CompilerServices;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// What went through one routing context. One thread at a time counts, without atomics; readers see values that may be a moment old. Never reset.
/// </summary>
public sealed class TrafficCounters
{
    /// <summary>Control packets received, by their type.</summary>
    public PacketCounts PacketsReceivedBy;

    /// <summary>Control packets written, by their type, but for PUBLISH: those are <see cref="PublishesSentBy"/>.</summary>
    public PacketCounts PacketsSentBy;

    /// <summary>PUBLISH packets received, by their QoS.</summary>
    public QoSCounts PublishesReceivedBy;

    /// <summary>PUBLISH packets written, by their QoS.</summary>
    public QoSCounts PublishesSentBy;

    /// <summary>Bytes received.</summary>
    public long BytesReceived;

    /// <summary>Bytes written.</summary>
    public long BytesSent;

    /// <summary>Payload bytes of PUBLISH packets received.</summary>
    public long PublishBytesReceived;

    /// <summary>Payload bytes of PUBLISH packets written.</summary>
    public long PublishBytesSent;

    /// <summary>Messages that nobody subscribes to.</summary>
    public long Unrouted;

    /// <summary>Transport connections accepted.</summary>
    public long SocketsOpened;

    /// <summary>CONNECT packets received.</summary>
    public long Connects;

    private readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];

    /// <summary>Control packets received.</summary>
    public long PacketsReceived => Sum(PacketsReceivedBy);

    /// <summary>Control packets written.</summary>
    public long PacketsSent => Sum(PacketsSentBy) + PublishesSent;

    /// <summary>PUBLISH packets received.</summary>
    public long PublishesReceived => Sum(PublishesReceivedBy);

    /// <summary>PUBLISH packets written.</summary>
    public long PublishesSent => Sum(PublishesSentBy);

    /// <summary>Messages that did not reach a session they were meant for.</summary>
    public long PublishesDropped => _dropped.Sum();

    /// <summary>Those of them that did not for one reason.</summary>
    public long Dropped(DropReason reason) => Volatile.Read(ref _dropped[(int)reason]);

    /// <summary>Counts messages that did not reach a session.</summary>
    public void CountDropped(DropReason reason, int count = 1) => _dropped[(int)reason] += count;

    /// <summary>Control packets written of one type.</summary>
    public long SentOf(PacketType type) => type == PacketType.Publish ? PublishesSent : Volatile.Read(ref PacketsSentBy[(int)type]);

    /// <summary>Adds another's figures to these.</summary>
    public void Add(TrafficCounters other)
    {
        for (int i = 0; i < PacketCounts.Length; i++)
        {
            PacketsReceivedBy[i] += Volatile.Read(ref other.PacketsReceivedBy[i]);
            PacketsSentBy[i] += Volatile.Read(ref other.PacketsSentBy[i]);
        }

        for (int i = 0; i < QoSCounts.Length; i++)
        {
            PublishesReceivedBy[i] += Volatile.Read(ref other.PublishesReceivedBy[i]);
            PublishesSentBy[i] += Volatile.Read(ref other.PublishesSentBy[i]);
        }

        BytesReceived += Volatile.Read(ref other.BytesReceived);
        BytesSent += Volatile.Read(ref other.BytesSent);
        PublishBytesReceived += Volatile.Read(ref other.PublishBytesReceived);
        PublishBytesSent += Volatile.Read(ref other.PublishBytesSent);
        Unrouted += Volatile.Read(ref other.Unrouted);
        for (int i = 0; i < _dropped.Length; i++) _dropped[i] += Volatile.Read(ref other._dropped[i]);
        SocketsOpened += Volatile.Read(ref other.SocketsOpened);
        Connects += Volatile.Read(ref other.Connects);
    }

    private static long Sum(ReadOnlySpan<long> counts)
    {
        long sum = 0;
        foreach (ref readonly long count in counts) sum += Volatile.Read(in count);
        return sum;
    }
}

/// <summary>A count for each type of control packet: what <see cref="PacketType"/> has, and 0.</summary>
[InlineArray(Length)]
public struct PacketCounts
{
    /// <summary>How many there are.</summary>
    public const int Length = 16;

    private long _first;
}

/// <summary>A count for each QoS.</summary>
[InlineArray(Length)]
public struct QoSCounts
{
    /// <summary>How many there are.</summary>
    public const int Length = 3;

    private long _first;
}
