using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>Consecutive messages of a batch that one publisher sent and the same subscriptions match.</summary>
public readonly ref struct MessageSegment
{
    private readonly MessageBatch _batch;
    private readonly int _start;
    private readonly ReadOnlySpan<byte> _packets;
    private readonly ProtocolVersion _packetVersion;
    private readonly int _largestPacketBytes;

    internal MessageSegment(
        MessageBatch batch, int start, int count, long payloadBytes, ReadOnlySpan<byte> packets, ProtocolVersion packetVersion, int largestPacketBytes)
    {
        _batch = batch;
        _start = start;
        _packets = packets;
        _packetVersion = packetVersion;
        _largestPacketBytes = largestPacketBytes;
        Count = count;
        PayloadBytes = payloadBytes;
    }

    /// <summary>Messages.</summary>
    public int Count { get; }

    /// <summary>Bytes of their payloads.</summary>
    public long PayloadBytes { get; }

    /// <summary>Who sent them; null: somebody who receives nothing.</summary>
    public Receiver? Publisher => _batch.PublisherOf(_start);

    /// <summary>Who gets them.</summary>
    internal MatchResult Match => _batch.Matches[_start];

    /// <summary>A message; valid until the batch has been delivered.</summary>
    public Publication this[int index] => _batch.MessageAt(_start + index);

    /// <summary>The topic of a message.</summary>
    public ReadOnlySpan<byte> TopicOf(int index) => _batch.TopicOf(_start + index);

    /// <summary>The packets as they were received, behind one another; false when a message came in another form.</summary>
    /// <param name="version">The version they are to be of.</param>
    /// <param name="packets">The packets.</param>
    /// <param name="largestPacketBytes">The length of the longest.</param>
    public bool TryGetPackets(ProtocolVersion version, out ReadOnlySpan<byte> packets, out int largestPacketBytes)
    {
        bool isTheirs = version == _packetVersion;
        packets = isTheirs ? _packets : default;
        largestPacketBytes = isTheirs ? _largestPacketBytes : 0;
        return isTheirs;
    }

    /// <summary>Keeps the owned form of a message for the next receiver that needs one.</summary>
    internal void KeepOwned(int index, Message message) => _batch.KeepOwned(_start + index, message);
}
