using System.Text;
using EdgeBroker.Cluster.Fields;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Core.Cluster;

namespace EdgeBroker.Cluster.Ownership;

/// <summary>What a sessions frame is part of.</summary>
[Flags]
internal enum SessionsPart : byte
{
    /// <summary>Changes since the version before.</summary>
    Changes = 0,

    /// <summary>The first frame of all there is.</summary>
    First = 1,

    /// <summary>The last frame of all there is.</summary>
    Last = 2,

    /// <summary>Part of all there is.</summary>
    Full = 4,
}

/// <summary>What a node has of clients as it goes over a link: version, part, then for each client kind, stamp, user, length and client id.</summary>
internal static class SessionFrames
{
    /// <summary>Bytes of a client id at most.</summary>
    public const int MostIdBytes = 4096;

    private const int BytesPerFrame = 24 * 1024;
    private const int HeadBytes = 9;

    /// <summary>Frames with entries, in their order.</summary>
    /// <param name="version">The version with them.</param>
    /// <param name="entries">The entries.</param>
    /// <param name="isFull">Whether they are all there is.</param>
    public static IReadOnlyList<byte[]> Write(long version, IEnumerable<SessionEntry> entries, bool isFull)
    {
        List<byte[]> frames = [];
        using BodyWriter body = BodyWriter.Begin();
        SessionsPart part = isFull ? SessionsPart.Full | SessionsPart.First : SessionsPart.Changes;
        Begin(body, version, part);
        foreach (SessionEntry entry in entries)
        {
            if (body.Written.Length > BytesPerFrame)
            {
                frames.Add(Frames.Of(FrameType.Sessions, body.Written));
                body.Clear();
                part &= ~SessionsPart.First;
                Begin(body, version, part);
            }

            byte[] id = Encoding.UTF8.GetBytes(entry.ClientId);
            body.Byte((byte)entry.Kind);
            body.Int64(entry.Stamp.Value);
            body.Int64((long)(ulong)(entry.User >> 64));
            body.Int64((long)(ulong)entry.User);
            body.UInt16(id.Length);
            body.Bytes(id);
        }

        // The part stands before what decides it.
        byte[] last = body.Written.ToArray();
        if (isFull) last[HeadBytes - 1] = (byte)(part | SessionsPart.Last);
        frames.Add(Frames.Of(FrameType.Sessions, last));
        return frames;
    }

    /// <summary>Reads the next entry of a frame; false: what stands there is none.</summary>
    public static bool TryRead(ref FieldReader body, out SessionEntry entry)
    {
        var kind = (SessionKind)body.Byte();
        var stamp = new Stamp(body.Number());
        ulong high = body.UInt64();
        ulong low = body.UInt64();
        entry = new SessionEntry(body.Text(1, MostIdBytes), kind, stamp, new UInt128(high, low));
        return !body.IsBroken && kind is >= SessionKind.Claimed and <= SessionKind.Void && (kind == SessionKind.Gone || !stamp.IsNone);
    }

    private static void Begin(BodyWriter body, long version, SessionsPart part)
    {
        body.Int64(version);
        body.Byte((byte)part);
    }
}
