using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Messages;

/// <summary>An application message on its way through the broker, borrowed from the buffer it was received in.</summary>
public readonly ref struct Publication
{
    /// <summary>The topic name, UTF-8, valid and within the level limit.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Encoded 5.0 properties that are forwarded unchanged.</summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    /// <summary>The QoS it was published with.</summary>
    public QoS QoS { get; init; }

    /// <summary>RETAIN as published.</summary>
    public bool Retain { get; init; }

    /// <summary>Message expiry interval in seconds, counted from now; null: none.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary>Whose message it is; null: the broker's own, or of somebody who receives nothing.</summary>
    public Receiver? Publisher { get; init; }

    /// <summary>The packet identifier the publisher sent it under at QoS 2; 0: none.</summary>
    public ushort ReceivedId { get; init; }

    /// <summary>Whether its Payload Format Indicator says that the payload is UTF-8.</summary>
    public bool IsText { get; init; }

    /// <summary>Whether the publisher is told when a queue refuses the message: then the identifier it sent is free again, and is not stored.</summary>
    public bool RefusalIsTold { get; init; }

    /// <summary>Whether the broker owes it to someone already (a will, a message handed on): it is taken even when the store is failing.</summary>
    public bool IsBrokersOwn { get; init; }

    /// <summary>
    /// The packet the message came in, for receivers of its version to get as it is: QoS 0 without RETAIN and topic alias, of which the other parts are slices.
    /// Empty: it came in another form.
    /// </summary>
    public ReadOnlySpan<byte> Packet { get; init; }

    /// <summary>The version of <see cref="Packet"/>.</summary>
    public ProtocolVersion PacketVersion { get; init; }

    /// <summary>When it was published, for the nodes of a cluster to compare; none outside of one.</summary>
    public Stamp Stamp { get; init; }

    /// <summary>Of one that is retained: what must hold of the value it would replace, or it is refused; null: nothing.</summary>
    public RetainedCondition? Condition { get; init; }

    /// <summary>What is noted of its way; null: nobody follows it.</summary>
    public MessagePassage? Passage { get; init; }

    /// <summary>The owned form, where there already is one.</summary>
    public Message? Owned { get; init; }

    /// <summary>What it counts in a queue's byte limit.</summary>
    internal int SizeBytes => Topic.Length + Payload.Length + Properties.Length;

    /// <summary>A view of an owned message.</summary>
    public static Publication Of(Message message, long nowMs, Receiver? publisher = null) => new()
    {
        Topic = message.Topic,
        Payload = message.Payload,
        Properties = message.Properties,
        QoS = message.QoS,
        Retain = message.Retain,
        ExpirySeconds = message.RemainingExpirySeconds(nowMs),
        Publisher = publisher,
        IsBrokersOwn = true,
        Stamp = message.Stamp,
        Passage = message.Passage,
        Owned = message,
    };

    /// <summary>When it expires, in the broker clock's milliseconds, or <see cref="Message.Never"/>.</summary>
    internal long ExpiresAtMs(long nowMs) => ExpirySeconds is { } seconds ? nowMs + (seconds * 1000L) : Message.Never;

    /// <summary>Copies what is borrowed.</summary>
    /// <param name="nowMs">The broker clock's time.</param>
    /// <param name="topic">An array that holds the topic already, or null.</param>
    public Message ToMessage(long nowMs, byte[]? topic = null) => new()
    {
        Topic = topic ?? Topic.ToArray(),
        Payload = Payload.ToArray(),
        Properties = Properties.IsEmpty ? [] : Properties.ToArray(),
        QoS = QoS,
        Retain = Retain,
        ExpiresAtMs = ExpiresAtMs(nowMs),
        Stamp = Stamp,
        Passage = Passage,
    };
}
