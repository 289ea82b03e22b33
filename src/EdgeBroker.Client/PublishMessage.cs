using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>An application message to be published. Its memory must not change until the publish has completed.</summary>
public sealed class PublishMessage
{
    /// <summary>A message for a topic given as text.</summary>
    public PublishMessage(string topic, ReadOnlyMemory<byte> payload)
        : this(Encoding.UTF8.GetBytes(topic), payload)
    {
    }

    /// <summary>A message for a topic given as UTF-8.</summary>
    /// <exception cref="ArgumentException">The topic is empty, too long, no UTF-8, or holds a wildcard.</exception>
    public PublishMessage(ReadOnlyMemory<byte> topic, ReadOnlyMemory<byte> payload)
    {
        if (topic.Length > Utf8Text.MaxBytes || !Utf8Text.IsValid(topic.Span) || !TopicName.IsValid(topic.Span))
        {
            throw new ArgumentException("A topic name has 1 to 65,535 bytes of UTF-8 and neither + nor # nor U+0000.", nameof(topic));
        }

        Topic = topic;
        Payload = payload;
    }

    /// <summary>The topic name, UTF-8.</summary>
    public ReadOnlyMemory<byte> Topic { get; }

    /// <summary>The payload.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The QoS.</summary>
    public QoS QoS { get; init; }

    /// <summary>Whether the server keeps the message as the topic's last value.</summary>
    public bool Retain { get; init; }

    /// <summary>Message expiry interval; null: the message does not expire. Time spent waiting here is taken off.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary>Alias to set for the topic, within what the server allows; 0: none. The topic itself is always sent along.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>The same message with memory of its own.</summary>
    /// <param name="expirySeconds">The expiry of the copy; null: the same.</param>
    internal PublishMessage Copy(uint? expirySeconds = null) => new(Topic.ToArray(), Payload.ToArray())
    {
        QoS = QoS,
        Retain = Retain,
        ExpirySeconds = expirySeconds ?? ExpirySeconds,
        TopicAlias = TopicAlias,
        EncodedProperties = EncodedProperties.ToArray(),
    };

    /// <summary>Further properties as they stand on the wire, for instance forwarded unchanged or from <see cref="MqttProperties.EncodeForPublish"/>.</summary>
    public ReadOnlyMemory<byte> EncodedProperties { get; init; }
}
