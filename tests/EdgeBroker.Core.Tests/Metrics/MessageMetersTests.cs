using System.Buffers;
using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Metrics;

/// <summary>How large messages are and how long they take, as it is told.</summary>
public sealed class MessageMetersTests
{
    private readonly Bench _bench = new();
    private readonly MessageMeters _messages;

    public MessageMetersTests() => _messages = new MessageMeters(_bench.Broker.Meters, _bench.Broker.Events);

    [Fact]
    public void Nothing_is_asked_of_the_broker_while_nobody_is_told()
    {
        const EventKinds Kinds = EventKinds.MessageFollowed;
        Assert.False(_bench.Broker.Events.Wants(Kinds));
        IDisposable first = _messages.Measure(), second = _messages.Measure();
        // Which one in 64 is a matter of chance.
        for (int i = 0; i < 128; i++) _bench.Publish("t", "m");
        Assert.InRange(One("mqtt.message.size.bytes").Counts().Sum(), 1, 127);
        first.Dispose();
        first.Dispose();
        Assert.True(_bench.Broker.Events.Wants(Kinds));
        second.Dispose();
        Assert.False(_bench.Broker.Events.Wants(Kinds));
    }

    [Fact]
    public void One_of_64_messages_is_weighed_and_timed()
    {
        using IDisposable measuring = _messages.Measure();
        Client subscriber = _bench.Connect("s");
        subscriber.Subscribe("#", QoS.AtLeastOnce);
        for (int i = 0; i < 6_400; i++)
        {
            _bench.Publish("t", "m", QoS.AtLeastOnce);
            _bench.Time.Advance(TimeSpan.FromMilliseconds(3));
            subscriber.Puback(subscriber.Sent[^1].Id);
        }

        HistogramMeter deliveries = One("mqtt.delivery.duration.ms");
        Assert.Equal(deliveries.Counts().Sum(), One("mqtt.message.size.bytes").Counts()[0]);
        Assert.InRange(deliveries.Counts().Sum(), 60, 160);
        // All of them between 2.5 and 5 ms.
        Assert.Equal(deliveries.Counts().Sum(), deliveries.Counts()[Array.IndexOf([.. deliveries.Bounds], 5)]);
        HistogramMeter[] publishes = [.. _bench.Broker.Meters.Histograms.Where(one => one.Name == "mqtt.publish.duration.ms")];
        Assert.Equal(["0", "1", "2"], publishes.Select(one => Assert.Single(one.Tags).Value));
        Assert.Equal([0, deliveries.Counts().Sum(), 0], publishes.Select(one => one.Counts().Sum()));
    }

    [Fact]
    public void Prometheus_is_told_seconds_and_one_head_for_all_of_a_name()
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(_bench.Broker.Meters, output, isOpenMetrics: false);
        string[] lines = Encoding.UTF8.GetString(output.WrittenSpan).Split('\n');
        Assert.Single(lines, line => line == "# TYPE mqtt_publish_duration_seconds histogram");
        Assert.Contains("mqtt_publish_duration_seconds_bucket{qos=\"1\",le=\"0.0025\"} 0", lines);
        Assert.Contains("mqtt_publish_duration_seconds_count{qos=\"2\"} 0", lines);
        Assert.Contains("mqtt_delivery_duration_seconds_bucket{le=\"30\"} 0", lines);
        Assert.Contains("mqtt_message_size_bytes_bucket{le=\"+Inf\"} 0", lines);
    }

    private HistogramMeter One(string name) => Assert.Single(_bench.Broker.Meters.Histograms, one => one.Name == name);
}
