namespace EdgeBroker.Protocol.Tests;

/// <summary>The options byte of SUBSCRIBE (3.8.3.1).</summary>
public class SubscriptionOptionsTests
{
    [Fact]
    public void Only_a_QoS_is_valid_in_3_1_1()
    {
        for (int value = 0; value < 256; value++) Assert.Equal(value is 0 or 1 or 2, new SubscriptionOptions((byte)value).IsValid(ProtocolVersion.V311));
    }

    [Fact]
    public void No_reserved_bit_nor_a_third_QoS_or_retain_handling_is_valid_in_5_0()
    {
        for (int value = 0; value < 256; value++)
        {
            int qos = value % 4, retainHandling = value / 16 % 4, reserved = value / 64;
            Assert.Equal(qos <= 2 && retainHandling <= 2 && reserved == 0, new SubscriptionOptions((byte)value).IsValid(ProtocolVersion.V5));
        }
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, false, false, RetainHandling.SendOnSubscribe, 0x00)]
    [InlineData(QoS.AtLeastOnce, false, false, RetainHandling.SendOnSubscribe, 0x01)]
    [InlineData(QoS.ExactlyOnce, false, false, RetainHandling.SendOnSubscribe, 0x02)]
    [InlineData(QoS.AtMostOnce, true, false, RetainHandling.SendOnSubscribe, 0x04)]
    [InlineData(QoS.AtMostOnce, false, true, RetainHandling.SendOnSubscribe, 0x08)]
    [InlineData(QoS.AtMostOnce, false, false, RetainHandling.SendIfNew, 0x10)]
    [InlineData(QoS.AtMostOnce, false, false, RetainHandling.DoNotSend, 0x20)]
    [InlineData(QoS.ExactlyOnce, true, true, RetainHandling.DoNotSend, 0x2E)]
    public void The_options_have_their_bits(QoS qos, bool noLocal, bool retainAsPublished, RetainHandling retainHandling, byte value)
    {
        var options = new SubscriptionOptions(qos, noLocal, retainAsPublished, retainHandling);
        Assert.Equal(value, options.Value);
        Assert.Equal(qos, options.MaximumQoS);
        Assert.Equal(noLocal, options.NoLocal);
        Assert.Equal(retainAsPublished, options.RetainAsPublished);
        Assert.Equal(retainHandling, options.RetainHandling);
    }
}
