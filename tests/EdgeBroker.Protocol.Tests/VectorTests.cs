using EdgeBroker.Fuzz;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Every packet of the vector table: whole, at every cut, and growing byte by byte.</summary>
public class VectorTests
{
    public static TheoryData<string> All => VectorTable.Names(_ => true);

    public static TheoryData<string> WellFormed => VectorTable.Names(v => v.Refusal is null);

    public static TheoryData<string> IllFormed => VectorTable.Names(v => v.Refusal is not null);

    [Fact]
    public void The_names_of_the_vectors_are_unique() => Assert.Equal(VectorTable.All.Count, VectorTable.All.Select(v => v.ToString()).Distinct().Count());

    [Theory]
    [MemberData(nameof(WellFormed))]
    public void A_well_formed_packet_is_read_and_written_back(string name)
    {
        Vector vector = VectorTable.Named(name);
        bool accepted = Packet.TryRead(vector.Bytes, vector.Version, out _, out byte[]? rewritten, out ParseError error);
        Assert.True(accepted, error.Explanation);
        Assert.Equal(Convert.ToHexString(vector.Written), Convert.ToHexString(rewritten!));
    }

    [Theory]
    [MemberData(nameof(IllFormed))]
    public void An_ill_formed_packet_is_refused_with_its_reason(string name)
    {
        Vector vector = VectorTable.Named(name);
        bool accepted = Packet.TryRead(vector.Bytes, vector.Version, out _, out _, out ParseError error);
        Assert.False(accepted);
        Assert.Equal(vector.Refusal, error.Reason);
        Assert.False(string.IsNullOrWhiteSpace(error.Explanation));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Codec_and_oracle_agree(string name)
    {
        (byte header, byte[] body) = HeaderAndBody(VectorTable.Named(name).Bytes);
        FuzzTarget.CheckPacket(header, body);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_prefix_is_incomplete_and_announces_its_length_as_soon_as_it_can(string name)
    {
        byte[] bytes = VectorTable.Named(name).Bytes;
        int headerBytes = 1 + bytes.Skip(1).TakeWhile(b => b >= 0x80).Count() + 1;
        for (int length = 0; length < bytes.Length; length++)
        {
            FrameStatus status = Frame.Cut(bytes.AsSpan(0, length), int.MaxValue, out Frame frame, out int announcedBytes);
            Assert.Equal(FrameStatus.Incomplete, status);
            Assert.Equal(length < headerBytes ? 0 : bytes.Length, announcedBytes);
            Assert.Equal(0, frame.Length);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_packet_growing_byte_by_byte_is_cut_once_whole_and_not_longer(string name)
    {
        Vector vector = VectorTable.Named(name);
        var received = new List<byte>();
        int cut = 0;
        foreach (byte b in (byte[])[.. vector.Bytes, .. vector.Bytes, 0xC0, 0x00])
        {
            received.Add(b);
            byte[] soFar = [.. received];
            if (Frame.Cut(soFar, int.MaxValue, out Frame frame, out _) != FrameStatus.Complete) continue;
            Assert.True(soFar.AsSpan().SequenceEqual(++cut < 3 ? vector.Bytes : [0xC0, 0x00]));
            Assert.Equal(soFar.Length, frame.Length);
            received.Clear();
        }

        Assert.Equal(3, cut);
        Assert.Empty(received);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_body_cut_short_is_refused_unless_it_is_a_packet_of_its_own(string name)
    {
        (byte header, byte[] body) = HeaderAndBody(VectorTable.Named(name).Bytes);
        for (int length = 0; length < body.Length; length++) FuzzTarget.CheckPacket(header, body[..length]);
    }

    [Theory]
    [MemberData(nameof(WellFormed))]
    public void Every_body_of_fixed_extent_is_refused_when_cut_short(string name)
    {
        Vector vector = VectorTable.Named(name);
        (byte header, byte[] body) = HeaderAndBody(vector.Bytes);
        if ((PacketType)(header >> 4) is not (PacketType.Connect or PacketType.Connack)) return;
        for (int length = 0; length < body.Length; length++)
        {
            Assert.False(Packet.TryRead(Packet.Compose(header, body.AsSpan(0, length)), vector.Version, out _, out _, out _));
        }
    }

    internal static (byte Header, byte[] Body) HeaderAndBody(byte[] packet)
    {
        Frame frame = Packet.Cut(packet);
        return (frame.Header, frame.Body.ToArray());
    }
}
