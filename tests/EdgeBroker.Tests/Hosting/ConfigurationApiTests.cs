using System.Net.Http.Headers;
using System.Text.Json;
using EdgeBroker.Tests.Reloading;

namespace EdgeBroker.Tests.Hosting;

/// <summary>What the API tells of the configuration of a whole broker.</summary>
public sealed class ConfigurationApiTests
{
    private const string Settings = """
        [mqtt]
        max_qos = 1
        [limits]
        publishes_per_client = { rate = "10/s", burst = 20 }
        [[listener]]
        protocol = "http"
        address = "127.0.0.1:0"
        [http]
        admin_token = { file = "admin.token" }
        """;

    [Fact]
    public async Task Each_value_says_where_it_was_set_and_whether_another_one_takes_a_restart()
    {
        await using var broker = new BrokerInProcess();
        using HttpClient http = await StartAsync(broker);
        JsonElement config = await AskAsync(http, "config");
        Assert.Equal((1, "broker.toml:5:1", false), Of(config.GetProperty("mqtt").GetProperty("max_qos")));
        JsonElement queued = config.GetProperty("mqtt").GetProperty("max_queued_messages");
        Assert.Equal("default", queued.GetProperty("from").GetString());
        Assert.True(config.GetProperty("node").GetProperty("data_dir").GetProperty("needs_restart").GetBoolean());
        // Of a table within a line the line is the place.
        JsonElement rate = config.GetProperty("limits").GetProperty("publishes_per_client");
        Assert.Equal(("broker.toml:7:1", "10/s"), (rate.GetProperty("from").GetString(), rate.GetProperty("value").GetProperty("rate").GetString()));
        JsonElement listener = Assert.Single(config.GetProperty("listener").EnumerateArray());
        Assert.Equal("broker.toml:10:1", listener.GetProperty("address").GetProperty("from").GetString());
        Assert.DoesNotContain("0123456789abcdef", config.GetRawText(), StringComparison.Ordinal);

        static (int Value, string? From, bool NeedsRestart) Of(JsonElement one) =>
            (one.GetProperty("value").GetInt32(), one.GetProperty("from").GetString(), one.GetProperty("needs_restart").GetBoolean());
    }

    [Fact]
    public async Task The_last_reloads_are_told_whoever_asked_for_them()
    {
        await using var broker = new BrokerInProcess();
        using HttpClient http = await StartAsync(broker);
        Assert.Equal(0, (await AskAsync(http, "config/changes")).GetArrayLength());
        broker.Apply(Settings.Replace("max_qos = 1", "max_qos = 2", StringComparison.Ordinal));
        broker.Configure("[nonsense]");
        Assert.NotEqual(0, broker.Reload().Exit);
        broker.Configure(Settings);
        using HttpResponseMessage reloaded = await http.PostAsync("/api/v1/reload", null);
        Assert.True(reloaded.IsSuccessStatusCode);
        JsonElement[] changes = [.. (await AskAsync(http, "config/changes")).EnumerateArray()];
        Assert.Equal(["admin-token over HTTP", "the verb reload", "the verb reload"], changes.Select(one => one.GetProperty("by").GetString()!));
        Assert.Contains("nonsense", changes[1].GetProperty("result").GetProperty("errors")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("mqtt.max_qos", changes[2].GetProperty("result").GetProperty("changed")[0].GetString(), StringComparison.Ordinal);
        JsonElement last = (await AskAsync(http, "overview")).GetProperty("last_change");
        Assert.Equal("admin-token over HTTP", last.GetProperty("by").GetString());

        // A reload that nobody had checked changes nothing, and is none.
        using var stale = new HttpRequestMessage(HttpMethod.Post, "/api/v1/reload");
        stale.Headers.TryAddWithoutValidation("If-Match", "\"seen-before\"");
        using HttpResponseMessage refused = await http.SendAsync(stale);
        Assert.Equal(412, (int)refused.StatusCode);
        Assert.Equal(3, (await AskAsync(http, "config/changes")).GetArrayLength());
    }

    private static async Task<HttpClient> StartAsync(BrokerInProcess broker)
    {
        broker.Directory.Write("admin.token", "0123456789abcdef0123456789abcdef");
        broker.Configure(Settings);
        broker.Start();
        await broker.AnswersAsync();
        var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{broker.Port("http")}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef0123456789abcdef");
        return http;
    }

    private static async Task<JsonElement> AskAsync(HttpClient http, string path) =>
        JsonDocument.Parse(await http.GetStringAsync("/api/v1/" + path)).RootElement;
}
