using System.Text;
using EdgeBroker.Cluster.Fields;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Links;

/// <summary>The first frame of a link, both ways: who speaks, and where the two stand.</summary>
internal sealed record Hello
{
    /// <summary>The versions of the protocol this build speaks.</summary>
    public const byte OldestWire = 2;

    /// <summary>The newest of them.</summary>
    public const byte NewestWire = 2;

    // More lives than this have no messages under way: each is a start of the process.
    private const int MostLanes = 256;
    private const int MostNameBytes = 256;

    /// <summary>The oldest version it speaks.</summary>
    public byte WireMin { get; init; } = OldestWire;

    /// <summary>The newest.</summary>
    public byte WireMax { get; init; } = NewestWire;

    /// <summary>Its cluster, as certificates name it; empty: without certificates.</summary>
    public required string ClusterId { get; init; }

    /// <summary>Its number.</summary>
    public required byte Node { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its store.</summary>
    public required Guid StoreId { get; init; }

    /// <summary>This life of its process.</summary>
    public required long Life { get; init; }

    /// <summary>Its clock.</summary>
    public required Stamp Clock { get; init; }

    /// <summary>Bytes of a message it takes, with its topic and properties.</summary>
    public required int MaxMessageBytes { get; init; }

    /// <summary>The place in the order of changes of the other's retained values up to which it has them; 0: none.</summary>
    public required long RetainedCursor { get; init; }

    /// <summary>The life of the other that place is of: what a power cut takes back is counted anew.</summary>
    public required long RetainedLife { get; init; }

    /// <summary>The lanes in which messages for the other may be under way.</summary>
    public required IReadOnlyList<PeerLaneId> Lanes { get; init; }

    /// <summary>Writes it.</summary>
    public byte[] ToFrame()
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Byte(WireMin);
        body.Byte(WireMax);
        body.Byte(Node);
        Write(body, ClusterId);
        Write(body, Name);
        body.Guid(StoreId);
        body.Int64(Life);
        body.Int64(Clock.Value);
        body.Int32(MaxMessageBytes);
        body.Int64(RetainedCursor);
        body.Int64(RetainedLife);
        body.UInt16(Lanes.Count);
        foreach (PeerLaneId lane in Lanes)
        {
            body.Int64(lane.Life);
            body.Byte(lane.Lane);
        }

        return Frames.Of(FrameType.Hello, body.Written);
    }

    /// <summary>Reads one; null: it is none. What a later version adds at the end is left out.</summary>
    public static Hello? Read(ReadOnlySpan<byte> bytes)
    {
        var body = new FieldReader(bytes);
        var hello = new Hello
        {
            WireMin = body.Byte(),
            WireMax = body.Byte(),
            Node = body.Byte(),
            ClusterId = ReadText(ref body),
            Name = ReadText(ref body),
            StoreId = body.Guid(),
            Life = body.Int64(),
            Clock = new Stamp(body.Int64()),
            MaxMessageBytes = body.Int32(),
            RetainedCursor = body.Int64(),
            RetainedLife = body.Int64(),
            Lanes = ReadLanes(ref body),
        };
        return !body.IsBroken && hello is { Clock.Value: >= 0, MaxMessageBytes: > 0, RetainedCursor: >= 0 } ? hello : null;
    }

    private static PeerLaneId[] ReadLanes(ref FieldReader body)
    {
        int count = body.UInt16();
        var lanes = new List<PeerLaneId>();
        for (int i = 0; i < Math.Min(count, MostLanes); i++) lanes.Add(new PeerLaneId(body.Int64(), body.Byte()));
        // More than that, or one that is none: not sound.
        if (count > MostLanes || lanes.Exists(one => one.Lane is not (1 or 2))) body.Take(int.MaxValue);
        return [.. lanes];
    }

    private static void Write(BodyWriter body, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        body.UInt16(bytes.Length);
        body.Bytes(bytes);
    }

    private static string ReadText(ref FieldReader body)
    {
        int length = body.UInt16();
        ReadOnlySpan<byte> text = body.Take(length > MostNameBytes ? int.MaxValue : length);
        if (!Utf8Text.IsValid(text)) body.Take(int.MaxValue);
        return Encoding.UTF8.GetString(text);
    }
}
