using CsCheck;
using EdgeBroker.Fuzz;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Tests.Random;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Packets of random fields, written and read again.</summary>
public class RoundTripTests
{
    [Fact]
    public void CONNECT_says_what_was_written() => Check(RandomPacket.Connect);

    [Fact]
    public void CONNACK_says_what_was_written() => Check(RandomPacket.Connack);

    [Fact]
    public void PUBLISH_says_what_was_written() => Check(RandomPacket.Publish);

    [Fact]
    public void Acknowledgements_say_what_was_written() => Check(RandomPacket.Ack);

    [Fact]
    public void SUBSCRIBE_says_what_was_written() => Check(RandomPacket.Subscribe);

    [Fact]
    public void UNSUBSCRIBE_says_what_was_written() => Check(RandomPacket.Unsubscribe);

    [Fact]
    public void SUBACK_and_UNSUBACK_say_what_was_written() => Check(RandomPacket.Suback);

    [Fact]
    public void DISCONNECT_and_AUTH_say_what_was_written() => Check(RandomPacket.Disconnect);

    private static void Check(Gen<RandomPacket> packets) => packets.Sample(
        packet =>
        {
            bool accepted = Packet.TryRead(packet.Bytes, packet.Version, out string fields, out byte[]? rewritten, out ParseError error);
            Assert.True(accepted, error.Explanation);
            Assert.Equal(packet.Fields, fields);
            Assert.Equal(packet.Bytes, rewritten);
            (byte header, byte[] body) = VectorTests.HeaderAndBody(packet.Bytes);
            FuzzTarget.CheckPacket(header, body);
        },
        iter: 1500,
        print: packet => $"{packet.Version} {Convert.ToHexString(packet.Bytes)}");
}
