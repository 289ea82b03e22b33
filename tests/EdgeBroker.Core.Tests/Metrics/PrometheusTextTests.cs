using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Metrics;

/// <summary>What is registered, as Prometheus reads it.</summary>
public sealed partial class PrometheusTextTests : IDisposable
{
    private readonly MeterRegistry _meters = new();

    public void Dispose() => _meters.Dispose();

    [Theory]
    [InlineData("mqtt.messages.received.total", "{message}", "mqtt_messages_received_total")]
    [InlineData("mqtt.bytes.received.total", "By", "mqtt_bytes_received_total")]
    [InlineData("edgebroker.journal.commits", "{commit}", "edgebroker_journal_commits_total")]
    [InlineData("edgebroker.payload.sent", "By", "edgebroker_payload_sent_bytes_total")]
    [InlineData("process.cpu.time", "ms", "process_cpu_time_seconds_total")]
    public void A_counter_ends_in_total_once_and_has_base_units(string name, string unit, string expected)
    {
        _meters.Counter(name, unit, "help", () => 1_500);
        string value = unit == "ms" ? "1.5" : "1500";
        Assert.Equal($"# HELP {expected} help\n# TYPE {expected} counter\n{expected} {value}\n", Text());
    }

    [Fact]
    public void Numbers_of_one_name_are_one_family_and_labels_are_escaped()
    {
        _meters.Gauge("mqtt.sessions.current", "{session}", "a \\ and\na line", () => 1, tags: new MeterTag("state", "a\"b\\c\nd"));
        _meters.Gauge("edgebroker.other", "{x}", "other", () => null);
        _meters.Gauge("mqtt.sessions.current", "{session}", "ignored", () => 2, tags: [new MeterTag("listener.protocol", "mqtt"), new MeterTag("state", "b")]);
        Assert.Equal(
            "# HELP mqtt_sessions_current a \\\\ and\\na line\n# TYPE mqtt_sessions_current gauge\nmqtt_sessions_current{state=\"a\\\"b\\\\c\\nd\"} 1\n"
                + "mqtt_sessions_current{listener_protocol=\"mqtt\",state=\"b\"} 2\n",
            Text());
    }

    [Fact]
    public void Open_metrics_names_families_without_total_and_has_an_end()
    {
        _meters.Counter("a.b.total", "{x}", "h", () => 3);
        Assert.Equal("# HELP a_b h\n# TYPE a_b counter\na_b_total 3\n# EOF\n", Text(isOpenMetrics: true));
        Assert.True(PrometheusText.IsOpenMetrics("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"));
        Assert.False(PrometheusText.IsOpenMetrics("text/plain"));
        Assert.False(PrometheusText.IsOpenMetrics(null));
    }

    [Fact]
    public void A_histogram_is_cumulative()
    {
        var sizes = new HistogramMeter("mqtt.publish.duration.ms", "ms", "h", 1, 10);
        _meters.Histogram(sizes);
        foreach (double value in new[] { 0.5, 1, 5, 11, 100 }) sizes.Record(value);
        Assert.Equal(
            """
            # HELP mqtt_publish_duration_seconds h
            # TYPE mqtt_publish_duration_seconds histogram
            mqtt_publish_duration_seconds_bucket{le="0.001"} 2
            mqtt_publish_duration_seconds_bucket{le="0.01"} 3
            mqtt_publish_duration_seconds_bucket{le="+Inf"} 5
            mqtt_publish_duration_seconds_sum 0.1175
            mqtt_publish_duration_seconds_count 5

            """,
            Text());
    }

    [Fact]
    public void Many_threads_record_without_losing_any()
    {
        var histogram = new HistogramMeter("h", "s", "h", 1, 2, 3);
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 10_000; i++) histogram.Record(i % 4);
        });
        Assert.Equal([40_000, 20_000, 20_000, 0], histogram.Counts());
        Assert.Equal(120_000, histogram.Sum);
    }

    [Fact]
    public void With_ten_thousand_clients_there_are_no_more_series_than_with_none_and_SYS_tells_the_same()
    {
        var time = new FakeTimeProvider();
        var counters = new EventCounters();
        var broker = new Broker(new MqttOptions(), new BrokerClock(time), VolatileJournal.Instance, new BrokerEvents(counters), "1");
        counters.RegisterMeters(broker.Meters);
        int before = Series(broker).Count;
        RoutingContext context = broker.CreateContext();
        for (int i = 0; i < 10_000; i++)
        {
            string id = "client-" + i.ToString(CultureInfo.InvariantCulture);
            broker.Connect(id, cleanStart: false, new SessionGrant(3600, 10, null) { UserName = id }, context, new FakeLink());
        }

        Dictionary<string, string> series = Series(broker);
        Assert.Equal(before, series.Count);
        Assert.InRange(series.Count, 40, 400);
        Assert.Equal("10000", series["mqtt_connections_current{listener_protocol=\"other\",protocol_version=\"3.1.1\"}"]);
        Assert.Equal("10000", series["mqtt_sessions_current{state=\"connected\"}"]);
        Assert.DoesNotContain(series.Keys, key => key.Contains("client-", StringComparison.Ordinal));

        broker.RunDue();
        Assert.Equal("10000", Sys("clients/connected"));
        Assert.Equal("10000", Sys("clients/total"));
        foreach (IGrouping<string, MeterEntry> told in broker.Meters.Entries.SelectMany(entry => entry.SysTopics.Select(topic => (topic, entry)))
            .GroupBy(one => one.topic, one => one.entry))
        {
            // These move by themselves.
            if (told.Key.StartsWith("memory/", StringComparison.Ordinal)) continue;
            if (told.Key is "heap/current" or "retained messages/count" or "store/messages/bytes" or "store/messages/count" or "messages/stored") continue;
            long[] values = [.. told.Select(entry => entry.Read()).OfType<long>()];
            Assert.Equal(values.Length == 0 ? null : values.Sum().ToString(CultureInfo.InvariantCulture), Sys(told.Key));
        }

        string? Sys(string topic) =>
            broker.FindRetained(Encoding.UTF8.GetBytes("$SYS/broker/" + topic)) is { } message ? Encoding.UTF8.GetString(message.Payload) : null;
    }

    [Fact]
    public void Every_family_of_a_broker_is_well_formed()
    {
        var broker = new Broker(new MqttOptions(), new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "1");
        foreach (string line in Text(broker.Meters, isOpenMetrics: false).Split('\n', StringSplitOptions.RemoveEmptyEntries)) Assert.Matches(Line(), line);
        string[] families = [.. Text(broker.Meters, isOpenMetrics: false).Split('\n').Where(line => line.StartsWith("# TYPE", StringComparison.Ordinal))];
        Assert.Equal(families.Length, families.Distinct().Count());
        // One name, one kind and one unit.
        Assert.All(broker.Meters.Entries.GroupBy(entry => entry.Name), group => Assert.Single(group.Select(entry => (entry.Kind, entry.Unit)).Distinct()));
    }

    private static Dictionary<string, string> Series(Broker broker) => Text(broker.Meters, isOpenMetrics: false)
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#')
        .ToDictionary(line => line[..line.LastIndexOf(' ')], line => line[(line.LastIndexOf(' ') + 1)..]);

    private string Text(bool isOpenMetrics = false) => Text(_meters, isOpenMetrics);

    private static string Text(MeterRegistry meters, bool isOpenMetrics)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(meters, output, isOpenMetrics);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [GeneratedRegex("""^(# (HELP [a-z_:]+ .+|TYPE [a-z_:]+ (counter|gauge|histogram))|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.E+-]+)$""")]
    private static partial Regex Line();
}
