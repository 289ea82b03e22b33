using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>A message from the server: one owned copy of its packet.</summary>
public sealed class ReceivedMessage
{
    private readonly MqttClient _client;
    private readonly ProtocolVersion _version;
    private readonly byte[] _packet;

    internal ReceivedMessage(
        MqttClient client, Connection connection, int epoch, ReadOnlySpan<byte> raw, in Frame frame, in PublishPacket publish, byte[]? aliasedTopic)
    {
        _client = client;
        _version = client.Version;
        _packet = raw.ToArray();
        Connection = connection;
        Epoch = epoch;
        QoS = publish.QoS;
        Retain = publish.Retain;
        Dup = publish.Dup;
        PacketId = publish.PacketId;
        int topicAt = frame.Length - frame.Body.Length + 2;
        Topic = aliasedTopic ?? _packet.AsMemory(topicAt, publish.Topic.Length);
        Payload = _packet.AsMemory(_packet.Length - publish.Payload.Length);
    }

    /// <summary>The topic name, UTF-8.</summary>
    public ReadOnlyMemory<byte> Topic { get; }

    /// <summary>The topic name as text.</summary>
    public string TopicText => Encoding.UTF8.GetString(Topic.Span);

    /// <summary>The payload.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The QoS it was delivered with.</summary>
    public QoS QoS { get; }

    /// <summary>RETAIN.</summary>
    public bool Retain { get; }

    /// <summary>DUP.</summary>
    public bool Dup { get; }

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; }

    /// <summary>The properties, read from the packet at each call; none in 3.1.1. Their values are views over this message.</summary>
    public IReadOnlyList<MqttProperty> ReadProperties()
    {
        List<MqttProperty> properties = [];
        Frame.Cut(_packet, int.MaxValue, out Frame frame, out _);
        PublishPacket.TryParse(frame, _version, out PublishPacket publish, out _);
        foreach (Property property in publish.Properties)
        {
            properties.Add(new MqttProperty(property.Id, property.Number, Own(property.Name), Own(property.Value)));
        }

        return properties;
    }

    /// <summary>
    /// The properties that go along unchanged when the message is published elsewhere, as <see cref="PublishMessage.EncodedProperties"/> takes them.
    /// </summary>
    public byte[] CopyForwardedProperties()
    {
        Frame.Cut(_packet, int.MaxValue, out Frame frame, out _);
        PublishPacket.TryParse(frame, _version, out PublishPacket publish, out _);
        if (publish.Properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded)) return forwarded.ToArray();
        byte[] copy = new byte[publish.Properties.Bytes.Length];
        return copy[..publish.Properties.CopyForwarded(copy)];
    }

    /// <summary>A response to this message, to be published by whoever was asked: with the topic and the correlation data that it names (5.0, 4.10).</summary>
    /// <param name="payload">What is answered.</param>
    /// <returns>The response; null: the message asks for none.</returns>
    public PublishMessage? CreateResponse(ReadOnlyMemory<byte> payload)
    {
        IReadOnlyList<MqttProperty> asked = ReadProperties();
        ReadOnlyMemory<byte> topic = asked.FirstOrDefault(one => one.Id == PropertyId.ResponseTopic).Value;
        if (topic.IsEmpty) return null;
        var properties = new MqttProperties();
        ReadOnlyMemory<byte> correlation = asked.FirstOrDefault(one => one.Id == PropertyId.CorrelationData).Value;
        if (!correlation.IsEmpty) properties.Add(PropertyId.CorrelationData, correlation);
        return new PublishMessage(topic, payload) { QoS = QoS, EncodedProperties = properties.EncodeForPublish() };
    }

    /// <summary>Bytes of memory it holds, for bounds.</summary>
    internal int LengthBytes => _packet.Length + 64;

    /// <summary>The connection it came over: a QoS 1 message can be acknowledged only there, and comes again on the next.</summary>
    internal Connection Connection { get; }

    /// <summary>The server's session it belongs to: a QoS 2 message can be acknowledged as long as that lasts.</summary>
    internal int Epoch { get; }

    /// <summary>Whether the application has acknowledged it.</summary>
    internal bool IsAcknowledged { get; set; }

    /// <summary>
    /// Tells the server that the message is safe here (PUBACK or PUBREC), once all received before it are acknowledged too [MQTT-4.6.0-2].
    /// Does nothing at QoS 0, when done before, or when the connection or session it belongs to is gone; then the message comes again.
    /// </summary>
    public void Acknowledge()
    {
        if (QoS != QoS.AtMostOnce) _client.Acknowledge(this);
    }

    private ReadOnlyMemory<byte> Own(ReadOnlySpan<byte> part) => _packet.AsSpan().Overlaps(part, out int at) ? _packet.AsMemory(at, part.Length) : default;
}
