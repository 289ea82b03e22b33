using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Building the properties of a packet to be written.</summary>
public class PropertyBuilderTests
{
    [Fact]
    public void Properties_are_written_in_the_order_they_are_added()
    {
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Connack, stackalloc byte[64]);
        builder.Add(PropertyId.MaximumQoS, 1);
        builder.Add(PropertyId.ReceiveMaximum, 20);
        builder.Add(PropertyId.MaximumPacketSize, 65_536);
        builder.Add(PropertyId.ReasonString, "hi"u8);
        builder.AddUserProperty("k"u8, "v"u8);
        builder.Add(PropertyId.AuthenticationData, [0x00]);
        Assert.Equal(Notation.Bytes("24 01 21 0014 27 00010000 1F 'hi' 26 'k' 'v' 16 {00}"), builder.Block.Bytes.ToArray());
        Assert.Equal(20u, builder.Block.GetNumber(PropertyId.ReceiveMaximum, 0));
        Assert.True(builder.Block.Has(PropertyId.UserProperty));
        builder.Dispose();
    }

    [Fact]
    public void A_subscription_identifier_is_a_variable_byte_integer()
    {
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Subscribe, stackalloc byte[8]);
        builder.Add(PropertyId.SubscriptionIdentifier, VariableByteInteger.MaxValue);
        Assert.Equal(Notation.Bytes("0B FFFFFF7F"), builder.Block.Bytes.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(300)]
    public void The_builder_grows_beyond_the_memory_it_was_lent(int lentBytes)
    {
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, new byte[lentBytes]);
        var expected = new List<byte>();
        for (int i = 0; i < 200; i++)
        {
            byte[] name = [.. Enumerable.Repeat((byte)'n', i)];
            builder.AddUserProperty(name, "v"u8);
            expected.AddRange([0x26, (byte)(i >> 8), (byte)i, .. name, 0, 1, (byte)'v']);
            Assert.True(builder.Block.Bytes.SequenceEqual(expected.ToArray()));
        }

        builder.Dispose();
        builder.Dispose();
    }

    [Fact]
    public void The_longest_strings_fit_and_longer_ones_do_not()
    {
        byte[] longest = new byte[65_535];
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, []);
        builder.Add(PropertyId.CorrelationData, longest);
        builder.AddUserProperty(longest, longest);
        Assert.Equal(3 + 65_535 + 5 + (2 * 65_535), builder.Block.Bytes.Length);
        builder.Dispose();
        Assert.Throws<ArgumentException>(() => Build(PacketType.Publish, (ref b) => b.Add(PropertyId.CorrelationData, new byte[65_536])));
    }

    [Fact]
    public void A_property_that_cannot_be_added_is_refused()
    {
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Publish, (ref b) => b.Add(PropertyId.ReceiveMaximum, 1)));
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Pingreq, (ref b) => b.AddUserProperty([], [])));
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Publish, (ref b) => b.Add(PropertyId.ContentType, 1)));
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Publish, (ref b) => b.Add(PropertyId.TopicAlias, "1"u8)));
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Publish, (ref b) => b.Add(PropertyId.UserProperty, "1"u8)));
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Publish, (ref b) => b.Add((PropertyId)0x7F, 1)));
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Publish, (ref b) => b.Add((PropertyId)0, "1"u8)));
    }

    [Fact]
    public void A_number_too_large_for_its_encoding_is_refused_and_not_cut()
    {
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Connack, (ref b) => b.Add(PropertyId.MaximumQoS, 256)));
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Connack, (ref b) => b.Add(PropertyId.ReceiveMaximum, 65_536)));
        Assert.ThrowsAny<ArgumentException>(
            () => Build(PacketType.Subscribe, (ref b) => b.Add(PropertyId.SubscriptionIdentifier, VariableByteInteger.MaxValue + 1)));
    }

    [Fact]
    public void A_refused_property_leaves_no_trace()
    {
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, stackalloc byte[16]);
        builder.Add(PropertyId.TopicAlias, 1);
        bool refused = false;
        try
        {
            builder.Add(PropertyId.CorrelationData, new byte[65_536]);
        }
        catch (ArgumentException)
        {
            refused = true;
        }

        Assert.True(refused);
        Assert.False(builder.Block.Has(PropertyId.CorrelationData));
        Assert.Equal(Notation.Bytes("23 0001"), builder.Block.Bytes.ToArray());
        builder.Dispose();
    }

    [Fact]
    public void The_properties_of_a_will_are_its_own()
    {
        PropertyBuilder builder = PropertyBuilder.ForWill(stackalloc byte[16]);
        builder.Add(PropertyId.WillDelayInterval, 10);
        Assert.Equal(Notation.Bytes("18 0000000A"), builder.Block.Bytes.ToArray());
        Assert.ThrowsAny<ArgumentException>(() => Build(PacketType.Connect, (ref b) => b.Add(PropertyId.WillDelayInterval, 10)));
    }

    private delegate void Addition(ref PropertyBuilder builder);

    private static void Build(PacketType packet, Addition addition)
    {
        PropertyBuilder builder = PropertyBuilder.For(packet, stackalloc byte[64]);
        addition(ref builder);
        builder.Dispose();
    }
}
