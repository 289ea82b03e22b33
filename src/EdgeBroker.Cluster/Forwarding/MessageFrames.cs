using EdgeBroker.Cluster.Fields;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Forwarding;

/// <summary>A message from another node, borrowed from the frame it came in.</summary>
internal readonly ref struct ForwardedMessage
{
    /// <summary>The life that numbers its position; 0 without one.</summary>
    public long Life { get; init; }

    /// <summary>Its lane; 0: none, it is sent once.</summary>
    public byte Lane { get; init; }

    /// <summary>Its position in the lane, from 1; 0 without one.</summary>
    public long Position { get; init; }

    /// <summary>The message.</summary>
    public Publication Publication { get; init; }

    /// <summary>The shared filter of which one member gets it; empty: all who subscribe do.</summary>
    public ReadOnlySpan<byte> Group { get; init; }

    /// <summary>The same, of which no value is kept.</summary>
    public ForwardedMessage WithoutRetain() =>
        new() { Life = Life, Lane = Lane, Position = Position, Publication = Publication with { Retain = false }, Group = Group };
}

/// <summary>Messages as they go over a link, alone with their place in a lane, or several of QoS 0.</summary>
internal static class MessageFrames
{
    private const byte RetainFlag = 4;
    private const byte ExpiryFlag = 8;
    private const byte GroupFlag = 16;
    private const byte QoSBits = 3;
    private const int BytesPerBurst = 32 * 1024;

    // Life, lane, position, stamp, flags, expiry, lengths of group, topic, properties and payload.
    private const int FixedBytes = 8 + 1 + 8 + 8 + 1 + 4 + 2 + 2 + 4 + 4;

    /// <summary>Bytes a message takes, for the limit of who gets it.</summary>
    public static long LengthOf(in Publication message, ReadOnlySpan<byte> group = default) =>
        FixedBytes + group.Length + message.Topic.Length + message.Properties.Length + (long)message.Payload.Length;

    /// <summary>Writes a message.</summary>
    /// <param name="place">Its lane; the default: none.</param>
    /// <param name="position">Its position there; 0: none.</param>
    /// <param name="message">The message.</param>
    /// <param name="group">The shared filter of which one member gets it; empty: all who subscribe do.</param>
    public static byte[] Write(PeerLaneId place, long position, in Publication message, ReadOnlySpan<byte> group = default)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Int64(place.Life);
        body.Byte(place.Lane);
        body.Int64(position);
        body.Int64(message.Stamp.Value);
        Put(body, message, group);
        return Frames.Of(FrameType.Message, body.Written);
    }

    /// <summary>Writes a retained value, or the tombstone of one.</summary>
    public static byte[] WriteRow(in Publication message)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Int64(message.Stamp.Value);
        Put(body, message);
        return Frames.Of(FrameType.RetainedRow, body.Written);
    }

    /// <summary>Writes the messages of a segment, several a frame.</summary>
    public static List<byte[]> WriteBursts(in MessageSegment messages)
    {
        List<byte[]> frames = [];
        using BodyWriter body = BodyWriter.Begin();
        for (int i = 0; i < messages.Count; i++)
        {
            Publication message = messages[i];
            if (body.Written.Length > 0 && body.Written.Length + LengthOf(message) > BytesPerBurst)
            {
                frames.Add(Frames.Of(FrameType.Burst, body.Written));
                body.Clear();
            }

            // One that is too long for a burst goes by itself: bursts do not come in pieces.
            if (LengthOf(message) > BytesPerBurst)
            {
                frames.Add(Write(default, 0, message));
                continue;
            }

            Put(body, message);
        }

        if (body.Written.Length > 0) frames.Add(Frames.Of(FrameType.Burst, body.Written));
        return frames;
    }

    /// <summary>Reads a message; false: it is not one that a client here could have published.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int maxLevels, out ForwardedMessage message)
    {
        var body = new FieldReader(bytes);
        long life = body.Int64();
        byte lane = body.Byte();
        long position = body.Int64();
        var stamp = new Stamp(body.Int64());
        bool isSound = TryRead(ref body, maxLevels, out Publication publication, out ReadOnlySpan<byte> group) && body.IsAtEnd;
        message = new ForwardedMessage { Life = life, Lane = lane, Position = position, Publication = publication with { Stamp = stamp }, Group = group };
        bool hasPlace = lane is 1 or 2 && position > 0 && (byte)publication.QoS == lane;
        return isSound && stamp.Value >= 0 && (hasPlace || (lane == 0 && position == 0 && life == 0));
    }

    /// <summary>Reads a retained value; false: it is none.</summary>
    public static bool TryReadRow(ReadOnlySpan<byte> bytes, int maxLevels, out Publication row)
    {
        var body = new FieldReader(bytes);
        var stamp = new Stamp(body.Int64());
        bool isSound = TryReadOne(ref body, maxLevels, out Publication publication) && body.IsAtEnd;
        row = publication with { Stamp = stamp };
        return isSound && stamp.Value > 0;
    }

    /// <summary>Reads the next message of a burst; false: it is not one that a client here could have published.</summary>
    public static bool TryReadOne(scoped ref FieldReader body, int maxLevels, out Publication message) =>
        TryRead(ref body, maxLevels, out message, out ReadOnlySpan<byte> group) && group.IsEmpty;

    /// <summary>Writes one as a burst has it.</summary>
    public static void PutOne(BodyWriter body, in Publication message) => Put(body, message);

    private static bool TryRead(scoped ref FieldReader body, int maxLevels, out Publication message, out ReadOnlySpan<byte> group)
    {
        byte flags = body.Byte();
        uint? expiry = (flags & ExpiryFlag) != 0 ? (uint)body.Int32() : null;
        group = (flags & GroupFlag) != 0 ? body.Take(body.UInt16()) : default;
        ReadOnlySpan<byte> topic = body.Take(body.UInt16());
        ReadOnlySpan<byte> properties = body.Take(body.Int32());
        ReadOnlySpan<byte> payload = body.Take(body.Int32());
        message = new Publication
        {
            Topic = topic,
            Properties = properties,
            Payload = payload,
            QoS = (QoS)(flags & QoSBits),
            Retain = (flags & RetainFlag) != 0,
            ExpirySeconds = expiry,
        };
        return !body.IsBroken && (flags & ~(QoSBits | RetainFlag | ExpiryFlag | GroupFlag)) == 0 && (flags & QoSBits) <= 2 && IsGroup(flags, group, topic)
            && TopicName.IsValid(topic) && Utf8Text.IsValid(topic) && TopicName.CountLevels(topic) <= maxLevels && !topic.StartsWith("$SYS/"u8)
            && (properties.IsEmpty || PropertyBlock.AreForwardable(properties));
    }

    private static bool IsGroup(byte flags, ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic) =>
        (flags & GroupFlag) == 0 || (TopicFilter.TrySplitShared(group, out _, out ReadOnlySpan<byte> filter) && TopicFilter.Matches(filter, topic));

    private static void Put(BodyWriter body, in Publication message, ReadOnlySpan<byte> group = default)
    {
        int flags = (int)message.QoS | (message.Retain ? RetainFlag : 0) | (message.ExpirySeconds is null ? 0 : ExpiryFlag) | (group.IsEmpty ? 0 : GroupFlag);
        body.Byte((byte)flags);
        if (message.ExpirySeconds is { } seconds) body.Int32((int)seconds);
        if (!group.IsEmpty)
        {
            body.UInt16(group.Length);
            body.Bytes(group);
        }

        body.UInt16(message.Topic.Length);
        body.Bytes(message.Topic);
        body.Int32(message.Properties.Length);
        body.Bytes(message.Properties);
        body.Int32(message.Payload.Length);
        body.Bytes(message.Payload);
    }
}
