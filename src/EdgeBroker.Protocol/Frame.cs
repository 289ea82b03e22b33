namespace EdgeBroker.Protocol;

/// <summary>What the start of a byte stream holds.</summary>
public enum FrameStatus
{
    /// <summary>A whole control packet.</summary>
    Complete,

    /// <summary>The beginning of one that has broken no rule so far.</summary>
    Incomplete,

    /// <summary>No control packet: reserved type, wrong flags, or a malformed remaining length.</summary>
    Malformed,

    /// <summary>A control packet longer than the limit; said as soon as its length is known, before any of it is buffered.</summary>
    TooLarge,
}

/// <summary>One control packet cut from a stream: fixed header and the bytes behind it (2.1). Valid only as long as the bytes it was cut from.</summary>
public readonly ref struct Frame
{
    private readonly int _bodyAt;

    private Frame(ReadOnlySpan<byte> bytes, int bodyAt)
    {
        Bytes = bytes;
        _bodyAt = bodyAt;
    }

    /// <summary>The whole packet.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The first byte: packet type and flags.</summary>
    public byte Header => Bytes[0];

    /// <summary>Everything behind the remaining length.</summary>
    public ReadOnlySpan<byte> Body => Bytes[_bodyAt..];

    /// <summary>Bytes of the whole packet, fixed header included.</summary>
    public int Length => Bytes.Length;

    /// <summary>The packet type.</summary>
    public PacketType Type => (PacketType)(Header >> 4);

    /// <summary>Cuts the first control packet from <paramref name="bytes"/>.</summary>
    /// <param name="bytes">What has been received and not yet used.</param>
    /// <param name="maxPacketSizeBytes">The largest packet accepted, fixed header included.</param>
    /// <param name="frame">The packet, when <see cref="FrameStatus.Complete"/>.</param>
    /// <param name="announcedBytes">The packet's whole length once it is known, else 0.</param>
    public static FrameStatus Cut(ReadOnlySpan<byte> bytes, int maxPacketSizeBytes, out Frame frame, out int announcedBytes)
    {
        frame = default;
        announcedBytes = 0;
        if (bytes.IsEmpty) return FrameStatus.Incomplete;
        byte header = bytes[0];
        if (!FlagsAreValid(header)) return FrameStatus.Malformed;
        int lengthBytes = VariableByteInteger.Read(bytes[1..], out uint remaining);
        if (lengthBytes <= 0) return lengthBytes == 0 ? FrameStatus.Incomplete : FrameStatus.Malformed;
        int headerBytes = 1 + lengthBytes;
        announcedBytes = headerBytes + (int)remaining;
        if (announcedBytes > maxPacketSizeBytes) return FrameStatus.TooLarge;
        if (bytes.Length < announcedBytes) return FrameStatus.Incomplete;
        frame = new Frame(bytes[..announcedBytes], headerBytes);
        return FrameStatus.Complete;
    }

    // Reserved bits carry exactly the table's value [MQTT-2.1.3-1]; PUBLISH has flags of its own, type 0 does not exist.
    private static bool FlagsAreValid(byte header) => (PacketType)(header >> 4) switch
    {
        0 => false,
        PacketType.Publish => true,
        PacketType.Pubrel or PacketType.Subscribe or PacketType.Unsubscribe => (header & 0x0F) == 0x02,
        _ => (header & 0x0F) == 0,
    };
}
