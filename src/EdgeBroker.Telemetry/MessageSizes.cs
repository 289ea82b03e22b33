using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Telemetry;

/// <summary>Measures how large messages are. It asks for every message, and so is there only while somebody is told.</summary>
internal sealed class MessageSizes : BrokerEventSink
{
    private readonly HistogramMeter _sizes = new(
        "mqtt.message.size.bytes", MeterUnit.Bytes, "bytes of the payload of messages that were published", 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144,
        1_048_576, 16_777_216);

    public MessageSizes(MeterRegistry meters) => meters.Histogram(_sizes);

    /// <inheritdoc/>
    public override EventKinds Wanted => EventKinds.MessagePublished;

    /// <inheritdoc/>
    public override void MessagePublished(in Publication message) => _sizes.Record(message.Payload.Length);
}
