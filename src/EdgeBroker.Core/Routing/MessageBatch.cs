using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// QoS 0 messages received together, which are matched and delivered together. It keeps the bytes of each as they came, and where the parts of the message are
/// in them; it encodes nothing and parses nothing. It belongs to the owner of a routing context, who has it delivered. One thread at a time.
/// </summary>
public sealed class MessageBatch
{
    /// <summary>Messages held at most.</summary>
    internal const int MaxMessages = 1024;

    private const int MaxBytes = 64 * 1024;

    // A longer message goes by itself: to copy it costs more than to find its receivers. Payload and properties count.
    private const int MaxMessageBytes = 4 * 1024;

    private Entry[] _entries = new Entry[16];
    private MatchResult[] _matches = [];
    private Message?[] _owned = [];
    private byte[] _bytes = [];
    private int _length;
    private bool _hasOwned;

    /// <summary>Messages held.</summary>
    public int Count { get; private set; }

    /// <summary>Who gets each of the messages held; filled before the first segment is asked for.</summary>
    internal Span<MatchResult> Matches
    {
        get
        {
            if (_matches.Length < Count) _matches = new MatchResult[_entries.Length];
            return _matches.AsSpan(0, Count);
        }
    }

    /// <summary>Whether a message is one that may wait for others.</summary>
    internal static bool MayHold(in Publication message) =>
        message.QoS == QoS.AtMostOnce && !message.Retain && message.Payload.Length + message.Properties.Length <= MaxMessageBytes;

    /// <summary>Copies a message that may wait; false when there is no room for it beside the others.</summary>
    internal bool TryAdd(in Publication message)
    {
        int length = message.Packet.IsEmpty ? message.Topic.Length + message.Properties.Length + message.Payload.Length : message.Packet.Length;
        if (Count == MaxMessages || (Count > 0 && _length + length > MaxBytes)) return false;
        MakeRoom(length);
        Span<byte> bytes = _bytes.AsSpan(_length, length);
        int topicAt = 0;
        int propertiesAt = message.Topic.Length;
        if (message.Packet.IsEmpty)
        {
            message.Topic.CopyTo(bytes);
            message.Properties.CopyTo(bytes[propertiesAt..]);
            message.Payload.CopyTo(bytes[(length - message.Payload.Length)..]);
        }
        else
        {
            message.Packet.CopyTo(bytes);
            message.Packet.Overlaps(message.Topic, out topicAt);
            message.Packet.Overlaps(message.Properties, out propertiesAt);
        }

        _entries[Count++] = new Entry
        {
            Publisher = message.Publisher,
            At = _length,
            Length = length,
            TopicAt = _length + topicAt,
            PropertiesAt = _length + propertiesAt,
            PayloadLength = message.Payload.Length,
            TopicLength = (ushort)message.Topic.Length,
            PropertiesLength = (ushort)message.Properties.Length,
            ExpirySeconds = message.ExpirySeconds,
            PacketVersion = message.Packet.IsEmpty ? default : message.PacketVersion,
        };
        _length += length;
        return true;
    }

    /// <summary>The topic of a message.</summary>
    internal ReadOnlySpan<byte> TopicOf(int index)
    {
        ref readonly Entry entry = ref _entries[index];
        return _bytes.AsSpan(entry.TopicAt, entry.TopicLength);
    }

    /// <summary>Who sent a message.</summary>
    internal Receiver? PublisherOf(int index) => _entries[index].Publisher;

    /// <summary>A message.</summary>
    internal Publication MessageAt(int index)
    {
        ref readonly Entry entry = ref _entries[index];
        ReadOnlySpan<byte> bytes = _bytes.AsSpan(entry.At, entry.Length);
        return new Publication
        {
            Topic = TopicOf(index),
            Payload = bytes[^entry.PayloadLength..],
            Properties = _bytes.AsSpan(entry.PropertiesAt, entry.PropertiesLength),
            ExpirySeconds = entry.ExpirySeconds,
            Publisher = entry.Publisher,
            Packet = entry.PacketVersion == default ? default : bytes,
            PacketVersion = entry.PacketVersion,
            Owned = _hasOwned ? _owned[index] : null,
        };
    }

    /// <summary>Keeps the owned form of a message for the next receiver that needs one.</summary>
    internal void KeepOwned(int index, Message message)
    {
        if (_owned.Length < Count) _owned = new Message?[_entries.Length];
        _owned[index] = message;
        _hasOwned = true;
    }

    /// <summary>
    /// The messages from a position on that are of one publisher and have one match. A message that goes to shared groups is by itself, since each may have
    /// another member.
    /// </summary>
    internal MessageSegment SegmentAt(int start)
    {
        ref readonly Entry first = ref _entries[start];
        MatchResult match = _matches[start];
        ProtocolVersion version = first.PacketVersion;
        int largest = 0;
        long payloadBytes = 0;
        int end = start;
        do
        {
            ref readonly Entry entry = ref _entries[end++];
            if (entry.PacketVersion != version) version = default;
            largest = Math.Max(largest, entry.Length);
            payloadBytes += entry.PayloadLength;
        }
        while (end < Count && match.Groups.Length == 0 && ReferenceEquals(_matches[end], match) && ReferenceEquals(_entries[end].Publisher, first.Publisher));
        ref readonly Entry last = ref _entries[end - 1];
        ReadOnlySpan<byte> packets = version == default ? default : _bytes.AsSpan(first.At, last.At + last.Length - first.At);
        return new MessageSegment(this, start, end - start, payloadBytes, packets, version, largest);
    }

    /// <summary>Lets go of all messages.</summary>
    internal void Clear()
    {
        Array.Clear(_matches, 0, Math.Min(_matches.Length, Count));
        Array.Clear(_entries, 0, Count);
        if (_hasOwned) Array.Clear(_owned, 0, Count);
        _hasOwned = false;
        _length = 0;
        Count = 0;
    }

    private void MakeRoom(int length)
    {
        if (Count == _entries.Length) Array.Resize(ref _entries, 4 * _entries.Length);
        if (_bytes.Length - _length >= length) return;
        byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(_length + length, Math.Max(4096, 2 * _bytes.Length)));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        _bytes = larger;
    }

    /// <summary>Where a message and its parts are among the bytes. The payload is at the end.</summary>
    private struct Entry
    {
        public Receiver? Publisher;
        public uint? ExpirySeconds;
        public int At;
        public int Length;
        public int TopicAt;
        public int PropertiesAt;
        public int PayloadLength;
        public ushort TopicLength;
        public ushort PropertiesLength;

        // That of the packet as received; none: only the parts are there.
        public ProtocolVersion PacketVersion;
    }
}
