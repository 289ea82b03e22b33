namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>Strings (1.5.3), wherever a client sends one.</summary>
public sealed class Section_1_5_Text
{
    [Theory]
    [InlineData("C3")]
    [InlineData("80")]
    [InlineData("FF")]
    [InlineData("C0AF")]
    [InlineData("EDA080")]
    [InlineData("EDBFBF")]
    [InlineData("F4908080")]
    [Requirement("MQTT-1.5.3-1", "3.1.1")]
    public Task Ill_formed_text_closes_the_connection(string hex) =>
        ClosesEverywhereAsync([.. Check.Utf8("a"), .. Convert.FromHexString(hex), .. Check.Utf8("b")]);

    [Fact]
    [Requirement("MQTT-1.5.3-2", "3.1.1")]
    [Requirement("MQTT-4.7.3-2", "3.1.1")]
    public Task U0000_closes_the_connection() => ClosesEverywhereAsync([.. Check.Utf8("a"), 0, .. Check.Utf8("b")]);

    [Fact]
    [Requirement("MQTT-1.5.3-1", "3.1.1")]
    [Requirement("MQTT-1.5.3-3", "3.1.1")]
    public async Task UFEFF_is_a_character_like_others()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.SubscriberAsync("\uFEFFa/#");
        TestClient publisher = await broker.JoinAsync("publisher");
        await publisher.PublishAsync("a/b", "another topic");
        await publisher.PublishAsync("\uFEFFa/\uFEFF\u00E4\U0001F321", "kept");
        byte[] topic = [0xEF, 0xBB, 0xBF, 0x61, 0x2F, 0xEF, 0xBB, 0xBF, 0xC3, 0xA4, 0xF0, 0x9F, 0x8C, 0xA1];
        await subscriber.ExpectAsync(Wire.Packet(0x30, [.. Wire.Binary(topic), .. Check.Utf8("kept")]));
        await subscriber.ExpectNothingAsync();
    }

    private static async Task ClosesEverywhereAsync(byte[] text)
    {
        await Check.CutsOffAsync(Wire.Packet(0x30, Wire.Binary(text)));
        await Check.CutsOffAsync(Wire.Packet(0x82, [0, 1, .. Wire.Binary(text), 0]));
        await Check.CutsOffAsync(Wire.Packet(0xA2, [0, 1, .. Wire.Binary(text)]));
        byte[] good = Wire.Text("good");
        await Check.ClosesSilentlyAsync(Check.Connect(0x02, Wire.Binary(text)));
        await Check.ClosesSilentlyAsync(Check.Connect(0x06, [.. good, .. Wire.Binary(text), .. good]));
        await Check.ClosesSilentlyAsync(Check.Connect(0x82, [.. good, .. Wire.Binary(text)]));
    }
}
