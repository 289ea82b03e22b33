namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>Topic names and filters (4.7).</summary>
public sealed class Section_4_7_Topics
{
    [Theory]
    [InlineData("a/#/b")]
    [InlineData("a#")]
    [InlineData("#a")]
    [InlineData("a/b#")]
    [InlineData("#/")]
    [InlineData("##")]
    [Requirement("MQTT-4.7.1-2", "3.1.1")]
    public Task A_number_sign_stands_alone_and_last(string filter) => IsRefusedAsync(filter);

    [Theory]
    [InlineData("a+")]
    [InlineData("+a")]
    [InlineData("a/b+/c")]
    [InlineData("++")]
    [InlineData("+#")]
    [Requirement("MQTT-4.7.1-3", "3.1.1")]
    public Task A_plus_sign_fills_its_level(string filter) => IsRefusedAsync(filter);

    [Theory]
    [InlineData("#", "a", true)]
    [InlineData("#", "/", true)]
    [InlineData("#", "a/b/c", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("a/#", "b/a", false)]
    [InlineData("+", "a", true)]
    [InlineData("+", "/a", false)]
    [InlineData("+/+", "/a", true)]
    [InlineData("/+", "/a", true)]
    [InlineData("+", "a/b", false)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("+/b/#", "a/b", true)]
    [InlineData("+/b/#", "a/b/c/d", true)]
    [InlineData("a/+/c", "a//c", true)]
    [InlineData("a/+/c", "a/b/d", false)]
    [Requirement("MQTT-4.7.1-2", "3.1.1")]
    [Requirement("MQTT-4.7.1-3", "3.1.1")]
    public Task Wildcards_match_levels(string filter, string topic, bool matches) => MatchesAsync(filter, topic, matches);

    [Theory]
    [InlineData("#", "$x/a", false)]
    [InlineData("+/a", "$x/a", false)]
    [InlineData("+", "$x", false)]
    [InlineData("+/#", "$x/a", false)]
    [InlineData("$x/#", "$x/a", true)]
    [InlineData("$x/+", "$x/a", true)]
    [InlineData("#", "x/$a", true)]
    [Requirement("MQTT-4.7.2-1", "3.1.1")]
    public Task A_leading_wildcard_does_not_match_a_leading_dollar(string filter, string topic, bool matches) => MatchesAsync(filter, topic, matches);

    [Theory]
    [InlineData("a//b", "a/b")]
    [InlineData("a", "/a")]
    [InlineData("a", "a/")]
    [InlineData("a", "A")]
    [InlineData("a", " a")]
    [InlineData("a ", "a")]
    [InlineData("\u00E9", "e\u0301")]
    [InlineData("\u00DF", "ss")]
    [InlineData("\uFB01", "fi")]
    [InlineData("a/./b", "a/b")]
    [InlineData("a/../b", "b")]
    [InlineData("%41", "A")]
    [Requirement("MQTT-4.7.3-4", "3.1.1")]
    public async Task Nothing_is_normalised(string one, string other)
    {
        await MatchesAsync(one, one, true);
        await MatchesAsync(one, other, false);
        await MatchesAsync(other, one, false);
        await using var broker = new TestBroker();
        await broker.PublishAsync(one, "kept", 0, retain: true);
        TestClient client = await broker.SubscriberAsync(other);
        await client.ExpectNothingAsync();
        await client.SubscribeAsync(one);
        await client.ExpectPublishAsync(one, "kept", 0, retain: true);
    }

    [Fact]
    [Requirement("MQTT-4.7.3-1", "3.1.1")]
    public async Task Topics_and_filters_are_not_empty()
    {
        await Check.CutsOffAsync(Check.Packets.Publish(""));
        await Check.CutsOffAsync(Check.Packets.Subscribe(1, ""));
        await Check.CutsOffAsync(Check.Packets.Unsubscribe(1, ""));
        await MatchesAsync(" ", " ", true);
    }

    [Fact]
    [Requirement("MQTT-4.7.3-3", "3.1.1")]
    public async Task Topics_and_filters_of_65535_bytes_are_whole()
    {
        string longest = new('t', 65_535);
        await MatchesAsync(longest, longest, true);
        await MatchesAsync(longest, longest[..^1], false);
        await MatchesAsync("+", longest, true);
    }

    private static async Task IsRefusedAsync(string filter)
    {
        await Check.CutsOffAsync(Check.Packets.Subscribe(1, filter));
        await Check.CutsOffAsync(Check.Packets.Unsubscribe(1, filter));
    }

    private static async Task MatchesAsync(string filter, string topic, bool matches)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync(filter);
        await client.PublishAsync(topic, "payload");
        if (matches) await client.ExpectPublishAsync(topic, "payload");
        else await client.ExpectNothingAsync();
    }
}
