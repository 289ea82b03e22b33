using System.Diagnostics;
using System.Globalization;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Telemetry.Tests;

/// <summary>Spans of messages as a collector sees them.</summary>
[Collection("telemetry")]
public sealed class TraceTests : IAsyncLifetime, IDisposable
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string ParentId = "00f067aa0ba902b7";
    private const string Parent = $"00-{TraceId}-{ParentId}-01";
    private const int Consumer = 5;
    private const int Producer = 4;
    private const int Internal = 1;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly TestJournal _journal = new();
    private readonly TestBroker _broker;
    private TelemetryPart? _part;
    private Collector? _collector;

    public TraceTests() => _broker = new TestBroker(new TestBrokerOptions { Journal = _journal });

    public Task InitializeAsync() => Task.CompletedTask;

    // What it offers would be exported by the next test as well.
    public void Dispose() => _broker.Broker.Meters.Dispose();

    public async Task DisposeAsync()
    {
        if (_part is not null) await _part.DisposeAsync();
        await _broker.DisposeAsync();
        if (_collector is not null) await _collector.DisposeAsync();
    }

    [Theory]
    [InlineData(TelemetryProtocol.Grpc)]
    [InlineData(TelemetryProtocol.HttpProtobuf)]
    public async Task A_message_is_traced_from_publish_through_journal_to_its_deliveries(TelemetryProtocol protocol)
    {
        await StartAsync(protocol, rate: 0);
        TestClient publisher = await _broker.ConnectAsync("press7"), kept = await _broker.ConnectAsync("scada");
        await kept.SubscribeAsync("plant/#", options: 1);
        await publisher.SendAsync(publisher.Packets.Publish(
            "plant/t", "21.5", qos: 1, packetId: 7, retain: true, properties: [.. UserProperty("traceparent", Parent), .. UserProperty("tracestate", "a=1")]));
        ReceivedPacket received = await kept.ExpectPublishAsync("plant/t", "21.5", qos: 1);
        // What the client said goes on as it is.
        Assert.Contains(("traceparent", Parent), received.Properties.User);
        _broker.Advance(TimeSpan.FromMilliseconds(30));
        await kept.AcknowledgeAsync(received);
        await kept.FenceAsync();
        _broker.Advance(TimeSpan.FromMilliseconds(20));
        _journal.Commit();
        await publisher.ExpectAsync(PacketType.Puback);
        await FlushAsync();

        Span publish = One("publish"), journal = One("journal"), deliver = One("deliver");
        Assert.Equal(3, _collector!.Spans.Count);
        Assert.All(_collector.Spans, span => Assert.Equal(TraceId, span.TraceId));
        Assert.Equal((ParentId, Consumer, "a=1"), (publish.ParentId, publish.Kind, publish.TraceState));
        Assert.Equal((publish.Id, Internal), (journal.ParentId, journal.Kind));
        Assert.Equal((publish.Id, Producer), (deliver.ParentId, deliver.Kind));
        Assert.Equal((50, 50, 30), (LengthMs(publish), LengthMs(journal), LengthMs(deliver)));
        Assert.All(_collector.Spans, span => Assert.Equal("mqtt", span.Attributes["messaging.system"]));
        Assert.Equal(("publish", "receive", "plant/t", "press7", "4"), Said(publish));
        Assert.Equal(("deliver", "send", "plant/t", "scada", "4"), Said(deliver));
        Assert.Contains(_part!.Findings(), finding => finding.State == HealthState.Good && finding.Detail.StartsWith("traces go to", StringComparison.Ordinal));
        Assert.Null(Activity.Current);
    }

    [Theory]
    [InlineData("00-" + TraceId + "-" + ParentId + "-00")]
    [InlineData("00-" + TraceId + "-" + ParentId)]
    [InlineData("00-00000000000000000000000000000000-" + ParentId + "-01")]
    [InlineData("ff-" + TraceId + "-" + ParentId + "-01")]
    [InlineData("")]
    [InlineData("x")]
    public async Task What_is_not_to_be_recorded_or_is_no_context_is_not_traced(string traceparent)
    {
        await StartAsync(TelemetryProtocol.HttpProtobuf, rate: 0);
        TestClient client = await _broker.ConnectAsync("c");
        await client.SubscribeAsync("#");
        await client.PublishAsync("t", "m", properties: UserProperty("traceparent", traceparent));
        await client.PublishAsync("t", "n", properties: [.. UserProperty("traceparent", Parent), .. UserProperty("traceparent", Parent)]);
        await client.PublishAsync("t", "o", properties: UserProperty("traceparent", new string('0', 60_000)));
        await client.PublishAsync("t", "plain");
        foreach (string payload in new[] { "m", "n", "o", "plain" }) await client.ExpectPublishAsync("t", payload);
        await FlushAsync();
        Assert.Empty(_collector!.Spans);
    }

    [Fact]
    public async Task Messages_without_context_begin_traces_of_their_own_as_often_as_configured()
    {
        await StartAsync(TelemetryProtocol.HttpProtobuf, rate: 1);
        TestClient client = await _broker.ConnectAsync("c");
        await client.SubscribeAsync("#");
        await client.PublishAsync("t", "1");
        await client.PublishAsync("t", "2");
        foreach (string payload in new[] { "1", "2" }) await client.ExpectPublishAsync("t", payload);
        await client.FenceAsync();
        await FlushAsync();
        Span[] publishes = [.. _collector!.Spans.Where(span => span.Name == "publish")];
        Assert.Equal(2, publishes.Select(span => span.TraceId).Distinct().Count());
        Assert.All(publishes, span => Assert.Equal("", span.ParentId));
        IEnumerable<Span> deliveries = _collector.Spans.Where(span => span.Name == "deliver");
        Assert.Equal(publishes.Select(span => span.TraceId).Order(), deliveries.Select(span => span.TraceId).Order());
    }

    [Fact]
    public async Task Clients_cannot_have_more_traced_than_a_hundred_messages_a_second_and_32_deliveries_of_each()
    {
        // A clock that stands, so that the second does not end.
        var time = new FakeTimeProvider();
        await StartAsync(TelemetryProtocol.HttpProtobuf, rate: 0, time);
        TestClient client = await _broker.ConnectAsync("c");
        for (int i = 0; i < 40; i++)
        {
            TestClient other = await _broker.ConnectAsync("s" + i.ToString(CultureInfo.InvariantCulture));
            await other.SubscribeAsync("many");
        }

        await client.PublishAsync("many", "m", properties: UserProperty("traceparent", Parent));
        for (int i = 0; i < 1_000; i++) await client.SendAsync(client.Packets.Publish("none", "m", properties: UserProperty("traceparent", Parent)));
        await client.FenceAsync();
        await FlushAsync();
        Assert.Equal(100, _collector!.Spans.Count(span => span.Name == "publish"));
        Assert.Equal(32, _collector.Spans.Count(span => span.Name == "deliver"));
        time.Advance(TimeSpan.FromSeconds(1));
        await client.PublishAsync("none", "m", properties: UserProperty("traceparent", Parent));
        await client.FenceAsync();
        await FlushAsync();
        Assert.Equal(101, _collector.Spans.Count(span => span.Name == "publish"));
    }

    [Fact]
    public async Task Without_traces_nobody_follows_a_message()
    {
        _collector = await Collector.StartAsync(TelemetryProtocol.HttpProtobuf);
        var events = new BrokerEvents();
        using var meters = new MeterRegistry();
        var options = new TelemetryOptions { Endpoint = _collector.Url, Protocol = TelemetryProtocol.HttpProtobuf, Interval = TimeSpan.FromHours(1) };
        _part = new TelemetryPart(
            options, meters, new MessageMeters(meters, new BrokerEvents()), events, new TelemetrySource("n", "1"), TimeProvider.System, NullLogger.Instance);
        await _part.StartAsync(CancellationToken.None);
        Assert.False(events.Wants(EventKinds.MessageFollowed));
        await ApplyAsync(options with { Traces = true });
        Assert.True(events.Wants(EventKinds.MessageFollowed));
        await ApplyAsync(options);
        Assert.False(events.Wants(EventKinds.MessageFollowed));
        Assert.Single(_part.Findings());

        async Task ApplyAsync(TelemetryOptions next)
        {
            await using IPreparedChange change = await _part.PrepareAsync(next);
            await change.ApplyAsync(new ChangeNotes());
        }
    }

    private static byte[] UserProperty(string name, string value) => [0x26, .. Wire.Text(name), .. Wire.Text(value)];

    private static int LengthMs(Span span) => (int)((span.EndedAt - span.StartedAt + 500_000) / 1_000_000);

    private static (string Name, string Type, string Topic, string Client, string Size) Said(Span span) => (
        span.Attributes["messaging.operation.name"],
        span.Attributes["messaging.operation.type"],
        span.Attributes["messaging.destination.name"],
        span.Attributes["messaging.client.id"],
        span.Attributes["messaging.message.body.size"]);

    private Span One(string name) => Assert.Single(_collector!.Spans, span => span.Name == name);

    private async Task StartAsync(TelemetryProtocol protocol, double rate, TimeProvider? time = null)
    {
        _collector = await Collector.StartAsync(protocol);
        var options = new TelemetryOptions
        {
            Endpoint = _collector.Url,
            Protocol = protocol,
            Interval = TimeSpan.FromHours(1),
            Traces = true,
            TraceSampleRate = rate,
        };
        _part = new TelemetryPart(
            options, _broker.Broker.Meters, new MessageMeters(_broker.Broker.Meters, _broker.Broker.Events), _broker.Broker.Events,
            new TelemetrySource("gw-017", "1"), time ?? TimeProvider.System, NullLogger.Instance);
        await _part.StartAsync(CancellationToken.None);
    }

    private async Task FlushAsync() => Assert.True(await Task.Run(() => _part!.Flush(Soon)));
}
