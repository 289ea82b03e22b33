using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>The fixed header (2.1): types, flags, lengths, limits.</summary>
public class FrameTests
{
    [Fact]
    public void Nothing_received_is_incomplete()
    {
        Assert.Equal(FrameStatus.Incomplete, Frame.Cut([], 100, out _, out int announcedBytes));
        Assert.Equal(0, announcedBytes);
    }

    [Fact]
    public void Every_first_byte_is_judged_by_the_table_of_types_and_flags_as_soon_as_it_is_there()
    {
        // 2.1.3: the only flags each type may have; PUBLISH uses all four bits.
        var flags = new Dictionary<int, int>
        {
            [1] = 0,
            [2] = 0,
            [4] = 0,
            [5] = 0,
            [6] = 2,
            [7] = 0,
            [8] = 2,
            [9] = 0,
            [10] = 2,
            [11] = 0,
            [12] = 0,
            [13] = 0,
            [14] = 0,
            [15] = 0,
        };
        for (int first = 0; first < 256; first++)
        {
            int type = first >> 4;
            bool valid = type == 3 || (flags.TryGetValue(type, out int only) && only == (first & 15));
            FrameStatus status = Frame.Cut([(byte)first], int.MaxValue, out _, out _);
            Assert.Equal(valid ? FrameStatus.Incomplete : FrameStatus.Malformed, status);
        }
    }

    [Fact]
    public void The_frame_has_header_type_body_and_length_of_the_first_packet()
    {
        byte[] bytes = Notation.Bytes("3D 03 AABBCC C000");
        Assert.Equal(FrameStatus.Complete, Frame.Cut(bytes, 100, out Frame frame, out int announcedBytes));
        Assert.Equal(0x3D, frame.Header);
        Assert.Equal(PacketType.Publish, frame.Type);
        Assert.Equal([0xAA, 0xBB, 0xCC], frame.Body.ToArray());
        Assert.Equal(5, frame.Length);
        Assert.Equal(5, announcedBytes);
    }

    [Theory]
    [InlineData("30 80 80 80 80", FrameStatus.Malformed)]
    [InlineData("30 FF FF FF FF 01", FrameStatus.Malformed)]
    [InlineData("30 80 00", FrameStatus.Malformed)]
    [InlineData("C0 80 80 80 00", FrameStatus.Malformed)]
    [InlineData("30 80 80 80", FrameStatus.Incomplete)]
    [InlineData("30 FF FF FF 7F", FrameStatus.Incomplete)]
    public void A_remaining_length_has_at_most_four_bytes_and_no_padding(string bytes, FrameStatus expected) =>
        Assert.Equal(expected, Frame.Cut(Notation.Bytes(bytes), int.MaxValue, out _, out _));

    [Theory]
    [InlineData(2, FrameStatus.TooLarge)]
    [InlineData(101, FrameStatus.TooLarge)]
    [InlineData(102, FrameStatus.Incomplete)]
    [InlineData(int.MaxValue, FrameStatus.Incomplete)]
    public void A_packet_over_the_limit_is_known_before_its_body(int maxPacketSizeBytes, FrameStatus expected)
    {
        Assert.Equal(expected, Frame.Cut([0x30, 100], maxPacketSizeBytes, out _, out int announcedBytes));
        Assert.Equal(102, announcedBytes);
    }

    [Fact]
    public void The_limit_counts_the_fixed_header()
    {
        byte[] packet = Notation.Bytes("40 02 00 01");
        Assert.Equal(FrameStatus.Complete, Frame.Cut(packet, 4, out _, out _));
        Assert.Equal(FrameStatus.TooLarge, Frame.Cut(packet, 3, out Frame frame, out int announcedBytes));
        Assert.Equal(4, announcedBytes);
        Assert.Equal(0, frame.Length);
    }

    [Fact]
    public void The_largest_packet_announces_its_length()
    {
        Assert.Equal(FrameStatus.Incomplete, Frame.Cut(Notation.Bytes("30 FFFFFF7F"), int.MaxValue, out _, out int announcedBytes));
        Assert.Equal(268_435_460, announcedBytes);
    }
}
