using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>What all messages of a run have in common: QoS, RETAIN, properties, and the size of the payload.</summary>
internal sealed class MessageBody
{
    private const uint ExpirySeconds = 3600;

    private readonly ProtocolVersion _version;
    private readonly bool _retain;
    private readonly byte[] _payload;
    private readonly byte[] _properties = [];
    private readonly uint? _expirySeconds;

    /// <param name="options">The run's options.</param>
    /// <param name="retain">Whether the messages are retained.</param>
    public MessageBody(BenchOptions options, bool retain = false)
    {
        _version = options.Version;
        _retain = retain;
        QoS = options.QoS;
        _payload = new byte[options.PayloadBytes];
        _payload.AsSpan().Fill(MessageStamp.Filler);
        if (!options.WithProperties) return;
        _expirySeconds = ExpirySeconds;
        using PropertyBuilder properties = PropertyBuilder.For(PacketType.Publish, stackalloc byte[128]);
        properties.Add(PropertyId.ContentType, "application/octet-stream"u8);
        properties.Add(PropertyId.ResponseTopic, "bench/answers"u8);
        properties.AddUserProperty("unit"u8, "C"u8);
        properties.AddUserProperty("site"u8, "plant-7"u8);
        _properties = properties.Block.Bytes.ToArray();
    }

    /// <summary>The QoS of the messages.</summary>
    public QoS QoS { get; }

    /// <summary>Bytes of the payload, which stands at the end of a packet.</summary>
    public int PayloadBytes => _payload.Length;

    /// <summary>A packet for a topic, or for an alias of it.</summary>
    /// <param name="topic">The topic; empty when the alias stands for it.</param>
    /// <param name="alias">The alias; 0: none.</param>
    public byte[] Encode(string topic, ushort alias = 0)
    {
        OutgoingPublish publish = Packet(Encoding.UTF8.GetBytes(topic), 1) with { TopicAlias = alias };
        var packet = new byte[publish.Length(_version)];
        publish.Write(packet, _version);
        return packet;
    }

    /// <summary>Bytes of a packet for a topic.</summary>
    public int Length(ReadOnlySpan<byte> topic) => Packet(topic, 1).Length(_version);

    /// <summary>Writes a packet for a topic and returns its length.</summary>
    public int Write(Span<byte> destination, ReadOnlySpan<byte> topic, ushort packetId) => Packet(topic, packetId).Write(destination, _version);

    private OutgoingPublish Packet(ReadOnlySpan<byte> topic, ushort packetId) => new()
    {
        Topic = topic,
        Payload = _payload,
        ForwardedProperties = _properties,
        ExpirySeconds = _expirySeconds,
        QoS = QoS,
        Retain = _retain,
        PacketId = packetId,
    };
}
