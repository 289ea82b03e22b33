using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Cluster.Fields;
using EdgeBroker.Cluster.Forwarding;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.State;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Cluster.Wills;

/// <summary>What a frame says of wills.</summary>
internal enum WillNews : byte
{
    /// <summary>All that follow, to <see cref="End"/>, are all the node's clients have.</summary>
    Begin = 1,

    /// <summary>A client's will.</summary>
    Set = 2,

    /// <summary>A client has none any more: it said goodbye, or the will is published.</summary>
    Gone = 3,

    /// <summary>These were all.</summary>
    End = 4,

    /// <summary>The will of a dead node's client is published.</summary>
    Published = 5,
}

/// <summary>A copy of a will that a client of another node has.</summary>
/// <param name="Stamp">The stamp of the connection that brought it.</param>
/// <param name="Will">The will.</param>
internal sealed record WillCopy(Stamp Stamp, HeldWill Will);

/// <summary>What a frame says of a will.</summary>
/// <param name="News">What.</param>
/// <param name="Node">Of a will that is published: whose client's; else the sender's, and 0.</param>
/// <param name="Incarnation">The number of the sender's start; of a will that is published: 0.</param>
/// <param name="ClientId">Whose will; empty where it is of no client.</param>
/// <param name="Stamp">Of the will; none where it is not named.</param>
internal readonly record struct WillFrame(WillNews News, byte Node, long Incarnation, string ClientId, Stamp Stamp)
{
    /// <summary>The will that is set.</summary>
    public HeldWill? Will { get; init; }
}

/// <summary>Wills as they go over a link.</summary>
internal static class WillFrames
{
    /// <summary>Bytes of wills that a node copies to another, and takes of one.</summary>
    public const int MostBytes = 4 * 1024 * 1024;

    private const int OverheadBytes = 128;
    private const int MostIdBytes = Ownership.SessionFrames.MostIdBytes;

    /// <summary>What a will counts in <see cref="MostBytes"/>.</summary>
    public static int BytesOf(string clientId, HeldWill will) =>
        OverheadBytes + (2 * clientId.Length) + (2 * (will.UserName?.Length ?? 0)) + will.Message.SizeBytes;

    /// <summary>Writes what is not a will.</summary>
    public static byte[] Write(in WillFrame frame)
    {
        using BodyWriter body = BodyWriter.Begin();
        PutHead(body, frame);
        return Frames.Of(FrameType.Will, body.Written);
    }

    /// <summary>Writes a will.</summary>
    /// <param name="incarnation">The number of this node's start.</param>
    /// <param name="clientId">Whose.</param>
    /// <param name="copy">The will.</param>
    public static byte[] Write(long incarnation, string clientId, WillCopy copy)
    {
        using BodyWriter body = BodyWriter.Begin();
        PutHead(body, new WillFrame(WillNews.Set, 0, incarnation, clientId, copy.Stamp));
        body.Byte(copy.Will.UserName is null ? (byte)0 : (byte)1);
        if (copy.Will.UserName is { } user) body.Text(user);
        body.Int32((int)copy.Will.DelaySeconds);
        Message message = copy.Will.Message;
        MessageFrames.PutOne(body, new Publication
        {
            Topic = message.Topic,
            Payload = message.Payload,
            Properties = message.Properties,
            QoS = message.QoS,
            Retain = message.Retain,
            ExpirySeconds = copy.Will.ExpirySeconds,
        });
        return Frames.Of(FrameType.Will, body.Written);
    }

    /// <summary>Reads a frame; false: it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int maxLevels, [NotNullWhen(true)] out WillFrame? frame)
    {
        frame = null;
        var body = new FieldReader(bytes);
        var news = (WillNews)body.Byte();
        var head = new WillFrame(news, body.Byte(), body.Number(), body.Text(0, MostIdBytes), new Stamp(body.Number()));
        if (body.IsBroken || !IsSound(head)) return false;
        if (news == WillNews.Set)
        {
            string? user = body.Flag() ? body.Text(0, ushort.MaxValue) : null;
            uint delay = body.UInt32();
            if (!MessageFrames.TryReadOne(ref body, maxLevels, out Publication message)) return false;
            // Its expiry counts from its publication.
            Message kept = (message with { ExpirySeconds = null }).ToMessage(nowMs: 0);
            head = head with { Will = new HeldWill(user, kept, delay, message.ExpirySeconds) };
        }

        frame = head;
        return body.IsWhole;
    }

    private static bool IsSound(in WillFrame frame) => frame.News switch
    {
        WillNews.Begin or WillNews.End => frame is { Node: 0, Incarnation: > 0, ClientId.Length: 0, Stamp.IsNone: true },
        WillNews.Set => frame is { Node: 0, Incarnation: > 0, ClientId.Length: > 0, Stamp.IsNone: false },
        WillNews.Gone => frame is { Node: 0, Incarnation: > 0, ClientId.Length: > 0, Stamp.IsNone: true },
        WillNews.Published => frame is { Node: > 0 and <= StateLimits.MostNodes, Incarnation: 0, ClientId.Length: > 0, Stamp.IsNone: false },
        _ => false,
    };

    private static void PutHead(BodyWriter body, in WillFrame frame)
    {
        body.Byte((byte)frame.News);
        body.Byte(frame.Node);
        body.Int64(frame.Incarnation);
        body.Text(frame.ClientId);
        body.Int64(frame.Stamp.Value);
    }
}
