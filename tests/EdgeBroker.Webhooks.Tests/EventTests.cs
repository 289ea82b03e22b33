using System.Text.Json;
using EdgeBroker.Core.Events;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Webhooks.Tests.Rig;

namespace EdgeBroker.Webhooks.Tests;

/// <summary>What receivers are told, as they see it.</summary>
public sealed class EventTests
{
    [Fact]
    public async Task Every_event_is_told_with_what_there_is_to_know()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await using Plant plant = await Plant.StartAsync(null, Plant.To(receiver.Url) with { IncludePayload = true });
        TestClient scada = await plant.ConnectAsync("scada", properties: Prop.SessionExpiry(3600));
        await scada.SubscribeAsync("$share/line/plant/#", 1);
        await scada.SendAsync(scada.Packets.Subscribe(7, "secret/#"));
        await scada.ExpectAsync(scada.Packets.Suback(7, 0x87));
        TestClient press = await plant.ConnectAsync("press7", "anna");
        await press.PublishAsync("plant/t", "21.5", qos: 1, retain: true, properties: [.. Prop.ContentType("text/plain"), .. Prop.User("k", "v\"")]);
        await scada.AcknowledgeAsync(await scada.ExpectPublishAsync("plant/t", "21.5", qos: 1));
        await press.PublishAsync("plant/t", "", retain: true);
        await scada.ExpectPublishAsync("plant/t", "");
        await press.SendAsync(press.Packets.Publish("secret/x", "?", qos: 1, packetId: 9, retain: false));
        await press.ExpectAsync(PacketType.Puback);
        await scada.UnsubscribeAsync("$share/line/plant/#");
        TestClient mallory = await plant.Broker.OpenAsync();
        await mallory.SendAsync(mallory.Packets.Connect("m", userName: "mallory", password: "guess"u8.ToArray()));
        await mallory.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        TestClient again = await plant.ConnectAsync("scada", cleanStart: false);
        await again.FenceAsync();

        await Deadline.Until(() => receiver.Events.Any(one => Is(one, "client.session_takeover")), "the takeover");
        await Deadline.Until(() => receiver.Events.Count(one => Is(one, "client.connected")) == 3, "all who connected");
        IReadOnlyList<JsonElement> events = receiver.Events;
        Assert.Equal(WebhookEventTypes.Names.Order(), events.Select(one => one.GetProperty("event_type").GetString()!).Distinct().Order());

        JsonElement first = events[0];
        string[] members = ["event_type", "event_id", "timestamp", "broker_id", "boot_id", "sequence", "data"];
        Assert.Equal(members, first.EnumerateObject().Select(member => member.Name));
        Assert.Equal("gw-017", first.GetProperty("broker_id").GetString());
        Assert.Matches("^[0-9A-HJKMNP-TV-Z]{26}$", first.GetProperty("event_id").GetString());
        Assert.Matches(@"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", first.GetProperty("timestamp").GetString());
        Assert.Equal(events.Count, events.Select(one => one.GetProperty("event_id").GetString()).Distinct().Count());
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(one => one.GetProperty("sequence").GetInt32()));

        Has("client.connected", """{"client_id":"scada","user":"scada","protocol":"5.0","session_present":false,"clean_start":true}""");
        Has("client.connected", """{"client_id":"scada","keep_alive_seconds":60,"session_expiry_seconds":3600,"tls_identity":null}""");
        Has("auth.success", """{"client_id":"press7","user":"anna","protocol":"5.0","method":"password"}""");
        Has("auth.failure", """{"client_id":"m","user":"mallory","method":"password","reason_code":134,"cause":"the password is wrong"}""");
        Has("subscription.created", """{"client_id":"scada","user":"scada","filter":"plant/#","qos_granted":1,"share":"line","replaced":false}""");
        Has("subscription.removed", """{"client_id":"scada","filter":"plant/#","share":"line","cause":"unsubscribe"}""");
        Has("authz.subscribe_denied", """{"client_id":"scada","user":"scada","filter":"secret/#","rule":{"file":"broker.toml","line":61},"reason_code":135}""");
        Has("authz.publish_denied", """{"client_id":"press7","user":"anna","topic":"secret/x","qos":1,"retain":false,"reason_code":135}""");
        Has("authz.publish_denied", """{"rule":{"file":"broker.toml","line":61}}""");
        Has("message.published", """{"client_id":"press7","user":"anna","topic":"plant/t","qos":1,"retain":true,"payload_bytes":4,"payload":"21.5"}""");
        Has("message.published", """{"payload":"21.5","content_type":"text/plain","user_properties":[["k","v\""]]}""");
        Has("message.delivered", """{"client_id":"scada","topic":"plant/t","qos":1,"publisher":"press7","payload_bytes":4,"delay_ms":0,"from_queue":false}""");
        Has("message.retained", """{"topic":"plant/t","change":"set","publisher":"press7","payload_bytes":4,"qos":1}""");
        Has("message.retained", """{"topic":"plant/t","change":"deleted","publisher":"press7","payload_bytes":0,"qos":0}""");
        Has("client.disconnected", """{"client_id":"scada","by":"broker","reason_code":142,"session_kept":true,"will_published":false}""");
        Has("client.session_takeover", """{"client_id":"scada","user":"scada","same_user":true}""");

        void Has(string type, string expected)
        {
            JsonElement wanted = JsonDocument.Parse(expected).RootElement;
            JsonElement[] told = [.. events.Where(one => Is(one, type)).Select(one => one.GetProperty("data"))];
            Assert.True(told.Any(data => Holds(data, wanted)), $"{type} with {expected} among\n{string.Join('\n', told)}");
        }
    }

    [Fact]
    public async Task Only_what_is_wanted_is_asked_of_the_broker()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await using Plant plant = await Plant.StartAsync();
        BrokerEvents asked = plant.Broker.Broker.Events;
        Assert.False(asked.Wants(EventKinds.MessagePublished | EventKinds.MessageDelivered | EventKinds.MessageRetained));
        Assert.Empty(plant.Part.States());

        await ApplyAsync(plant.Part, Plant.To(receiver.Url, WebhookEventType.MessageRetained));
        Assert.True(asked.Wants(EventKinds.MessageRetained));
        Assert.False(asked.Wants(EventKinds.MessagePublished | EventKinds.MessageDelivered));

        await ApplyAsync(plant.Part);
        Assert.False(asked.Wants(EventKinds.MessagePublished | EventKinds.MessageDelivered | EventKinds.MessageRetained));
    }

    [Fact]
    public async Task Topics_choose_among_messages_subscriptions_and_refusals_and_not_among_clients()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await using Plant plant = await Plant.StartAsync(null, Plant.To(receiver.Url) with { Topics = ["plant/+/t"u8.ToArray()] });
        TestClient client = await plant.ConnectAsync("c");
        await client.SubscribeAsync("other/#");
        await client.SubscribeAsync("plant/#");
        await client.PublishAsync("other/a/t");
        await client.PublishAsync("plant/a/b");
        await client.PublishAsync("plant/a/t", "x");
        await client.ExpectPublishAsync("other/a/t", "");
        await client.ExpectPublishAsync("plant/a/b", "");
        await client.ExpectPublishAsync("plant/a/t", "x");
        await client.DisconnectAsync();

        await Deadline.Until(() => receiver.Events.Any(one => Is(one, "client.disconnected")), "the end");
        string[] told = [.. receiver.Events.Select(one => one.GetProperty("event_type").GetString() + " " + TopicOf(one.GetProperty("data")))];
        Assert.Contains("client.connected ", told);
        Assert.Equal(["subscription.created plant/#"], told.Where(one => one.StartsWith("subscription.created", StringComparison.Ordinal)));
        Assert.Equal(["message.published plant/a/t"], told.Where(one => one.StartsWith("message.published", StringComparison.Ordinal)));
        Assert.Equal(["message.delivered plant/a/t"], told.Where(one => one.StartsWith("message.delivered", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("ab\u00e4c", 3, """{"payload":"ab","payload_truncated":true}""")]
    [InlineData("ab\u00e4c", 4, """{"payload":"ab\u00e4","payload_truncated":true}""")]
    [InlineData("abc", 3, """{"payload":"abc"}""")]
    public async Task A_long_payload_is_cut_at_a_character(string payload, int most, string expected)
    {
        await using Receiver receiver = await Receiver.StartAsync();
        WebhookOptions options = Plant.To(receiver.Url, WebhookEventType.MessagePublished) with { IncludePayload = true, MaxPayloadBytes = most };
        await using Plant plant = await Plant.StartAsync(null, options);
        TestClient client = await plant.ConnectAsync("c");
        await client.PublishAsync("t", payload);
        await receiver.HasAsync(1);
        JsonElement data = receiver.Events[0].GetProperty("data");
        Assert.True(Holds(data, JsonDocument.Parse(expected).RootElement), data.ToString());
        Assert.Equal(expected.Contains("truncated", StringComparison.Ordinal), data.TryGetProperty("payload_truncated", out _));
    }

    [Fact]
    public async Task A_payload_that_is_no_text_is_told_in_base_64_and_none_where_it_is_not_asked_for()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        WebhookOptions options = Plant.To(receiver.Url, WebhookEventType.MessagePublished);
        await using Plant plant = await Plant.StartAsync(null, options with { IncludePayload = true }, options with { Name = "other" });
        TestClient client = await plant.ConnectAsync("c");
        await client.SendAsync(client.Packets.Publish("t", [0xFF, 0x00]));
        await receiver.HasAsync(2);
        JsonElement[] told = [.. receiver.Events.Select(one => one.GetProperty("data"))];
        Assert.Single(told, data => data.TryGetProperty("payload_base64", out JsonElement text) && text.GetString() == "/wA=");
        Assert.Single(told, data => !data.TryGetProperty("payload_base64", out _) && !data.TryGetProperty("payload", out _));
    }

    [Fact]
    public async Task What_happens_to_a_client_is_told_in_order_through_takeovers()
    {
        const int takeovers = 300;
        await using Receiver receiver = await Receiver.StartAsync();
        WebhookEventType[] types = [WebhookEventType.ClientConnected, WebhookEventType.ClientDisconnected, WebhookEventType.ClientSessionTakeover];
        await using Plant plant = await Plant.StartAsync(null, Plant.To(receiver.Url, types) with { BatchEvents = 100 });
        for (int i = 0; i <= takeovers; i++) await plant.ConnectAsync("c");

        await receiver.HasEventsAsync(1 + (3 * takeovers));
        string[] order = [.. receiver.Events.Select(one => one.GetProperty("event_type").GetString()!)];
        Assert.Equal("client.connected", order[0]);
        Assert.All(order.Skip(1).Chunk(3), three => Assert.Equal(["client.disconnected", "client.session_takeover", "client.connected"], three));
    }

    internal static bool Is(JsonElement one, string type) => one.GetProperty("event_type").GetString() == type;

    internal static async Task ApplyAsync(WebhookPart part, params WebhookOptions[] options)
    {
        await using Core.Hosting.IPreparedChange change = await part.PrepareAsync(options);
        await change.ApplyAsync(new Core.Hosting.ChangeNotes());
    }

    private static string TopicOf(JsonElement data) =>
        data.TryGetProperty("topic", out JsonElement topic) || data.TryGetProperty("filter", out topic) ? topic.GetString()! : "";

    /// <summary>Whether an object has all members of another, with their values.</summary>
    private static bool Holds(JsonElement data, JsonElement wanted) =>
        wanted.EnumerateObject().All(member => data.TryGetProperty(member.Name, out JsonElement value) && JsonElement.DeepEquals(value, member.Value));
}
