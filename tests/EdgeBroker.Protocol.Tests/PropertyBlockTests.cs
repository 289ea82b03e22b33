using System.Text;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Reading and forwarding the properties of a parsed packet.</summary>
public class PropertyBlockTests
{
    [Fact]
    public void The_default_block_is_empty()
    {
        PropertyBlock block = default;
        Assert.True(block.IsEmpty);
        Assert.True(block.IsForwardedUnchanged);
        Assert.False(block.Has(PropertyId.UserProperty));
        Assert.Equal(7u, block.GetNumber(PropertyId.TopicAlias, 7));
        Assert.Equal(0, block.TopicAlias);
        Assert.True(block.GetValue(PropertyId.ContentType).IsEmpty);
        Assert.Equal(0, block.CopyForwarded([]));
        foreach (Property property in block) Assert.Fail($"{property.Id} in an empty block");
    }

    [Fact]
    public void Values_are_found_wherever_they_stand()
    {
        PropertyBlock block = Parse("26 'k' 'v' 01 01 09 {00FF} 02 0000003C 23 0005 03 'text/plain' 0B C102");
        Assert.Equal(1u, block.GetNumber(PropertyId.PayloadFormatIndicator, 9));
        Assert.Equal(60u, block.GetNumber(PropertyId.MessageExpiryInterval, 9));
        Assert.Equal(5u, block.GetNumber(PropertyId.TopicAlias, 9));
        Assert.Equal(5, block.TopicAlias);
        Assert.Equal(321u, block.GetNumber(PropertyId.SubscriptionIdentifier, 9));
        Assert.Equal([0x00, 0xFF], block.GetValue(PropertyId.CorrelationData).ToArray());
        Assert.Equal("text/plain", Encoding.UTF8.GetString(block.GetValue(PropertyId.ContentType)));
        Assert.False(block.Has(PropertyId.ResponseTopic));
    }

    [Fact]
    public void An_empty_value_is_told_from_an_absent_one_by_asking()
    {
        PropertyBlock block = Parse("03 ''");
        Assert.True(block.Has(PropertyId.ContentType));
        Assert.True(block.GetValue(PropertyId.ContentType).IsEmpty);
        Assert.False(block.Has(PropertyId.CorrelationData));
        Assert.True(block.GetValue(PropertyId.CorrelationData).IsEmpty);
    }

    [Fact]
    public void The_first_of_repeated_properties_is_found()
    {
        PropertyBlock block = Parse("0B 02 0B 01 26 'a' '1' 26 'a' '2'");
        Assert.Equal(2u, block.GetNumber(PropertyId.SubscriptionIdentifier, 9));
        Assert.Equal("1", Encoding.UTF8.GetString(block.GetValue(PropertyId.UserProperty)));
    }

    [Fact]
    public void The_walk_yields_properties_in_their_order_with_their_bytes()
    {
        PropertyBlock block = Parse("26 'b' '1' 0B C102 26 'a' '2'");
        var seen = new List<string>();
        foreach (Property p in block)
        {
            seen.Add($"{(int)p.Id:X} {Encoding.UTF8.GetString(p.Name)}={Encoding.UTF8.GetString(p.Value)} {p.Number} {Convert.ToHexString(p.Encoded)}");
        }

        Assert.Equal(["26 b=1 0 26000162000131", "B = 321 0BC102", "26 a=2 0 26000161000132"], seen);
    }

    [Theory]
    [InlineData("", "", true)]
    [InlineData("01 01 03 'text/plain' 08 'r' 09 'c' 26 'k' 'v'", "01 01 03 'text/plain' 08 'r' 09 'c' 26 'k' 'v'", true)]
    [InlineData("26 'b' '1' 26 'a' '2' 26 'b' '3'", "26 'b' '1' 26 'a' '2' 26 'b' '3'", true)]
    [InlineData("02 0000003C 26 'k' 'v' 03 'c'", "26 'k' 'v' 03 'c'", true)]
    [InlineData("26 'k' 'v' 03 'c' 23 0001", "26 'k' 'v' 03 'c'", true)]
    [InlineData("23 0001 02 0000003C 26 'k' 'v' 0B 01 0B 02", "26 'k' 'v'", true)]
    [InlineData("02 0000003C 26 'k' 'v' 23 0001 01 00 0B 01 0B 02", "26 'k' 'v' 01 00", false)]
    [InlineData("26 'k' 'v' 0B 01 26 'a' 'b' 26 'c' 'd'", "26 'k' 'v' 26 'a' 'b' 26 'c' 'd'", false)]
    [InlineData("23 0001", "", true)]
    [InlineData("0B 01", "", true)]
    [InlineData("02 00000001", "", true)]
    public void What_goes_along_is_copied_in_order(string properties, string forwarded, bool isInOnePiece)
    {
        PropertyBlock block = Parse(properties);
        byte[] copy = new byte[block.Bytes.Length];
        int written = block.CopyForwarded(copy);
        Assert.Equal(Notation.Bytes(forwarded), copy[..written]);
        Assert.Equal(isInOnePiece, block.TryGetForwarded(out ReadOnlySpan<byte> piece));
        if (isInOnePiece) Assert.Equal(copy[..written], piece.ToArray());
        Assert.Equal(properties == forwarded, block.IsForwardedUnchanged);
    }

    [Fact]
    public void The_delay_of_a_will_is_not_forwarded()
    {
        byte[] packet = Notation.Bytes("10 len 'MQTT' 05 06 003C [] 'c1' [18 0000000A 01 01 02 0000003C] 't' ''");
        Assert.Equal(FrameStatus.Complete, Frame.Cut(packet, int.MaxValue, out Frame frame, out _));
        Assert.True(ConnectPacket.TryParse(frame, out ConnectPacket connect, out _));
        byte[] copy = new byte[connect.WillProperties.Bytes.Length];
        Assert.False(connect.WillProperties.IsForwardedUnchanged);
        Assert.Equal([0x01, 0x01], copy[..connect.WillProperties.CopyForwarded(copy)]);
    }

    private static PropertyBlock Parse(string properties)
    {
        byte[] packet = Notation.Bytes($"30 len 't' [{properties}]");
        Assert.Equal(FrameStatus.Complete, Frame.Cut(packet, int.MaxValue, out Frame frame, out _));
        Assert.True(PublishPacket.TryParse(frame, ProtocolVersion.V5, out PublishPacket publish, out ParseError error), error.Explanation);
        return publish.Properties;
    }
}
