using EdgeBroker.Core.Events;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Messages;

/// <summary>
/// What is noted of a message that somebody follows on its way through the broker: begun by <see cref="BrokerEventSink.Follow"/>, and known to all who keep the
/// message in memory. What comes back from disk has none any more.
/// </summary>
/// <param name="publisherId">Whose message it is; null: nobody says.</param>
/// <param name="qos">The QoS it was published with.</param>
public sealed class MessagePassage(string? publisherId, QoS qos)
{
    // The object, and what a tracer keeps with it.
    private const int PlainBytes = 64;
    private const int TracedBytes = 1_024;

    /// <summary>Begins one.</summary>
    /// <param name="message">The message.</param>
    public static MessagePassage Of(in Publication message) => new(message.Publisher?.Id, message.QoS);

    /// <summary>Whose message it is; null: nobody says.</summary>
    public string? PublisherId => publisherId;

    /// <summary>The QoS it was published with.</summary>
    public QoS QoS => qos;

    /// <summary>What a tracer keeps with it; null: it is not traced.</summary>
    public object? Trace { get; set; }

    /// <summary>When the broker took the message, by <see cref="BrokerClock.Timestamp"/>.</summary>
    internal long TakenAt { get; set; }

    /// <summary>What it counts in memory.</summary>
    internal int SizeBytes => Trace is null ? PlainBytes : TracedBytes;
}
