using EdgeBroker.Cluster.Fields;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Interest;

/// <summary>What an interest frame is part of.</summary>
[Flags]
internal enum InterestPart : byte
{
    /// <summary>Changes since the version before.</summary>
    Changes = 0,

    /// <summary>The first frame of all there is.</summary>
    First = 1,

    /// <summary>Part of all there is.</summary>
    Full = 2,

    /// <summary>The last frame of all there is.</summary>
    Last = 4,
}

/// <summary>Interest as it goes over a link: version, part, then for each filter what is wanted, its length and the filter.</summary>
internal static class InterestFrames
{
    private const int BytesPerFrame = 24 * 1024;
    private const Core.Topics.Interest All =
        Core.Topics.Interest.Any | Core.Topics.Interest.Acknowledged | Core.Topics.Interest.Kept | Core.Topics.Interest.Connected;

    /// <summary>Frames with changes.</summary>
    /// <param name="version">The version with them.</param>
    /// <param name="changes">The changes, in their order.</param>
    /// <param name="isFull">Whether they are all there is.</param>
    public static IEnumerable<byte[]> Write(long version, IEnumerable<InterestChange> changes, bool isFull)
    {
        List<byte[]> frames = [];
        using BodyWriter body = BodyWriter.Begin();
        InterestPart part = isFull ? InterestPart.Full | InterestPart.First : InterestPart.Changes;
        Begin(body, version, part);
        foreach ((byte[] filter, Core.Topics.Interest interest) in changes)
        {
            if (body.Written.Length + filter.Length > BytesPerFrame && body.Written.Length > 9)
            {
                frames.Add(Frames.Of(FrameType.Interest, body.Written));
                body.Clear();
                part &= ~InterestPart.First;
                Begin(body, version, part);
            }

            body.Byte((byte)interest);
            body.UInt16(filter.Length);
            body.Bytes(filter);
        }

        // The part stands before what decides it.
        byte[] last = body.Written.ToArray();
        if (isFull) last[8] = (byte)(part | InterestPart.Last);
        frames.Add(Frames.Of(FrameType.Interest, last));
        return frames;
    }

    /// <summary>Reads the next filter of a frame; false: what stands there is no filter that a subscriber here could have.</summary>
    public static bool TryRead(ref FieldReader body, int maxLevels, out ReadOnlySpan<byte> filter, out Core.Topics.Interest interest)
    {
        interest = (Core.Topics.Interest)body.Byte();
        filter = body.Take(body.UInt16());
        if (body.IsBroken || (interest & ~All) != 0 || filter.IsEmpty || !TopicFilter.IsValid(filter) || !Utf8Text.IsValid(filter)) return false;
        ReadOnlySpan<byte> topics = TopicFilter.TrySplitShared(filter, out _, out ReadOnlySpan<byte> inner) ? inner : filter;
        return TopicName.CountLevels(topics) <= maxLevels && !topics.StartsWith("$SYS"u8);
    }

    private static void Begin(BodyWriter body, long version, InterestPart part)
    {
        body.Int64(version);
        body.Byte((byte)part);
    }
}
