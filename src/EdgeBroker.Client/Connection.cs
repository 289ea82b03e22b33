using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>What the client knows of one network connection; all of it ends with it.</summary>
internal sealed class Connection(PacketConnection packets, MqttClientOptions options)
{
    public PacketConnection Packets => packets;

    public ConnectResult Granted => packets.Granted;

    /// <summary>Own QoS 1 and 2 messages allowed in flight.</summary>
    public int Window { get; } = Math.Min(packets.Granted.ReceiveMaximum, options.InflightWindow);

    public OutgoingBuffer Outgoing => packets.Outgoing;

    public TopicAliases Aliases { get; } = new(options.Version == ProtocolVersion.V5 ? options.TopicAliasMaximum : 0);

    public Dictionary<ushort, PendingRequest> Requests { get; } = [];

    /// <summary>Received QoS 1 messages whose PUBACK is owed, in order.</summary>
    public Queue<ReceivedMessage> OwedPubacks { get; } = new();

    /// <summary>Received QoS 2 messages whose PUBREC is owed, in order.</summary>
    public Queue<ReceivedMessage> OwedPubrecs { get; } = new();

    /// <summary>QoS 2 exchanges the server began on this connection and has not ended.</summary>
    public int OpenExactlyOnce { get; set; }

    /// <summary>The re-authentication that goes on; null: none.</summary>
    public Renewal? Renewal { get; set; }

    /// <summary>We are ending the connection; what still comes is of no interest.</summary>
    public bool IsClosing => packets.IsClosing;
}
