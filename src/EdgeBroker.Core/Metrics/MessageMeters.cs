using System.Globalization;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Metrics;

/// <summary>
/// Measures how large messages are and how long they take, of one in 64: one that is timed cannot go together with others, and each size that is told costs as
/// much as a tenth of a message. It is there only while somebody is told: a collector, or whoever has asked for <c>/metrics</c>.
/// </summary>
public sealed class MessageMeters : BrokerEventSink
{
    private const int OneIn = 64;

    [ThreadStatic]
    private static int _untilNext;

    private readonly BrokerEvents _events;
    private readonly HistogramMeter _sizes = new(
        "mqtt.message.size.bytes", MeterUnit.Bytes, "bytes of the payload of messages that were published, of one in 64", 16, 64, 256, 1_024, 4_096, 16_384,
        65_536, 262_144, 1_048_576, 16_777_216);
    private readonly HistogramMeter[] _publishes = [.. Enumerable.Range(0, 3).Select(qos => new HistogramMeter(
        "mqtt.publish.duration.ms", MeterUnit.Milliseconds, "from PUBLISH to its acknowledgement, of one message in 64", 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
        25, 50, 100, 250, 1_000, 5_000)
    {
        Tags = [new MeterTag("qos", qos.ToString(CultureInfo.InvariantCulture))],
    })];

    private readonly HistogramMeter _deliveries = new(
        "mqtt.delivery.duration.ms", MeterUnit.Milliseconds, "from PUBLISH until a receiver has it, of one message in 64", 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
        25, 50, 100, 250, 1_000, 5_000, 30_000);

    // Null: nobody is told.
    private Users? _users;

    /// <param name="meters">Where the figures are told.</param>
    /// <param name="events">Tells of messages.</param>
    public MessageMeters(MeterRegistry meters, BrokerEvents events)
    {
        _events = events;
        meters.Histogram(_sizes);
        foreach (HistogramMeter publishes in _publishes) meters.Histogram(publishes);
        meters.Histogram(_deliveries);
    }

    /// <inheritdoc/>
    public override EventKinds Wanted => EventKinds.MessageFollowed;

    /// <summary>Measures from here on, until what is returned is disposed of.</summary>
    public IDisposable Measure()
    {
        while (true)
        {
            Users? seen = Volatile.Read(ref _users);
            var next = new Users((seen?.Count ?? 0) + 1, seen?.Registration ?? _events.Add(this));
            if (ReferenceEquals(Interlocked.CompareExchange(ref _users, next, seen), seen)) return new Use(this);
            if (seen is null) next.Registration.Dispose();
        }
    }

    /// <inheritdoc/>
    public override MessagePassage? Follow(in Publication message, MessagePassage? passage)
    {
        if (_untilNext-- > 0) return passage;
        // Not every 64th: topics that take turns would have it always the same one's.
        _untilNext = Random.Shared.Next((2 * OneIn) - 1);
        _sizes.Record(message.Payload.Length);
        return passage ?? MessagePassage.Of(message);
    }

    /// <inheritdoc/>
    public override void MessageAcknowledged(in AcknowledgedEvent what)
    {
        if (!what.Reason.IsError()) _publishes[(int)what.Passage.QoS].Record(what.DoneMs);
    }

    /// <inheritdoc/>
    public override void MessageDelivered(in DeliveredEvent what)
    {
        if (what.Message.Passage is not null) _deliveries.Record(what.DelayMs!.Value);
    }

    private void Leave()
    {
        while (true)
        {
            Users seen = Volatile.Read(ref _users)!;
            Users? next = seen.Count > 1 ? seen with { Count = seen.Count - 1 } : null;
            if (!ReferenceEquals(Interlocked.CompareExchange(ref _users, next, seen), seen)) continue;
            if (next is null) seen.Registration.Dispose();
            return;
        }
    }

    private sealed record Users(int Count, IDisposable Registration);

    private sealed class Use(MessageMeters meters) : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0) meters.Leave();
        }
    }
}
