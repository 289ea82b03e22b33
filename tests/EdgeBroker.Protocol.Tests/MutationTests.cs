using System.Buffers;
using CsCheck;
using EdgeBroker.Fuzz;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Tests.Random;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Valid packets with random damage: never an exception, and what is accepted means the same when written and read again.</summary>
public class MutationTests
{
    private static readonly Gen<byte[]> Valid =
        Gen.OneOf(RandomPacket.Any.Select(p => p.Bytes), Gen.OneOf([.. VectorTable.All.Where(v => v.Refusal is null).Select(v => v.Bytes)]));

    private static readonly Gen<(int Place, int Kind, byte Value)[]> Damage = Gen.Select(Gen.Int[0, 10_000], Gen.Int[0, 4], Gen.Byte).Array[1, 4];

    private static readonly Gen<(byte Header, byte[] Body)> Damaged = Gen.Select(Valid, Damage, Apply);

    [Fact]
    public void A_damaged_packet_is_refused_or_means_what_the_oracle_reads() =>
        Damaged.Sample(p => FuzzTarget.CheckPacket(p.Header, p.Body), iter: 20_000, print: Print);

    [Fact]
    public void No_parser_throws_for_a_frame_of_any_type_in_any_version() => Damaged.Sample(
        packet =>
        {
            byte[] bytes = Packet.Compose(packet.Header, packet.Body);
            if (Frame.Cut(bytes, int.MaxValue, out Frame frame, out _) != FrameStatus.Complete) return;
            _ = ConnectPacket.TryParse(frame, out _, out _);
            _ = PingPacket.IsValid(frame);
            foreach (ProtocolVersion version in (ReadOnlySpan<ProtocolVersion>)[ProtocolVersion.V311, ProtocolVersion.V5, 0, (ProtocolVersion)255])
            {
                ParseAsEverything(frame, version);
            }
        },
        iter: 20_000,
        print: Print);

    [Fact]
    public void Cutting_random_bytes_agrees_with_the_oracle() =>
        Gen.Byte.Array[0, 40].Sample(FuzzTarget.Named("frame").Run, iter: 5_000, print: Convert.ToHexString);

    private static void ParseAsEverything(in Frame frame, ProtocolVersion version)
    {
        _ = ConnackPacket.TryParse(frame, version, out _, out _);
        _ = AckPacket.TryParse(frame, version, out _, out _);
        _ = SubackPacket.TryParse(frame, version, out _, out _);
        _ = DisconnectPacket.TryParse(frame, version, out _, out _);
        if (PublishPacket.TryParse(frame, version, out PublishPacket publish, out _)) PropertyText.Of(publish.Properties);
        if (SubscribePacket.TryParse(frame, version, out SubscribePacket subscribe, out _)) subscribe.Write(new ArrayBufferWriter<byte>(), version);
        if (UnsubscribePacket.TryParse(frame, version, out UnsubscribePacket unsubscribe, out _)) unsubscribe.Write(new ArrayBufferWriter<byte>(), version);
    }

    private static (byte Header, byte[] Body) Apply(byte[] valid, (int Place, int Kind, byte Value)[] damage)
    {
        (byte header, byte[] body) = VectorTests.HeaderAndBody(valid);
        var bytes = new List<byte>(body);
        foreach ((int place, int kind, byte value) in damage)
        {
            int at = place % (bytes.Count + 1);
            if (kind == 0 || at == bytes.Count) bytes.Insert(at, value);
            else if (kind == 1) bytes.RemoveAt(at);
            else if (kind == 2) bytes[at] = value;
            else if (kind == 3) bytes[at] ^= (byte)(1 << (value % 8));
            else bytes.RemoveRange(at, bytes.Count - at);
        }

        return (header, [.. bytes]);
    }

    private static string Print((byte Header, byte[] Body) packet) => $"{packet.Header:X2} {Convert.ToHexString(packet.Body)}";
}
