namespace EdgeBroker.Client;

/// <summary>What a client has done since it was made, for whoever watches it; read by <see cref="MqttClient.Statistics"/>.</summary>
public readonly record struct ClientStatistics
{
    /// <summary>Connections made.</summary>
    public long Connections { get; init; }

    /// <summary>PUBLISH packets sent, repetitions included.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Messages of QoS 1 and 2 that the server is done with, those it refused included.</summary>
    public long MessagesAcknowledged { get; init; }

    /// <summary>Messages that were enqueued and are given up: the server refused them, they expired, or are more than it takes.</summary>
    public long MessagesGivenUp { get; init; }

    /// <summary>Messages received, repetitions that were recognised left out.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Bytes written, below WebSocket and TLS.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes read.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Messages accepted for sending and not acknowledged to the end.</summary>
    public int Unacknowledged { get; init; }

    /// <summary>Received messages that the application has not taken yet.</summary>
    public int Untaken { get; init; }
}
