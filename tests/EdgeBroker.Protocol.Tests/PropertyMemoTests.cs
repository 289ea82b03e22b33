using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Properties recognised as those of the message before.</summary>
public class PropertyMemoTests
{
    private readonly PropertyMemo _memo = new();

    [Fact]
    public void The_same_properties_are_read_the_same()
    {
        for (int time = 0; time < 3; time++)
        {
            PublishPacket packet = Read("02 0000003C 03 'text' 26 'k' 'v'");
            Assert.Equal(60u, packet.Properties.GetNumber(PropertyId.MessageExpiryInterval, 0));
            Assert.Equal("text"u8.ToArray(), packet.Properties.GetValue(PropertyId.ContentType).ToArray());
            Assert.True(packet.Properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded));
            Assert.Equal(Notation.Bytes("03 'text' 26 'k' 'v'"), forwarded.ToArray());
        }
    }

    [Fact]
    public void Other_properties_are_judged()
    {
        Read("26 'k' 'v'");
        Assert.Equal(ReasonCode.MalformedPacket, Refusal("26 'k' 00 01 00"));
        Assert.Equal(ReasonCode.ProtocolError, Refusal("26 'k' 'v' 01 02"));
        Assert.Equal(1u, Read("01 01 26 'k' 'v'").Properties.GetNumber(PropertyId.PayloadFormatIndicator, 0));
        Assert.False(Read("26 'k' 'v'").Properties.Has(PropertyId.PayloadFormatIndicator));
    }

    [Fact]
    public void What_was_refused_is_not_remembered()
    {
        for (int time = 0; time < 3; time++) Assert.Equal(ReasonCode.ProtocolError, Refusal("01 02"));
    }

    [Fact]
    public void No_properties_are_not_those_remembered()
    {
        Read("01 01");
        Assert.True(Read("").Properties.IsEmpty);
        Assert.True(Read("01 01").Properties.Has(PropertyId.PayloadFormatIndicator));
    }

    [Theory]
    [InlineData(250)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(5000)]
    public void Long_properties_are_read_as_often_as_they_come(int length)
    {
        string properties = $"09 {length - 3:X4} {string.Concat(Enumerable.Repeat("00", length - 3))}";
        for (int time = 0; time < 3; time++) Assert.Equal(length - 3, Read(properties).Properties.GetValue(PropertyId.CorrelationData).Length);
    }

    private PublishPacket Read(string properties)
    {
        Assert.True(PublishPacket.TryParse(Packet(properties), ProtocolVersion.V5, _memo, out PublishPacket packet, out ParseError error), error.Explanation);
        return packet;
    }

    private ReasonCode Refusal(string properties)
    {
        Assert.False(PublishPacket.TryParse(Packet(properties), ProtocolVersion.V5, _memo, out _, out ParseError error));
        return error.Reason;
    }

    private static Frame Packet(string properties)
    {
        Assert.Equal(FrameStatus.Complete, Frame.Cut(Notation.Bytes($"30 len 't' [{properties}] 'payload'"), int.MaxValue, out Frame frame, out _));
        return frame;
    }
}
