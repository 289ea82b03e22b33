using System.Buffers;
using System.Text;
using EdgeBroker.Fuzz;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>CONNECT (3.1): flags, versions, fields.</summary>
public class ConnectTests
{
    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public void Each_of_the_256_connect_flags_is_accepted_or_malformed_as_3_1_2_says(ProtocolVersion version)
    {
        for (int flags = 0; flags < 256; flags++)
        {
            bool reserved = (flags & 1) != 0, will = (flags & 4) != 0, retain = (flags & 32) != 0, password = (flags & 64) != 0, user = (flags & 128) != 0;
            int qos = (flags >> 3) & 3;
            bool valid = !reserved && qos != 3 && (will || (qos == 0 && !retain)) && (version == ProtocolVersion.V5 || user || !password);
            string properties = version == ProtocolVersion.V5 ? "[]" : "";
            string packet = $"10 len 'MQTT' {(byte)version:X2} {flags:X2} 003C {properties} 'c1' "
                + $"{(will ? $"{properties} 't' 'p'" : "")}{(user ? "'ada'" : "")}{(password ? "'pw'" : "")}";
            Assert.Equal(valid ? null : ReasonCode.MalformedPacket, RefusalOf(packet));
            FuzzTarget.CheckPacket(0x10, VectorTests.HeaderAndBody(Notation.Bytes(packet)).Body);
        }
    }

    [Fact]
    public void All_fields_are_read()
    {
        byte[] bytes = Notation.Bytes("10 len 'MQTT' 05 EE 0102 [21 0007] 'c1' [18 00000009] 'state' {00FF} 'ada' {80}");
        Assert.True(ConnectPacket.TryParse(Packet.Cut(bytes), out ConnectPacket connect, out _));
        Assert.Equal(5, connect.ProtocolLevel);
        Assert.Equal(ProtocolVersion.V5, connect.Version);
        Assert.True(connect.CleanStart);
        Assert.Equal(258, connect.KeepAliveSeconds);
        Assert.Equal(7u, connect.Properties.GetNumber(PropertyId.ReceiveMaximum, 0));
        Assert.Equal("c1", Encoding.UTF8.GetString(connect.ClientId));
        Assert.True(connect.HasWill);
        Assert.Equal(QoS.AtLeastOnce, connect.WillQoS);
        Assert.True(connect.WillRetain);
        Assert.Equal(9u, connect.WillProperties.GetNumber(PropertyId.WillDelayInterval, 0));
        Assert.Equal("state", Encoding.UTF8.GetString(connect.WillTopic));
        Assert.Equal([0x00, 0xFF], connect.WillPayload.ToArray());
        Assert.True(connect.HasUserName);
        Assert.Equal("ada", Encoding.UTF8.GetString(connect.UserName));
        Assert.True(connect.HasPassword);
        Assert.Equal([0x80], connect.Password.ToArray());
    }

    [Fact]
    public void An_empty_user_name_and_password_are_there_all_the_same()
    {
        Assert.True(ConnectPacket.TryParse(Packet.Cut(Notation.Bytes("10 len 'MQTT' 04 C2 003C 'c1' '' ''")), out ConnectPacket connect, out _));
        Assert.True(connect.HasUserName && connect.UserName.IsEmpty);
        Assert.True(connect.HasPassword && connect.Password.IsEmpty);
        Assert.False(connect.HasWill);
    }

    [Theory]
    [InlineData("10 len 'MQTT' 04 03 003C 'c1'", 4, ReasonCode.MalformedPacket)]
    [InlineData("10 len 'MQTT' 05 03 003C [] 'c1'", 5, ReasonCode.MalformedPacket)]
    [InlineData("10 len 'MQTT' 05 02 003C [21 0000] 'c1'", 5, ReasonCode.ProtocolError)]
    [InlineData("10 len 'MQTT' 05 02 003C [] 'c1' 00", 5, ReasonCode.MalformedPacket)]
    [InlineData("10 len 'MQTT' 04 02 003C {FF}", 4, ReasonCode.MalformedPacket)]
    [InlineData("10 len 'MQTT' 05 06 003C [] 'c1' [] '#' ''", 5, ReasonCode.TopicNameInvalid)]
    [InlineData("10 len 'MQTT' 05", 5, ReasonCode.MalformedPacket)]
    [InlineData("10 len 'MQTT' 03 02 003C 'c1'", 3, ReasonCode.UnsupportedProtocolVersion)]
    [InlineData("10 len 'MQTT' 06 02 003C [] 'c1'", 6, ReasonCode.UnsupportedProtocolVersion)]
    [InlineData("10 len 'MQTT' 00", 0, ReasonCode.UnsupportedProtocolVersion)]
    [InlineData("10 len 'MQIsdp' 04 02 003C 'c1'", 0, ReasonCode.UnsupportedProtocolVersion)]
    [InlineData("10 len 'MQTT'", 0, ReasonCode.MalformedPacket)]
    [InlineData("10 len", 0, ReasonCode.MalformedPacket)]
    public void A_refused_packet_still_tells_its_protocol_level(string packet, byte level, ReasonCode reason)
    {
        Assert.False(ConnectPacket.TryParse(Packet.Cut(Notation.Bytes(packet)), out ConnectPacket connect, out ParseError error));
        Assert.Equal(level, connect.ProtocolLevel);
        Assert.Equal(reason, error.Reason);
        Assert.True(connect.ClientId.IsEmpty && !connect.HasWill && !connect.HasUserName && !connect.HasPassword);
    }

    [Fact]
    public void Every_level_but_4_and_5_and_a_bridge_s_4_is_unsupported()
    {
        for (int level = 0; level < 256; level++)
        {
            ReasonCode? refusal = RefusalOf($"10 len 'MQTT' {level:X2} 02 003C 00 00 00");
            if (level is 4 or 5 or 0x84) Assert.NotEqual(ReasonCode.UnsupportedProtocolVersion, refusal);
            else Assert.Equal(ReasonCode.UnsupportedProtocolVersion, refusal);
        }
    }

    [Fact]
    public void A_field_longer_than_its_length_can_say_cannot_be_written() => Assert.Throws<ArgumentException>(() =>
        new ConnectPacket { Version = ProtocolVersion.V5, ClientId = new byte[65_536] }.Write(new ArrayBufferWriter<byte>()));

    private static ReasonCode? RefusalOf(string packet) =>
        ConnectPacket.TryParse(Packet.Cut(Notation.Bytes(packet)), out _, out ParseError error) ? null : error.Reason;
}
