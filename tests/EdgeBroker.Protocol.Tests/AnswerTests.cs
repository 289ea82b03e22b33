using System.Buffers;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>What differs between the versions when CONNACK, acknowledgements, SUBACK, UNSUBACK and DISCONNECT are written.</summary>
public class AnswerTests
{
    [Fact]
    public void A_CONNACK_of_3_1_1_carries_the_return_code_and_no_properties()
    {
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Connack, stackalloc byte[16]);
        builder.Add(PropertyId.ReceiveMaximum, 1);
        var connack = new ConnackPacket { ReasonCode = ReasonCode.ServerBusy, Properties = builder.Block };
        Assert.Equal(Notation.Bytes("20 02 00 03"), Written(connack, ProtocolVersion.V311));
        Assert.Equal(Notation.Bytes("20 len 00 89 [21 0001]"), Written(connack, ProtocolVersion.V5));
    }

    [Fact]
    public void A_CONNACK_with_a_code_that_3_1_1_lacks_cannot_be_written() =>
        Assert.Throws<InvalidOperationException>(() => Written(new ConnackPacket { ReasonCode = ReasonCode.MalformedPacket }, ProtocolVersion.V311));

    [Fact]
    public void A_reserved_return_code_of_3_1_1_is_read_as_an_unspecified_error()
    {
        Assert.True(ConnackPacket.TryParse(Packet.Cut([0x20, 2, 0, 6]), ProtocolVersion.V311, out ConnackPacket connack, out _));
        Assert.Equal(ReasonCode.UnspecifiedError, connack.ReasonCode);
    }

    [Theory]
    [InlineData(PacketType.Puback, "40 02 00 07")]
    [InlineData(PacketType.Pubrec, "50 02 00 07")]
    [InlineData(PacketType.Pubrel, "62 02 00 07")]
    [InlineData(PacketType.Pubcomp, "70 02 00 07")]
    public void An_acknowledgement_of_3_1_1_is_a_packet_identifier_alone(PacketType type, string expected)
    {
        PropertyBuilder builder = PropertyBuilder.For(type, stackalloc byte[16]);
        builder.Add(PropertyId.ReasonString, "no"u8);
        var output = new ArrayBufferWriter<byte>();
        new AckPacket
        {
            Type = type,
            PacketId = 7,
            ReasonCode = ReasonCode.PacketIdentifierNotFound,
            Properties = builder.Block,
        }.Write(output, ProtocolVersion.V311);
        Assert.Equal(Notation.Bytes(expected), output.WrittenSpan.ToArray());
    }

    [Fact]
    public void A_SUBACK_of_3_1_1_says_every_failure_as_0x80()
    {
        ReasonCode[] codes = [ReasonCode.GrantedQoS2, ReasonCode.NotAuthorized, ReasonCode.Success, ReasonCode.QuotaExceeded, ReasonCode.GrantedQoS1];
        var suback = new SubackPacket { Type = PacketType.Suback, PacketId = 7, ReasonCodes = codes };
        Assert.Equal(Notation.Bytes("90 len 0007 02 80 00 80 01"), Written(suback, ProtocolVersion.V311));
        Assert.Equal(Notation.Bytes("90 len 0007 [] 02 87 00 97 01"), Written(suback, ProtocolVersion.V5));
    }

    [Fact]
    public void An_UNSUBACK_of_3_1_1_has_no_codes()
    {
        ReasonCode[] codes = [ReasonCode.Success, ReasonCode.NoSubscriptionExisted];
        var unsuback = new SubackPacket { Type = PacketType.Unsuback, PacketId = 7, ReasonCodes = codes };
        Assert.Equal(Notation.Bytes("B0 02 0007"), Written(unsuback, ProtocolVersion.V311));
        Assert.Equal(Notation.Bytes("B0 len 0007 [] 00 11"), Written(unsuback, ProtocolVersion.V5));
    }

    [Fact]
    public void A_DISCONNECT_of_3_1_1_has_no_body()
    {
        var output = new ArrayBufferWriter<byte>();
        new DisconnectPacket { Type = PacketType.Disconnect, ReasonCode = ReasonCode.SessionTakenOver }.Write(output, ProtocolVersion.V311);
        Assert.Equal([0xE0, 0x00], output.WrittenSpan.ToArray());
    }

    [Fact]
    public void The_rules_of_a_version_are_found_by_it()
    {
        Assert.Same(ProtocolRules.V311, ProtocolRules.For(ProtocolVersion.V311));
        Assert.Same(ProtocolRules.V5, ProtocolRules.For(ProtocolVersion.V5));
        Assert.Equal(ProtocolVersion.V311, ProtocolRules.V311.Version);
        Assert.Equal(ProtocolVersion.V5, ProtocolRules.V5.Version);
    }

    private static byte[] Written(in ConnackPacket packet, ProtocolVersion version)
    {
        var output = new ArrayBufferWriter<byte>();
        packet.Write(output, version);
        Assert.Equal(packet.Length(version), output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Written(in SubackPacket packet, ProtocolVersion version)
    {
        var output = new ArrayBufferWriter<byte>();
        packet.Write(output, version);
        Assert.Equal(packet.Length(version), output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }
}
