using System.Buffers;
using System.Globalization;
using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Telemetry.Tests;

/// <summary>OTLP as a collector sees it, over both protocols.</summary>
[Collection("telemetry")]
public sealed class TelemetryTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(TelemetryProtocol.Grpc)]
    [InlineData(TelemetryProtocol.HttpProtobuf)]
    public async Task A_collector_is_told_what_SYS_and_Prometheus_tell(TelemetryProtocol protocol)
    {
        await using Collector collector = await Collector.StartAsync(protocol);
        await using var broker = new TestBroker();
        // Other brokers of the process have a meter of the same name.
        using MeterRegistry meters = broker.Broker.Meters;
        var sizes = new HistogramMeter("test.size", "By", "sizes", 16, 64);
        meters.Histogram(sizes);
        await using var part = Part(Options(collector, protocol), meters, broker.Broker.Events);
        await part.StartAsync(CancellationToken.None);
        TestClient client = await broker.ConnectAsync("c");
        await client.SubscribeAsync("t");
        for (int i = 0; i < 3; i++) await client.PublishAsync("t", "x");
        for (int i = 0; i < 3; i++) await client.ExpectPublishAsync("t", "x");
        await client.FenceAsync();
        foreach (double size in new[] { 1, 16, 17, 100.0 }) sizes.Record(size);

        Assert.True(await Task.Run(() => part.Flush(Soon)));
        await collector.HasExportAsync();
        Assert.Equal("7", collector.LastHeader);
        Assert.Equal("plant-broker", collector.Resource["service.name"]);
        Assert.Equal("1.2.3", collector.Resource["service.version"]);
        Assert.Equal("gw-017", collector.Resource["service.instance.id"]);
        List<Told> told = collector.Numbers();
        Told received = One("mqtt.messages.received.total", "qos=0");
        Assert.Equal(("counter", "{message}", 3.0), (received.Kind, received.Unit, received.Value));
        Told connections = One("mqtt.connections.current", "listener.protocol=mqtt,protocol.version=5.0");
        Assert.Equal(("gauge", 1.0), (connections.Kind, connections.Value));
        Told histogram = One("test.size");
        Assert.Equal([2, 1, 1], histogram.Buckets);
        Assert.Equal(134, histogram.Value);

        // Each number of the registry, told once, as Prometheus has it.
        Dictionary<string, string> prometheus = Prometheus(meters);
        MeterEntry[] alive = [.. meters.Entries.Where(entry => entry.Read() is not null && !MovesByItself(entry.Name))];
        Assert.True(alive.Length > 30);
        foreach (MeterEntry entry in alive)
        {
            string tags = string.Join(',', entry.Tags.Select(tag => $"{tag.Key}={tag.Value}"));
            Told one = Assert.Single(told, other => other.Name == entry.Name && other.Tags == tags);
            Assert.Equal((double)entry.Read()!.Value, one.Value);
            string labels = entry.Tags.Count == 0 ? "" : "{" + string.Join(',', entry.Tags.Select(tag => $"{tag.Key.Replace('.', '_')}=\"{tag.Value}\"")) + "}";
            double shown = double.Parse(prometheus[PrometheusText.NameOf(entry) + labels], CultureInfo.InvariantCulture);
            Assert.Equal(one.Value, entry.Unit == MeterUnit.Milliseconds ? shown * 1000 : shown, 6);
        }

        Assert.Equal(HealthState.Good, Assert.Single(part.Findings()).State);

        Told One(string name, string? tags = null) => Assert.Single(told, one => one.Name == name && (tags is null || one.Tags == tags));
    }

    [Theory]
    [InlineData(TelemetryProtocol.Grpc)]
    [InlineData(TelemetryProtocol.HttpProtobuf)]
    public async Task A_collector_that_refuses_is_a_warning_that_ends_when_it_does(TelemetryProtocol protocol)
    {
        await using Collector collector = await Collector.StartAsync(protocol);
        collector.Status = 400;
        using var meters = new MeterRegistry();
        meters.Counter("a.total", "{x}", "a", () => 1);
        await using var part = Part(Options(collector, protocol), meters, new BrokerEvents());
        await part.StartAsync(CancellationToken.None);
        await Task.Run(() => part.Flush(Soon));
        HealthFinding finding = Assert.Single(part.Findings());
        Assert.Equal((HealthState.Warning, "telemetry"), (finding.State, finding.Part));
        Assert.Contains("the answer is 400", finding.Detail, StringComparison.Ordinal);
        collector.Status = 200;
        await Task.Run(() => part.Flush(Soon));
        Assert.Equal(HealthState.Good, Assert.Single(part.Findings()).State);
        Assert.Equal(1, Assert.Single(collector.Numbers()).Value);
    }

    [Fact]
    public async Task Without_an_endpoint_nothing_listens_and_a_reload_changes_that()
    {
        await using Collector collector = await Collector.StartAsync(TelemetryProtocol.HttpProtobuf);
        var events = new BrokerEvents();
        using var meters = new MeterRegistry();
        meters.Counter("a.total", "{x}", "a", () => 1);
        await using var part = Part(new TelemetryOptions(), meters, events);
        await part.StartAsync(CancellationToken.None);
        Assert.Empty(part.Findings());
        // Not even the bit that a publish tests.
        Assert.False(events.Wants(EventKinds.MessageFollowed));
        await ApplyAsync(Options(collector, TelemetryProtocol.HttpProtobuf));
        await Task.Run(() => part.Flush(Soon));
        await collector.HasExportAsync();
        Assert.True(events.Wants(EventKinds.MessageFollowed));
        await ApplyAsync(new TelemetryOptions());
        Assert.Empty(part.Findings());
        Assert.False(events.Wants(EventKinds.MessageFollowed));

        async Task ApplyAsync(TelemetryOptions options)
        {
            await using IPreparedChange change = await part.PrepareAsync(options);
            await change.ApplyAsync(new ChangeNotes());
        }
    }

    [Fact]
    public async Task The_end_sends_the_last_figures()
    {
        await using Collector collector = await Collector.StartAsync(TelemetryProtocol.HttpProtobuf);
        using var meters = new MeterRegistry();
        meters.Counter("a.total", "{x}", "a", () => 42);
        TelemetryOptions options = Options(collector, TelemetryProtocol.HttpProtobuf);
        await using var part = Part(options, meters, new BrokerEvents());
        await part.StartAsync(CancellationToken.None);
        foreach (StopPhase phase in Enum.GetValues<StopPhase>()) await part.StopAsync(phase, Soon);
        Assert.Equal(42, Assert.Single(collector.Numbers()).Value);
    }

    private static TelemetryPart Part(TelemetryOptions options, MeterRegistry meters, BrokerEvents events) =>
        new(options, meters, new MessageMeters(meters, events), events, new TelemetrySource("gw-017", "1.2.3"), TimeProvider.System, NullLogger.Instance);

    private static TelemetryOptions Options(Collector collector, TelemetryProtocol protocol) => new()
    {
        Endpoint = collector.Url,
        Protocol = protocol,
        ServiceName = "plant-broker",
        Interval = TimeSpan.FromHours(1),
        Headers = [new("X-Plant", "7")],
    };

    private static bool MovesByItself(string name) => name is "edgebroker.heap.size" or "edgebroker.uptime" or "edgebroker.memory.used";

    private static Dictionary<string, string> Prometheus(MeterRegistry meters)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(meters, output, isOpenMetrics: false);
        return Encoding.UTF8.GetString(output.WrittenSpan).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#')
            .ToDictionary(line => line[..line.LastIndexOf(' ')], line => line[(line.LastIndexOf(' ') + 1)..]);
    }
}
