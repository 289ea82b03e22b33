using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Tests.Reloading;

namespace EdgeBroker.Tests.Hosting;

/// <summary>Every name and label of a whole broker that has something to tell, and that all who tell a number tell the same.</summary>
public sealed partial class MetricNamesTests : IAsyncLifetime, IDisposable
{
    private const string Settings = """
        [mqtt]
        sys_interval = "1s"
        [auth]
        password_file = "users.passwd"
        [[acl]]
        deny = ["publish"]
        topics = ["secret/#"]
        [[acl]]
        allow = ["publish", "subscribe", "retain"]
        topics = ["#"]
        [[listener]]
        protocol = "mqtt"
        address = "127.0.0.1:0"
        allow_anonymous = true
        [[listener]]
        protocol = "http"
        address = "127.0.0.1:0"
        [http]
        admin_token = { file = "admin.token" }
        [[webhook]]
        name = "plant"
        url = "http://127.0.0.1:9/events"
        events = ["auth.failure"]
        [[bridge]]
        name = "cloud"
        addresses = ["127.0.0.1:9"]
        [[bridge.route]]
        local = "up/#"
        """;

    private readonly BrokerInProcess _broker = new();
    private readonly HttpClient _http = new();

    public async Task InitializeAsync()
    {
        _broker.Directory.Write("admin.token", "0123456789abcdef0123456789abcdef");
        _broker.Directory.Write("users.passwd", BrokerInProcess.User("anna"));
        _broker.Configure(Settings);
        _broker.Start();
        await _broker.AnswersAsync();
        _http.BaseAddress = new Uri($"http://127.0.0.1:{_broker.Port("http")}");
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef0123456789abcdef");
        // Sizes and durations are measured from the first time on that somebody asks.
        await ReadAsync();
        await TrafficAsync();
    }

    public async Task DisposeAsync() => await _broker.DisposeAsync();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Every_name_has_its_labels()
    {
        // The tables of bridges and webhooks, the histograms with their buckets, and what counts what has happened above.
        (string Name, string Labels)[] expected =
        [
            ("mqtt_connections_total", "listener_protocol"), ("mqtt_connections_current", "listener_protocol,protocol_version"),
            ("mqtt_connections_refused_total", "reason"), ("mqtt_disconnections_total", "by,reason"), ("mqtt_sessions_current", "state"),
            ("mqtt_messages_received_total", "qos"), ("mqtt_messages_sent_total", "qos"), ("mqtt_packets_received_total", "type"),
            ("mqtt_packets_sent_total", "type"), ("mqtt_bytes_received_total", ""), ("mqtt_bytes_sent_total", ""), ("mqtt_messages_dropped_total", "cause"),
            ("mqtt_messages_unrouted_total", ""), ("mqtt_errors_total", "kind"), ("mqtt_subscriptions_active", "shared"), ("mqtt_retained_messages", ""),
            ("mqtt_retained_bytes", ""), ("edgebroker_queue_messages", "kind"), ("edgebroker_queue_bytes", "kind"),
            ("edgebroker_queue_oldest_age_seconds", "kind"), ("edgebroker_queue_largest", "kind"), ("mqtt_inflight_messages", "direction"),
            ("mqtt_message_size_bytes_bucket", "le"), ("mqtt_publish_duration_seconds_bucket", "qos,le"), ("mqtt_delivery_duration_seconds_bucket", "le"),
            ("edgebroker_journal_commit_duration_seconds_bucket", "le"), ("edgebroker_journal_commits_total", ""), ("edgebroker_journal_facts_total", ""),
            ("edgebroker_journal_elided_total", ""), ("edgebroker_journal_fsyncs_total", ""), ("edgebroker_journal_failures_total", ""),
            ("edgebroker_journal_bytes_written_total", ""), ("edgebroker_journal_state", ""), ("edgebroker_store_bytes", ""),
            ("edgebroker_store_limit_bytes", ""), ("edgebroker_disk_free_bytes", ""), ("edgebroker_memory_ledger_bytes", "owner"),
            ("edgebroker_reactor_busy_seconds_total", "reactor"),
            ("edgebroker_reactor_turn_duration_seconds_bucket", "le"), ("edgebroker_clock_jumps_total", ""),
            ("edgebroker_tls_handshakes_total", "result"), ("edgebroker_bridge_connected", "bridge"),
            ("edgebroker_bridge_messages_sent_total", "bridge"), ("edgebroker_bridge_messages_dropped_total", "bridge"),
            ("edgebroker_bridge_backlog", "bridge"),
            ("edgebroker_bridge_backlog_age_seconds", "bridge"), ("edgebroker_webhook_sent_total", "webhook"), ("edgebroker_webhook_failed_total", "webhook"),
            ("edgebroker_webhook_dropped_total", "webhook,cause"), ("edgebroker_webhook_queue", "webhook"), ("edgebroker_probe_duration_seconds_bucket", "le"),
            ("edgebroker_probe_healthy", ""), ("edgebroker_http_requests_total", "surface,status"), ("process_cpu_time_seconds_total", ""),
            ("process_memory_usage_bytes", ""), ("process_open_file_descriptors", ""), ("edgebroker_uptime_seconds", ""),
        ];
        Dictionary<string, double> series = await ReadAsync();
        Assert.InRange(series.Count, 150, 400 + 12 + 8);
        ILookup<string, string> told = series.Keys.Select(Split).ToLookup(one => one.Name, one => one.Labels);
        Assert.All(expected, one => Assert.Equal([one.Labels], told[one.Name].Distinct()));
        // Nothing that a client has chosen.
        Assert.DoesNotContain(series.Keys, key => key.Contains("press", StringComparison.Ordinal) || key.Contains("plant/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Counts_are_told_by_type_and_QoS()
    {
        Dictionary<string, double> series = await ReadAsync();
        Assert.Equal([3, 1, 1], Of("mqtt_messages_received_total", "qos", "0", "1", "2"));
        Assert.Equal([1, 1, 0], Of("mqtt_messages_sent_total", "qos", "0", "1", "2"));
        Assert.Equal(
            [3, 5, 1, 1, 1, 1, 1],
            Of("mqtt_packets_received_total", "type", "connect", "publish", "puback", "pubrel", "subscribe", "unsubscribe", "disconnect"));
        Assert.Equal([3, 2, 1, 1, 1, 1, 1], Of("mqtt_packets_sent_total", "type", "connack", "publish", "puback", "pubrec", "pubcomp", "suback", "unsuback"));
        Assert.Equal(2, series["mqtt_messages_unrouted_total"]);
        Assert.Equal(1, series["mqtt_connections_current{listener_protocol=\"mqtt\",protocol_version=\"5.0\"}"]);
        Assert.Equal(0, series["mqtt_connections_current{listener_protocol=\"mqtt\",protocol_version=\"3.1.1\"}"]);
        Assert.Equal(1, series["mqtt_connections_refused_total{reason=\"credentials\"}"]);
        Assert.Equal((1, 1), (series["mqtt_errors_total{kind=\"auth\"}"], series["mqtt_errors_total{kind=\"authz\"}"]));
        Assert.Equal(1, series["edgebroker_http_requests_total{surface=\"other\",status=\"4xx\"}"]);

        double[] Of(string name, string label, params string[] values) => [.. values.Select(value => series[$"{name}{{{label}=\"{value}\"}}"])];
    }

    [Fact]
    public async Task The_API_Prometheus_and_SYS_tell_the_same_at_rest()
    {
        (string Meter, string Prometheus, string Sys, string? Overview)[] same =
        [
            ("mqtt.messages.received.total", "mqtt_messages_received_total", "publish/messages/received", "messages_received_total"),
            ("mqtt.messages.sent.total", "mqtt_messages_sent_total", "publish/messages/sent", "messages_sent_total"),
            ("mqtt.packets.received.total", "mqtt_packets_received_total", "messages/received", null),
            ("mqtt.packets.sent.total", "mqtt_packets_sent_total", "messages/sent", null),
            ("mqtt.bytes.received.total", "mqtt_bytes_received_total", "bytes/received", null),
            ("mqtt.bytes.sent.total", "mqtt_bytes_sent_total", "bytes/sent", null),
            ("mqtt.connections.current", "mqtt_connections_current", "clients/connected", "connected_count"),
            ("mqtt.messages.dropped.total", "mqtt_messages_dropped_total", "publish/messages/dropped", "messages_dropped_total"),
            ("mqtt.messages.unrouted.total", "mqtt_messages_unrouted_total", "publish/messages/unrouted", null),
        ];
        // What is published under $SYS is up to a second old.
        string last = "";
        await Deadline.Until(() => (last = DifferencesAsync().GetAwaiter().GetResult()).Length == 0, "the same numbers everywhere; they are " + last);

        async Task<string> DifferencesAsync()
        {
            Dictionary<string, double> series = await ReadAsync();
            using JsonDocument meters = JsonDocument.Parse(await _http.GetStringAsync("/api/v1/metrics"));
            using JsonDocument overview = JsonDocument.Parse(await _http.GetStringAsync("/api/v1/overview"));
            var different = new List<string>();
            foreach ((string meter, string prometheus, string sys, string? member) in same)
            {
                double one = series.Where(entry => Split(entry.Key).Name == prometheus).Sum(entry => entry.Value);
                double api = meters.RootElement.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("name").GetString() == meter)
                    .Sum(item => item.GetProperty("value").GetDouble());
                using HttpResponseMessage topic = await _http.GetAsync("/topics/$SYS/broker/" + sys);
                if (!topic.IsSuccessStatusCode)
                {
                    different.Add($"{meter}: not in $SYS yet");
                    continue;
                }

                double shown = member is null ? one : overview.RootElement.GetProperty(member).GetDouble();
                double published = double.Parse(await topic.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture);
                if (!one.Equals(api) || !one.Equals(published) || !one.Equals(shown)) different.Add($"{meter}: {one}, {api}, {published}, {shown}");
            }

            return string.Join("; ", different);
        }
    }

    // What is left of it: one client of 5.0, which has subscribed and unsubscribed.
    private async Task TrafficAsync()
    {
        TestClient five = await _broker.ConnectAsync("press5");
        await five.SubscribeAsync("plant/#", 1);
        await five.PublishAsync("plant/a", "x");
        await five.ExpectPublishAsync("plant/a", "x");
        await five.PublishAsync("plant/b", "y", qos: 1);
        await five.AcknowledgeAsync(await five.ReceiveAsync());
        await five.UnsubscribeAsync("plant/#");
        await five.PublishAsync("plant/c", "nobody");
        await five.PublishAsync("secret/x", "not permitted");
        await five.FenceAsync();
        TestClient three = await _broker.ConnectAsync("press3", version: ProtocolVersion.V311);
        await three.PublishAsync("plant/d", "z", qos: 2);
        await three.DisconnectAsync();
        await three.ExpectClosedAsync();
        Assert.True(await _broker.RefusesAsync("anna", "wrong"));
        using HttpResponseMessage none = await _http.GetAsync("/nothing-here");
        await Deadline.Until(
            () => ReadAsync().GetAwaiter().GetResult() is { } series
                && series.GetValueOrDefault("mqtt_disconnections_total{by=\"client\",reason=\"normal\"}").Equals(1)
                && series.ContainsKey("edgebroker_http_requests_total{surface=\"other\",status=\"4xx\"}")
                && series.GetValueOrDefault("edgebroker_webhook_failed_total{webhook=\"plant\"}") > 0,
            "what ended to be counted");
    }

    private async Task<Dictionary<string, double>> ReadAsync() => (await _http.GetStringAsync("/metrics"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').ToDictionary(
            line => line[..line.LastIndexOf(' ')], line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private static (string Name, string Labels) Split(string series) => series.IndexOf('{') is > 0 and int at
        ? (series[..at], string.Join(',', Label().Matches(series[at..]).Select(match => match.Groups[1].Value)))
        : (series, "");

    [GeneratedRegex("[{,]([a-z_]+)=\"")]
    private static partial Regex Label();
}
