using System.Net;
using System.Net.Http.Headers;
using EdgeBroker.Tests.Reloading;

namespace EdgeBroker.Tests.Hosting;

/// <summary>Numbers of a whole broker over HTTP.</summary>
public sealed class MetricsTests
{
    [Fact]
    public async Task Prometheus_gets_every_number_and_needs_a_token()
    {
        const string settings = """
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:0"
            allow_anonymous = true
            [[listener]]
            protocol = "http"
            address = "127.0.0.1:0"
            [http]
            admin_token = { file = "admin.token" }
            """;
        await using var broker = new BrokerInProcess();
        broker.Directory.Write("admin.token", "0123456789abcdef0123456789abcdef");
        broker.Configure(settings);
        broker.Start();
        await broker.AnswersAsync();
        await broker.ConnectAsync("c");
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{broker.Port("http")}") };
        using HttpResponseMessage refused = await client.GetAsync("/metrics");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef0123456789abcdef");
        using HttpResponseMessage answer = await client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        string[] lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
        Assert.Contains("mqtt_connections_current{listener_protocol=\"mqtt\",protocol_version=\"5.0\"} 1", lines);
        Assert.Contains("mqtt_connections_total{listener_protocol=\"mqtt\"} 1", lines);
        Assert.Contains("edgebroker_journal_state 0", lines);
        Assert.Contains("edgebroker_probe_healthy 1", lines);
        Assert.Contains(lines, line => line.StartsWith("edgebroker_journal_commit_duration_seconds_bucket{le=\"0.001\"} ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("process_cpu_time_seconds_total ", StringComparison.Ordinal));

        client.DefaultRequestHeaders.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");
        Assert.EndsWith("# EOF\n", await client.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    /// <summary>Where there is neither API nor console, a collector needs no token, and nothing else is there.</summary>
    [Fact]
    public async Task A_listener_for_metrics_alone_is_open()
    {
        const string settings = """
            [[listener]]
            protocol = "http"
            address = "127.0.0.1:0"
            serve = ["metrics", "health"]
            """;
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(settings);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{broker.Port("http")}") };
        Assert.Contains("edgebroker_uptime_seconds ", await client.GetStringAsync("/metrics"), StringComparison.Ordinal);
        using HttpResponseMessage other = await client.GetAsync("/api/v1/overview");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }
}
