using EdgeBroker.Configuration;
using EdgeBroker.Webhooks;

namespace EdgeBroker.Tests.Configuration;

/// <summary>The tables <c>[[webhook]]</c>: what they mean, and what is wrong with others.</summary>
public sealed class WebhookTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLKSw";

    private const string Full = """
        [[webhook]]
        name = "plant"
        url = "https://hooks.example:8443/in?key=1"
        events = ["client.connected", "message.published", "client.connected"]
        topics = ["plant/#"]
        format = "cloudevents"
        secret = { file = "hook.secret" }
        old_secret = { env = "OLD" }
        headers = { X-Plant = "7", Authorization = { env = "TOKEN" } }
        include_payload = true
        max_payload = "1KB"
        timeout = "2500ms"
        batch = { events = 50, delay = "250ms" }
        queue = { events = 5, bytes = "1MB" }
        max_age = "1h"
        [[webhook]]
        url = "http://127.0.0.1:9000"
        events = ["authz.publish_denied"]
        """;

    [Fact]
    public void Every_key_arrives()
    {
        using Given given = Valid();
        IReadOnlyList<WebhookOptions> webhooks = given.Valid().Webhooks;
        Assert.Equal(2, webhooks.Count);
        WebhookOptions plant = webhooks[0];
        Assert.Equal(("plant", "https://hooks.example:8443/in"), (plant.Name, plant.ShownUrl));
        Assert.Equal([WebhookEventType.ClientConnected, WebhookEventType.MessagePublished], plant.Events);
        Assert.Equal("plant/#"u8.ToArray(), Assert.Single(plant.Topics));
        Assert.Equal((WebhookFormat.CloudEvents, 2, true, 1_024), (plant.Format, plant.Secrets.Count, plant.IncludePayload, plant.MaxPayloadBytes));
        Assert.Equal([new("X-Plant", "7"), new("Authorization", "Bearer t0ken")], plant.Headers);
        Assert.Equal((50, 250.0, 5, 1L << 20), (plant.BatchEvents, plant.BatchDelay.TotalMilliseconds, plant.QueueEvents, plant.QueueBytes));
        Assert.Equal((2.5, 60.0), (plant.Timeout.TotalSeconds, plant.MaxAge.TotalMinutes));
        Assert.Equal(("127.0.0.1", 1, 10_000), (webhooks[1].Name, webhooks[1].BatchEvents, webhooks[1].QueueEvents));
        Assert.True(plant.IsSameAs(given.Valid().Webhooks[0]));
        Assert.False(plant.IsSameAs(plant with { Secrets = [plant.Secrets[0]] }));
        Assert.False(plant.IsSameAs(plant with { MaxAge = TimeSpan.FromMinutes(1) }));
    }

    [Fact]
    public void What_is_shown_is_the_same_again_and_holds_no_secret()
    {
        using Given given = Valid();
        BrokerConfiguration configuration = given.Valid();
        string shown = ConfigurationDocuments.Show(configuration);
        given.With("shown.toml", shown);
        string json = ConfigurationDocuments.ShowJson(configuration);
        Assert.Equal(json, ConfigurationDocuments.ShowJson(given.Valid("shown.toml")));
        Assert.DoesNotContain(Secret, shown + json, StringComparison.Ordinal);
        Assert.DoesNotContain("t0ken", shown + json, StringComparison.Ordinal);
        Assert.Contains("Authorization", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("url = \"http://127.0.0.1/\"", "[[webhook]] needs the key \"events\"")]
    [InlineData("events = [\"client.connected\"]", "[[webhook]] needs the key \"url\"")]
    [InlineData("url = \"ftp://h/\"\nevents = [\"client.connected\"]", "expects the http or https URL")]
    [InlineData("url = \"http://u:p@h/\"\nevents = [\"client.connected\"]", "without user name, password")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.conected\"]", "did you mean \"client.connected\"?")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"webhook.test\"]", "expects a list of events")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\ntopics = [\"a/#/b\"]", "expects a list of topic filters")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\nbatch = { events = 101 }", "a whole number from 1 to 100")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\nqueue = 7", "\"queue\" expects { events = 10_000, bytes = \"8MB\" }")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\nheaders = { Host = \"x\" }", "that the broker writes itself")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\nheaders = { \"a b\" = \"x\" }", "is no name of a header")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\nheaders = { X-Api-Key = \"open\" }", "a secret does not stand in")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\nsecret = { env = \"TOKEN\" }", "\"whsec_\" and base 64")]
    [InlineData("url = \"http://127.0.0.1/\"\nevents = [\"client.connected\"]\nsecret = \"open\"", "a secret does not stand in")]
    [InlineData("url = \"https://h/\"\nevents = [\"client.connected\"]\nca = \"nowhere.pem\"", "no such file: nowhere.pem")]
    public void What_is_wrong_is_said(string table, string expected)
    {
        using var given = new Given("[[webhook]]\n" + table);
        given.WithEnvironment("TOKEN", "Bearer t0ken");
        Assert.Contains(given.Errors(), error => error.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Two_of_one_name_are_refused_and_plain_text_over_the_network_is_warned_of()
    {
        const string table = "[[webhook]]\nurl = \"http://h.example/\"\nevents = [\"client.connected\"]\n";
        using var twice = new Given(table + table);
        string error = Assert.Single(twice.Errors());
        Assert.Contains("broker.toml:4:1: a [[webhook]] named \"h.example\" stands further up already", error, StringComparison.Ordinal);
        using var once = new Given(table);
        Assert.Contains(once.Valid().Warnings, warning => warning.Contains("plain text", StringComparison.Ordinal));
    }

    private static Given Valid() => new Given(Full).With("hook.secret", Secret + "\n").WithEnvironment("OLD", Secret).WithEnvironment("TOKEN", "Bearer t0ken");
}
