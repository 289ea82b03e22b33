using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>The state of one network connection; all of it ends with it.</summary>
internal sealed class Connection(Stream stream, FrameReader reader, ConnectResult granted, MqttClientOptions options) : IAsyncDisposable
{
    private long _lastSent;
    private long _lastReceived;
    private volatile bool _isReaderPaused;
    private volatile bool _isPingQueued;

    public Stream Stream => stream;

    public FrameReader Reader => reader;

    public ConnectResult Granted => granted;

    /// <summary>Own QoS 1 and 2 messages allowed in flight.</summary>
    public int Window { get; } = Math.Min(granted.ReceiveMaximum, options.InflightWindow);

    public OutgoingBuffer Outgoing { get; } = new(options.SendBufferBytes);

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
    public bool IsClosing { get; set; }

    /// <summary>When the last batch was written.</summary>
    public long LastSent
    {
        get => Volatile.Read(ref _lastSent);
        set => Volatile.Write(ref _lastSent, value);
    }

    /// <summary>When the last bytes came.</summary>
    public long LastReceived
    {
        get => Volatile.Read(ref _lastReceived);
        set => Volatile.Write(ref _lastReceived, value);
    }

    /// <summary>The reader waits for the application: silence then is our own doing, not the server's.</summary>
    public bool IsReaderPaused
    {
        get => _isReaderPaused;
        set => _isReaderPaused = value;
    }

    /// <summary>A PINGREQ is on its way out; no answer can be expected before it is written.</summary>
    public bool IsPingQueued
    {
        get => _isPingQueued;
        set => _isPingQueued = value;
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        reader.Dispose();
    }
}
