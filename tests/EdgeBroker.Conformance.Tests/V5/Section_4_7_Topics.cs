namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_4_7_Topics
{
    [Theory]
    [InlineData("a/b#")]
    [InlineData("a/#/b")]
    [InlineData("#a")]
    [InlineData("##")]
    [InlineData("a/b+")]
    [InlineData("a+/b")]
    [InlineData("++")]
    [InlineData("a/+b/c")]
    [InlineData("")]
    [Requirement("MQTT-4.7.1-1")]
    [Requirement("MQTT-4.7.1-2")]
    [Requirement("MQTT-4.7.3-1")]
    public async Task Misplaced_wildcards_and_empty_filters_are_malformed(string filter)
    {
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, filter), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Packets.V5.Unsubscribe(1, filter), ReasonCode.MalformedPacket);
    }

    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "A", false)]
    [InlineData("a", "a/", false)]
    [InlineData("a", "/a", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("#", "/", true)]
    [InlineData("+", "a", true)]
    [InlineData("+", "/a", false)]
    [InlineData("+/+", "/a", true)]
    [InlineData("/+", "/a", true)]
    [InlineData("a/+/c", "a/b/c", true)]
    [InlineData("a/+/c", "a//c", true)]
    [InlineData("a/+/c", "a/b/b/c", false)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/", true)]
    [InlineData("+/b/#", "a/b", true)]
    [InlineData("a/+/#", "a/b/c/d", true)]
    [InlineData("a/+/#", "a", false)]
    [InlineData("a b", "a b", true)]
    [Requirement("MQTT-4.7.1-1")]
    [Requirement("MQTT-4.7.1-2")]
    [Requirement("MQTT-4.7.0-1")]
    [Requirement("MQTT-3.3.2-3")]
    public async Task Filters_match_level_by_level(string filter, string topic, bool matches)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.PublishAsync(topic, "kept", retain: true);
        await client.SubscribeAsync(filter);
        if (matches) await client.ExpectPublishAsync(topic, "kept", retain: true);
        await client.PublishAsync(topic, "live");
        if (matches) await client.ExpectPublishAsync(topic, "live");
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("#", "$x/y", false)]
    [InlineData("+/y", "$x/y", false)]
    [InlineData("$x/#", "$x/y", true)]
    [InlineData("$x/+", "$x/y", true)]
    [InlineData("#", "a/$x", true)]
    [InlineData("+/$x", "a/$x", true)]
    [InlineData("$x/#", "$x", true)]
    [Requirement("MQTT-4.7.2-1")]
    public async Task A_leading_wildcard_does_not_meet_a_dollar(string filter, string topic, bool matches) =>
        await Filters_match_level_by_level(filter, topic, matches);

    [Fact]
    [Requirement("MQTT-4.7.3-2")]
    public async Task Topics_and_filters_hold_no_null_character()
    {
        await Check.DisconnectsAsync(Packets.V5.Publish("a\0"), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, "\0"), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Packets.V5.Unsubscribe(1, "a/\0/b"), ReasonCode.MalformedPacket);
    }

    [Fact]
    [Requirement("MQTT-4.7.3-4")]
    public async Task Characters_that_look_alike_stay_apart()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        // Composed and decomposed, ligature, Kelvin sign, full width: all of which some normalisation would make alike.
        string[] topics = ["\u00E9", "e\u0301", "\uFB01", "fi", "\u212A", "K", "k", "\uFF4B", " k", "k "];
        foreach (string topic in topics) await client.PublishAsync(topic, topic, retain: true);
        foreach (string topic in topics)
        {
            await client.SubscribeAsync(topic);
            await client.ExpectPublishAsync(topic, topic, retain: true);
            await client.ExpectNothingAsync();
        }
    }

    [Fact]
    public async Task Topics_of_too_many_levels_are_refused()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxTopicLevels = 3 });
        TestClient client = await broker.ConnectAsync("one");
        await client.SubscribeAsync("a/b/c");
        await client.PublishAsync("a/b/c", "x");
        await client.ExpectPublishAsync("a/b/c", "x");
        await client.SendAsync(client.Packets.Subscribe(5, null, ("a/b/c/d", 0), ("$share/g/a/b/c", 0)));
        await client.ExpectAsync(client.Packets.Suback(5, 0x8F, 0));
        await client.SendAsync(client.Packets.Publish("///"));
        await client.ExpectDisconnectAsync(ReasonCode.TopicNameInvalid);
    }
}
