using EdgeBroker.Fuzz.Naive;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Which properties may stand where, how often and with which values (2.2.2, and the properties of each packet).</summary>
public class PropertyTableTests
{
    public static TheoryData<int> Packets => PropertySamples.Packets;

    [Fact]
    public void The_identifiers_are_those_of_the_specification() =>
        Assert.Equal(SpecifiedProperties.Identifiers.Order(), Enum.GetValues<PropertyId>().Select(id => (int)id).Order());

    [Theory]
    [MemberData(nameof(Packets))]
    public void A_packet_takes_its_own_properties_and_calls_others_malformed(int packet)
    {
        foreach (int id in SpecifiedProperties.Identifiers)
        {
            ReasonCode? expected = SpecifiedProperties.IsAllowed(id, packet) ? null : ReasonCode.MalformedPacket;
            ReasonCode? refusal = PropertySamples.RefusalOf(packet, PropertySamples.Encoded(id));
            Assert.True(expected == refusal, $"{(PropertyId)id} in {SpecifiedProperties.NameOf(packet)}: {refusal}");
        }
    }

    [Theory]
    [MemberData(nameof(Packets))]
    public void An_identifier_that_does_not_exist_is_malformed(int packet)
    {
        foreach (int id in Enumerable.Range(0, 256).Except(SpecifiedProperties.Identifiers))
        {
            Assert.Equal(ReasonCode.MalformedPacket, PropertySamples.RefusalOf(packet, (byte)id, 0, 1, 1, 1));
        }
    }

    [Theory]
    [MemberData(nameof(Packets))]
    public void A_property_stands_once_except_user_properties_and_the_subscriptions_of_a_PUBLISH(int packet)
    {
        foreach (int id in SpecifiedProperties.Identifiers.Where(id => SpecifiedProperties.IsAllowed(id, packet)))
        {
            bool mayRepeat = id == (int)PropertyId.UserProperty || (id == (int)PropertyId.SubscriptionIdentifier && packet == (int)PacketType.Publish);
            byte[] sample = PropertySamples.Encoded(id);
            ReasonCode? expected = mayRepeat ? null : ReasonCode.ProtocolError;
            Assert.Equal(expected, PropertySamples.RefusalOf(packet, [.. sample, .. sample]));
            Assert.Equal(expected, PropertySamples.RefusalOf(packet, [.. sample, .. PropertySamples.Encoded(0x26), .. sample]));
        }
    }

    [Theory]
    [MemberData(nameof(Packets))]
    public void A_property_cut_short_is_malformed(int packet)
    {
        foreach (int id in SpecifiedProperties.Identifiers.Where(id => SpecifiedProperties.IsAllowed(id, packet)))
        {
            byte[] sample = PropertySamples.Encoded(id);
            // Nothing may follow, or it would be taken for the missing bytes: so no method is added, and AUTH and authentication data are left out.
            if (packet == (int)PacketType.Auth || id == (int)PropertyId.AuthenticationData) continue;
            for (int length = 1; length < sample.Length; length++)
            {
                Assert.Equal(ReasonCode.MalformedPacket, PropertySamples.RefusalOf(packet, sample[..length]));
            }
        }
    }

    [Theory]
    [InlineData(1, "17")]
    [InlineData(1, "19")]
    [InlineData(2, "24")]
    [InlineData(2, "25")]
    [InlineData(2, "28")]
    [InlineData(2, "29")]
    [InlineData(2, "2A")]
    [InlineData(3, "01")]
    [InlineData(0, "01")]
    public void A_property_of_one_byte_is_0_or_1(int packet, string id)
    {
        byte[] identifier = Notation.Bytes(id);
        for (int value = 0; value < 256; value++)
        {
            Assert.Equal(value <= 1 ? null : ReasonCode.ProtocolError, PropertySamples.RefusalOf(packet, [.. identifier, (byte)value]));
        }
    }

    [Theory]
    [InlineData(1, "21 0000", ReasonCode.ProtocolError)]
    [InlineData(2, "21 0000", ReasonCode.ProtocolError)]
    [InlineData(1, "27 00000000", ReasonCode.ProtocolError)]
    [InlineData(2, "27 00000000", ReasonCode.ProtocolError)]
    [InlineData(3, "0B 00", ReasonCode.ProtocolError)]
    [InlineData(8, "0B 00", ReasonCode.ProtocolError)]
    [InlineData(3, "23 0000", ReasonCode.TopicAliasInvalid)]
    [InlineData(3, "08 'a/+'", ReasonCode.ProtocolError)]
    [InlineData(0, "08 '#'", ReasonCode.ProtocolError)]
    [InlineData(0, "08 ''", ReasonCode.ProtocolError)]
    public void An_impossible_value_is_refused(int packet, string property, ReasonCode expected) =>
        Assert.Equal(expected, PropertySamples.RefusalOf(packet, Notation.Bytes(property)));

    [Theory]
    [InlineData(1, "11 00000000 22 0000 21 FFFF 27 FFFFFFFF")]
    [InlineData(2, "11 FFFFFFFF 22 FFFF 21 0001 27 00000001 13 0000 12 '' 1A '' 1C ''")]
    [InlineData(3, "02 00000000 23 FFFF 0B 01 0B FFFFFF7F 03 '' 09 ''")]
    [InlineData(0, "18 00000000 02 FFFFFFFF 09 ''")]
    public void The_ends_of_the_ranges_are_accepted(int packet, string properties) =>
        Assert.Null(PropertySamples.RefusalOf(packet, Notation.Bytes(properties)));

    [Fact]
    public void Every_string_is_checked_to_be_UTF_8()
    {
        foreach (int id in SpecifiedProperties.Identifiers)
        {
            string[] samples = SpecifiedProperties.TypeOf(id) switch
            {
                "text" => ["{61 FF}", "{ED A0 80}", "{00}"],
                "pair" => ["{FF} 'v'", "'k' {FF}", "{00} 'v'", "'k' {C0 80}"],
                _ => [],
            };
            foreach (string sample in samples)
            {
                foreach (int packet in SpecifiedProperties.Packets.Where(packet => SpecifiedProperties.IsAllowed(id, packet)))
                {
                    Assert.Equal(ReasonCode.MalformedPacket, PropertySamples.RefusalOf(packet, [(byte)id, .. Notation.Bytes(sample)]));
                }
            }
        }
    }

    [Fact]
    public void Binary_data_is_any_bytes()
    {
        byte[] everyByte = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];
        Assert.Null(PropertySamples.RefusalOf(3, [0x09, 1, 0, .. everyByte]));
        Assert.Null(PropertySamples.RefusalOf(15, [0x16, 1, 0, .. everyByte]));
    }
}
