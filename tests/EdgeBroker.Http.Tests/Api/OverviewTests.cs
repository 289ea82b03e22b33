using System.Text.Json;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>What a first page needs, and lists by what is subscribed, waits or is limited.</summary>
public sealed class OverviewTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ApiHost _host;
    private int _mqttPort;

    public OverviewTests() => _host = new ApiHost(_time);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task The_overview_tells_who_sends_why_messages_were_dropped_what_ends_first_and_what_changed()
    {
        await StartAsync(mostQueued: 3);
        TestClient press = await ConnectAsync("press7");
        await FillAsync(press, 5);
        HttpClient admin = _host.Client();
        Assert.Equal(200, (await ApiHost.AskAsync(admin, "POST", "/api/v1/reload")).Status);

        (_, JsonElement overview) = await ApiHost.AskAsync(_host.Client(ApiHost.ViewerToken), "GET", "/api/v1/overview");
        JsonElement sender = Assert.Single(overview.GetProperty("top_senders").EnumerateArray());
        Assert.Equal(("press7", 5), (sender.GetProperty("client_id").GetString(), sender.GetProperty("traffic").GetProperty("messages_received").GetInt32()));
        Assert.Equal("""{"queue-full":2}""", overview.GetProperty("drops_by_cause").GetRawText());
        Assert.Equal(2, overview.GetProperty("messages_dropped_total").GetInt32());
        Assert.Equal("server.crt", Assert.Single(overview.GetProperty("certificates").EnumerateArray()).GetProperty("file").GetString());
        // What changed is for admins.
        Assert.Equal(["at", "by"], overview.GetProperty("last_change").EnumerateObject().Select(member => member.Name));
        Assert.Equal("admin-token", overview.GetProperty("last_change").GetProperty("by").GetString());
        Assert.Equal("0123456789ab", (await ApiHost.AskAsync(admin, "GET", "/api/v1/version")).Body.GetProperty("commit").GetString());
    }

    [Fact]
    public async Task A_reload_that_changed_nothing_is_no_change()
    {
        await StartAsync();
        _host.FileErrors = ["broker.toml:1:1: no"];
        Assert.Equal("config-invalid", await ApiHost.ProblemAsync(_host.Client(), "POST", "/api/v1/reload"));
        (_, JsonElement overview) = await ApiHost.AskAsync(_host.Client(), "GET", "/api/v1/overview");
        Assert.False(overview.TryGetProperty("last_change", out JsonElement change) && change.ValueKind != JsonValueKind.Null);
    }

    [Fact]
    public async Task A_queue_tells_how_full_it_is_and_when_it_will_be_full()
    {
        await StartAsync(mostQueued: 100);
        TestClient press = await ConnectAsync("press7");
        await FillAsync(press, 10);
        JsonElement queue = await QueueAsync();
        Assert.Equal((10, 10, "drop-oldest"), (queue.GetProperty("messages").GetInt32(), queue.GetProperty("full_percent").GetDouble(),
            queue.GetProperty("on_full").GetString()));
        Assert.False(queue.TryGetProperty("growth_per_minute", out JsonElement unknown) && unknown.ValueKind != JsonValueKind.Null);
        for (int i = 0; i < 10; i++) await press.PublishAsync("plant/t", "x", qos: 1);
        await press.FenceAsync();
        _time.Advance(TimeSpan.FromSeconds(30));
        queue = await QueueAsync();
        // Ten in half a minute; 80 more fit.
        Assert.Equal((20, 20.0, 240), (queue.GetProperty("messages").GetInt32(), queue.GetProperty("growth_per_minute").GetDouble(),
            queue.GetProperty("full_in_seconds").GetInt32()));
        // Nothing came since.
        _time.Advance(TimeSpan.FromSeconds(30));
        queue = await QueueAsync();
        Assert.Equal(0, queue.GetProperty("growth_per_minute").GetDouble());

        async Task<JsonElement> QueueAsync()
        {
            (_, JsonElement queues) = await ApiHost.AskAsync(_host.Client(), "GET", "/api/v1/queues");
            // The bridge's queue is the other one.
            Assert.Equal(["press8", "cloud"], queues.EnumerateArray().Select(one => one.GetProperty("name").GetString()));
            Assert.Equal("bridge", queues[1].GetProperty("kind").GetString());
            return queues[0];
        }
    }

    [Fact]
    public async Task Sessions_are_found_by_the_filter_they_subscribe_to()
    {
        await StartAsync();
        await (await ConnectAsync("one")).SubscribeAsync("plant/+/t", 1);
        await (await ConnectAsync("two")).SubscribeAsync("plant/#", 1);
        await (await ConnectAsync("three")).SubscribeAsync("$share/g/plant/#", 1);
        Assert.Equal(["one"], await IdsAsync("plant/%2B/t"));
        Assert.Equal(["two"], await IdsAsync("plant/%23"));
        Assert.Equal(["three"], await IdsAsync("%24share/g/plant/%23"));
        Assert.Empty(await IdsAsync("plant/x/t"));
        Assert.Equal("plus-must-be-encoded", await ApiHost.ProblemAsync(_host.Client(), "GET", "/api/v1/sessions?filter=plant/+/t"));
        Assert.Equal("invalid-filter", await ApiHost.ProblemAsync(_host.Client(), "GET", "/api/v1/sessions?filter=plant/%23/t"));

        async Task<string[]> IdsAsync(string filter)
        {
            (_, JsonElement page) = await ApiHost.AskAsync(_host.Client(), "GET", "/api/v1/sessions?filter=" + filter);
            return [.. page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("client_id").GetString()!)];
        }
    }

    [Fact]
    public async Task A_limit_that_is_not_set_has_no_value_and_others_say_what_is_used()
    {
        await StartAsync();
        await (await ConnectAsync("one")).SubscribeAsync("plant/#", 1);
        (_, JsonElement answer) = await ApiHost.AskAsync(_host.Client(ApiHost.ViewerToken), "GET", "/api/v1/limits");
        Dictionary<string, JsonElement> limits = answer.EnumerateArray().ToDictionary(one => one.GetProperty("key").GetString()!);
        Assert.False(limits["max_connections"].TryGetProperty("value", out JsonElement none) && none.ValueKind != JsonValueKind.Null);
        Assert.True(limits["max_connections"].GetProperty("used").GetInt32() >= 1);
        Assert.Equal(("100000", 1), (limits["max_sessions"].GetProperty("value").GetString(), limits["max_sessions"].GetProperty("used").GetInt32()));
        Assert.Equal(1, limits["max_filters"].GetProperty("used").GetInt32());
        Assert.Equal("10 s", limits["connect_timeout"].GetProperty("value").GetString());
    }

    [Fact]
    public async Task Events_and_refusals_tell_who_came_from_where()
    {
        await StartAsync();
        await ConnectAsync("one");
        HttpClient viewer = _host.Client(ApiHost.ViewerToken);
        Assert.Equal(1, await CountAsync("127.0.0.1"));
        Assert.Equal(1, await CountAsync("127.0.0.0/8"));
        Assert.Equal(0, await CountAsync("10.0.0.0/8"));
        Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(viewer, "GET", "/api/v1/events?address=x"));

        TestClient refused = _host.Web.Mqtt(await _host.Web.TcpAsync(_mqttPort));
        await refused.SendAsync(refused.Packets.Connect("press9", userName: "anna", password: "wrong"u8.ToArray()));
        await Deadline.Until(() => RefusalAsync().GetAwaiter().GetResult() is not null, "the refusal");
        JsonElement refusal = (await RefusalAsync())!.Value;
        Assert.Equal(("anna", "127.0.0.1:0"), (refusal.GetProperty("user").GetString(), refusal.GetProperty("listener").GetString()));
        Assert.Contains("edgebroker passwd", refusal.GetProperty("hint").GetString(), StringComparison.Ordinal);

        async Task<int> CountAsync(string address) => (await ApiHost.AskAsync(viewer, "GET", "/api/v1/events?kind=connected&address=" + address))
            .Body.GetProperty("page").GetProperty("total_count").GetInt32();

        async Task<JsonElement?> RefusalAsync()
        {
            (_, JsonElement page) = await Patience.AskAsync(
                () => ApiHost.AskAsync(viewer, "GET", "/api/v1/refusals?client_id=press9&what=connect"), one => one.Status);
            return page.GetProperty("items").EnumerateArray().Select(one => (JsonElement?)one).FirstOrDefault();
        }
    }

    /// <summary>Has messages wait for a client that is away.</summary>
    private async Task FillAsync(TestClient from, int messages)
    {
        TestClient away = _host.Web.Mqtt(await _host.Web.TcpAsync(_mqttPort), "press8");
        await away.SendAsync(away.Packets.Connect("press8", properties: Prop.SessionExpiry(3600)));
        await away.ExpectConnackAsync();
        await away.SubscribeAsync("plant/#", 1);
        await away.DisconnectAsync();
        await Deadline.Until(() => _host.Web.Broker.ConnectedCount == 1, "the other one to be away");
        for (int i = 0; i < messages; i++) await from.PublishAsync("plant/t", "x", qos: 1);
        await from.FenceAsync();
    }

    private async Task StartAsync(int mostQueued = 1_000)
    {
        await _host.StartAsync(limits: TestBrokerOptions.Quiet with { MaxQueuedMessages = mostQueued });
        await (await _host.Web.Server.OpenAsync(
            new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = true })).BeginAsync();
        _mqttPort = _host.Web.Port(1);
    }

    private async Task<TestClient> ConnectAsync(string clientId)
    {
        TestClient client = _host.Web.Mqtt(await _host.Web.TcpAsync(_mqttPort), clientId);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return client;
    }
}
