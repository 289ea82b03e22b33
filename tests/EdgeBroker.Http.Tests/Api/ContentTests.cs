using System.Text.Json;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Http.Api;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>What sessions and topics hold is read, taken away and put back over HTTP; and those the broker talks to.</summary>
public sealed class ContentTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();
    private int _mqttPort;

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_queue_is_read_by_whoever_may_and_thrown_away()
    {
        await StartAsync();
        await AwayAsync("press7", "plant/#");
        using (LocalClient plant = _host.Web.Broker.OpenLocal("plant", new LocalClientOptions()))
        {
            await plant.PublishAsync(new Core.Messages.Message { Topic = "plant/locked/a"u8.ToArray(), Payload = "one"u8.ToArray(), QoS = QoS.AtLeastOnce });
            await plant.PublishAsync(new Core.Messages.Message { Topic = "plant/b"u8.ToArray(), Payload = [0xFF, 1], QoS = QoS.ExactlyOnce });
        }

        string path = "/api/v1/sessions/press7/queue";
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(_host.Client(ApiHost.ViewerToken), "GET", path));
        (int status, JsonElement list) = await ApiHost.AskAsync(_host.User("anna"), "GET", path + "?payload_limit_bytes=1000");
        Assert.Equal((200, 2), (status, list.GetProperty("page").GetProperty("total_count").GetInt32()));
        JsonElement first = list.GetProperty("items")[0], second = list.GetProperty("items")[1];
        Assert.Equal((1, "plant/locked/a", 1, 3), (first.GetProperty("position").GetInt32(), first.GetProperty("topic").GetString(),
            first.GetProperty("qos").GetInt32(), first.GetProperty("payload_bytes").GetInt32()));
        // Anna may not subscribe to it.
        Assert.False(first.TryGetProperty("payload", out _));
        Assert.Equal("/wE=", second.GetProperty("payload_base64").GetString());
        (_, list) = await ApiHost.AskAsync(_host.Client(), "GET", path + "?payload_limit_bytes=2&limit=1");
        Assert.Equal(("on", true), (list.GetProperty("items")[0].GetProperty("payload").GetString(),
            list.GetProperty("items")[0].GetProperty("payload_truncated").GetBoolean()));
        (_, list) = await ApiHost.AskAsync(_host.Client(), "GET", path);
        Assert.False(list.GetProperty("items")[0].TryGetProperty("payload", out _));

        Assert.Equal("role-needed", await ApiHost.ProblemAsync(_host.User("anna"), "DELETE", path));
        Assert.Equal("count-differs", await ApiHost.ProblemAsync(_host.Client(), "DELETE", path + "?expect_count=3"));
        (status, JsonElement purged) = await ApiHost.AskAsync(_host.Client(), "DELETE", path + "?expect_count=2");
        Assert.Equal((200, 2), (status, purged.GetProperty("purged_count").GetInt32()));
        (_, JsonElement session) = await ApiHost.AskAsync(_host.Client(), "GET", "/api/v1/sessions/press7");
        Assert.Equal((0, 2), (session.GetProperty("queue_messages").GetInt32(), session.GetProperty("dropped_total").GetInt32()));
        Assert.Equal("no-such-session", await ApiHost.ProblemAsync(_host.Client(), "GET", "/api/v1/sessions/nobody/queue"));
        Assert.Contains(_host.Web.Site.Audit.ToList(), entry => entry is { Action: "session.purge", Target: "press7", Status: 200 });
    }

    [Fact]
    public async Task A_subscription_is_taken_away_and_nothing_comes_by_it_any_more()
    {
        await StartAsync();
        TestClient client = await ConnectAsync("press7");
        await client.SubscribeAsync("plant/+/t");
        await client.SubscribeAsync("plant/b");
        HttpClient anna = _host.User("anna");
        string path = "/api/v1/sessions/press7/subscriptions?filter=";
        Assert.Equal("plus-must-be-encoded", await ApiHost.ProblemAsync(anna, "DELETE", path + "plant/+/t"));
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(_host.Client(ApiHost.ViewerToken), "DELETE", path + "plant/%2B/t"));
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "DELETE", path + "plant/%2B/t")).Status);
        Assert.Equal("no-such-subscription", await ApiHost.ProblemAsync(anna, "DELETE", path + "plant/%2B/t"));
        Assert.Equal("no-such-session", await ApiHost.ProblemAsync(anna, "DELETE", "/api/v1/sessions/nobody/subscriptions?filter=a"));
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/topics/plant/a/t", "1")).Status);
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/topics/plant/b", "2")).Status);
        await client.ExpectPublishAsync("plant/b", "2");
        (_, JsonElement left) = await ApiHost.AskAsync(anna, "GET", "/api/v1/sessions/press7/subscriptions");
        Assert.Equal("plant/b", Assert.Single(left.GetProperty("items").EnumerateArray()).GetProperty("filter").GetString());
    }

    [Fact]
    public async Task A_value_that_was_deleted_is_put_back_as_it_was_unless_a_newer_one_came()
    {
        await StartAsync();
        HttpClient anna = _host.User("anna");
        string path = "/api/v1/retained/plant%2Fp";
        await ApiHost.AskAsync(
            anna, "POST", "/publish",
            """
            {"topic":"plant/p","payload":"21.5","qos":1,"retain":true,"content_type":"text/plain","payload_format":"utf-8","user_properties":[["k","v"]]}
            """);
        (_, JsonElement before) = await ApiHost.AskAsync(anna, "GET", path);
        Assert.Equal(("text/plain", "utf-8", "v"), (before.GetProperty("content_type").GetString(), before.GetProperty("payload_format").GetString(),
            before.GetProperty("user_properties")[0][1].GetString()));
        (_, JsonElement hidden) = await ApiHost.AskAsync(_host.Client(ApiHost.ViewerToken), "GET", path);
        Assert.False(hidden.TryGetProperty("user_properties", out _));

        const string Body = """{"payload":"21.5","qos":1,"content_type":"text/plain","payload_format":"utf-8","user_properties":[["k","v"]]}""";
        (string, string) onlyIfNone = ("If-None-Match", "*");
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(anna, "PUT", path, Body, onlyIfNone));
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "DELETE", path)).Status);
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(_host.Client(ApiHost.ViewerToken), "PUT", path, Body, onlyIfNone));
        (int status, JsonElement set) = await ApiHost.AskAsync(anna, "PUT", path, Body, onlyIfNone);
        Assert.Equal((200, "accepted"), (status, set.GetProperty("outcome").GetString()));
        (_, JsonElement after) = await ApiHost.AskAsync(anna, "GET", path);
        Assert.Equal(before.GetRawText(), after.GetRawText());
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(anna, "PUT", "/api/v1/retained/plant%2Flocked%2Fx", Body));
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(anna, "PUT", path, """{"payload":""}"""));
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(anna, "PUT", path, Body, ("If-Match", "\"other\"")));
    }

    [Fact]
    public async Task Topics_are_counted_while_somebody_looks_and_not_before()
    {
        await StartAsync();
        HttpClient anna = _host.User("anna"), viewer = _host.Client(ApiHost.ViewerToken);
        Core.Events.BrokerEvents events = _host.Web.Broker.Events;
        Assert.False(events.Wants(Core.Events.EventKinds.MessagePublished));
        await ApiHost.AskAsync(anna, "POST", "/topics/plant/a/t?retain=true", "kept");
        (_, JsonElement first) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/topics");
        Assert.True(events.Wants(Core.Events.EventKinds.MessagePublished));
        Assert.Equal((0, "plant", 1, 1), (first.GetProperty("tracked_count").GetInt32(), first.GetProperty("items")[0].GetProperty("name").GetString(),
            first.GetProperty("items")[0].GetProperty("topics_count").GetInt32(), first.GetProperty("items")[0].GetProperty("retained_count").GetInt32()));
        for (int i = 0; i < 3; i++) await ApiHost.AskAsync(anna, "POST", "/topics/plant/a/u", "12345");
        await ApiHost.AskAsync(anna, "POST", "/topics/plant/b", "1");
        (_, JsonElement children) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/topics?prefix=plant&depth=1");
        Assert.Equal(
            ["a plant/a 2", "b plant/b 1"],
            children.GetProperty("items").EnumerateArray().Select(row =>
                $"{row.GetProperty("name")} {row.GetProperty("topic")} {row.GetProperty("topics_count")}"));
        (_, JsonElement flat) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/topics?flat=true&filter=plant/%2B/u");
        Assert.Equal("plant/a/u", Assert.Single(flat.GetProperty("items").EnumerateArray()).GetProperty("topic").GetString());
        (_, JsonElement stats) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/topics/plant%2Fa%2Fu/stats");
        Assert.Equal((3, 15, "$local/http:anna", false), (stats.GetProperty("published_total").GetInt32(), stats.GetProperty("bytes_total").GetInt32(),
            stats.GetProperty("last_publisher").GetString(), stats.GetProperty("retained").GetBoolean()));
        Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(viewer, "GET", "/api/v1/topics?depth=2"));
    }

    [Fact]
    public void The_register_of_topics_is_bounded_and_forgets_when_nobody_looks()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var events = new Core.Events.BrokerEvents();
        var ledger = new Core.Limits.MemoryLedger();
        var register = new TopicRegister(events, ledger, time);
        register.Look();
        for (int i = 0; i < 20_000; i++) events.MessagePublished(new Core.Messages.Publication { Topic = System.Text.Encoding.UTF8.GetBytes("t/" + i) });
        Assert.InRange(register.ToList().Count, 4_000, 5_120);
        Assert.Equal(20_000, register.ToList().Count + register.Evicted);
        Assert.InRange(ledger.Bytes(Core.Limits.MemoryKind.LocalQueues), 100_000, 1_000_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++) events.MessagePublished(new Core.Messages.Publication { Topic = "t/19999"u8 });
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(100.1, register.Find("t/19999")!.PerSecond);
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(register.ToList());
        Assert.Equal(0, ledger.Bytes(Core.Limits.MemoryKind.LocalQueues));
        Assert.False(events.Wants(Core.Events.EventKinds.MessagePublished));
    }

    [Fact]
    public async Task Bridges_and_webhooks_are_seen_told_and_tried()
    {
        await StartAsync();
        HttpClient viewer = _host.Client(ApiHost.ViewerToken), op = _host.Client(ApiHost.OperatorToken);
        (_, JsonElement bridges) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/bridges");
        Assert.Equal("plant/#", Assert.Single(bridges.GetProperty("items").EnumerateArray()).GetProperty("routes")[0].GetProperty("filter").GetString());
        Assert.Equal("connected", (await ApiHost.AskAsync(viewer, "GET", "/api/v1/bridges/cloud")).Body.GetProperty("state").GetString());
        Assert.Equal("no-such-bridge", await ApiHost.ProblemAsync(viewer, "GET", "/api/v1/bridges/other"));
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(viewer, "POST", "/api/v1/bridges/cloud/pause"));
        foreach (string word in new[] { "pause", "resume", "reconnect", "drain" })
        {
            Assert.Equal(200, (await ApiHost.AskAsync(op, "POST", $"/api/v1/bridges/cloud/{word}")).Status);
        }

        Assert.Equal("role-needed", await ApiHost.ProblemAsync(op, "POST", "/api/v1/bridges/cloud/purge"));
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client(), "POST", "/api/v1/bridges/cloud/purge")).Status);
        Assert.Equal("no-such-bridge", await ApiHost.ProblemAsync(op, "POST", "/api/v1/bridges/other/pause"));
        Assert.Equal(
            [BridgeWish.Pause, BridgeWish.Resume, BridgeWish.Reconnect, BridgeWish.Drain, BridgeWish.Purge, BridgeWish.Pause],
            _host.Told.Select(one => one.Wish));
        (_, JsonElement trial) = await ApiHost.AskAsync(op, "POST", "/api/v1/bridges/cloud/test");
        Assert.Equal((false, "tls"), (trial.GetProperty("good").GetBoolean(), trial.GetProperty("steps")[0].GetProperty("step").GetString()));
        (_, JsonElement hooks) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/webhooks");
        Assert.Equal("hook", hooks.GetProperty("items")[0].GetProperty("name").GetString());
        Assert.Equal(200, (await ApiHost.AskAsync(op, "POST", "/api/v1/webhooks/hook/test")).Status);
        Assert.Equal("no-such-webhook", await ApiHost.ProblemAsync(op, "POST", "/api/v1/webhooks/other/test"));
        Assert.Equal(0, (await ApiHost.AskAsync(viewer, "GET", "/api/v1/sensors")).Body.GetProperty("items").GetArrayLength());
        Assert.Equal("gw-test", (await ApiHost.AskAsync(viewer, "GET", "/api/v1/cluster")).Body.GetProperty("node").GetString());
        Assert.Contains(_host.Web.Site.Audit.ToList(), entry => entry is { Action: "bridge.purge", Target: "cloud", Role: "admin" });
    }

    [Fact]
    public async Task An_area_of_the_log_gets_a_level_of_its_own_and_a_text_is_checked_without_being_kept()
    {
        await StartAsync();
        HttpClient anna = _host.User("anna");
        using HttpResponseMessage seen = await anna.GetAsync("/api/v1/log/levels");
        (string, string) match = ("If-Match", seen.Headers.ETag!.Tag);
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(anna, "PUT", "/api/v1/log/levels", """{"area":"none","level":"debug"}""", match));
        (int status, JsonElement level) = await ApiHost.AskAsync(anna, "PUT", "/api/v1/log/levels", """{"area":"mqtt","level":"debug"}""", match);
        Assert.Equal((200, "info", "debug"), (status, level.GetProperty("level").GetString(), level.GetProperty("areas")[0].GetProperty("level").GetString()));
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(anna, "PUT", "/api/v1/log/levels", """{"level":"error"}""", match));

        HttpClient admin = _host.Client();
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(anna, "POST", "/api/v1/config/check", """{"toml":""}"""));
        (_, JsonElement check) = await ApiHost.AskAsync(admin, "POST", "/api/v1/config/check", """{"toml":"[nonsense"}""");
        Assert.Equal((false, "[nonsense"), (check.GetProperty("valid").GetBoolean(), check.GetProperty("errors")[0].GetString()));
        foreach (string files in new[] { "{}", """{"toml":null}""" })
        {
            (_, JsonElement ofFiles) = await ApiHost.AskAsync(admin, "POST", "/api/v1/config/check", files);
            Assert.True(ofFiles.GetProperty("valid").GetBoolean());
        }
    }

    private async Task StartAsync()
    {
        await _host.StartAsync();
        await (await _host.Web.Server.OpenAsync(
            new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = true })).BeginAsync();
        _mqttPort = _host.Web.Port(1);
    }

    private async Task<TestClient> ConnectAsync(string clientId, byte[]? properties = null)
    {
        TestClient client = _host.Web.Mqtt(await _host.Web.TcpAsync(_mqttPort), clientId);
        await client.SendAsync(client.Packets.Connect(clientId, properties: properties));
        await client.ExpectConnackAsync();
        return client;
    }

    /// <summary>A client that subscribed and went.</summary>
    private async Task AwayAsync(string clientId, string filter)
    {
        TestClient client = await ConnectAsync(clientId, [0x11, 0, 0, 0xFF, 0xFF]);
        await client.SubscribeAsync(filter, 2);
        await client.SendAsync(client.Packets.Disconnect());
        await Deadline.Until(() => _host.Web.Broker.FindSession(clientId) is { IsConnected: false }, "the client's leave");
    }
}
