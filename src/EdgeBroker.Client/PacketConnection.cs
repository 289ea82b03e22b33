using System.Buffers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>
/// One connection to a server, from CONNECT to its end: the layer below <see cref="MqttClient"/>, for those who keep a session of their own. It knows packets,
/// keep-alive and how to leave. Packet identifiers, acknowledgements, and what is sent again by the next connection are its user's: so a session can survive a
/// restart of the process.
/// </summary>
public sealed partial class PacketConnection : IAsyncDisposable
{
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(2);

    // Without a piece of the output going out.
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(10);

    private readonly MqttClientOptions _options;
    private readonly IClientTransport _server;
    private readonly Stream _stream;
    private readonly FrameReader _reader;
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytesSent;
    private long _lastSent;
    private long _lastReceived;
    private volatile bool _isReaderPaused;
    private volatile bool _isPingQueued;

    private PacketConnection(MqttClientOptions options, IClientTransport server, Stream stream, FrameReader reader, ConnectResult granted)
    {
        _options = options;
        _server = server;
        _stream = stream;
        _reader = reader;
        Granted = granted;
        Outgoing = new OutgoingBuffer(options.SendBufferBytes);
        _lastSent = _lastReceived = Time.GetTimestamp();
    }

    /// <summary>What the server granted.</summary>
    public ConnectResult Granted { get; }

    /// <summary>The MQTT version in use.</summary>
    public ProtocolVersion Version => _options.Version;

    /// <summary>Where it leads, as a technician would write it.</summary>
    public string Server => _server.Description;

    /// <summary>Guards the output.</summary>
    public Lock SyncRoot { get; private set; } = new();

    /// <summary>Where packets are written to, under the lock; <see cref="Commit"/> must follow.</summary>
    public IBufferWriter<byte> Output => Outgoing.Writer;

    /// <summary>Whether so much waits that nobody should add to it who can wait. Under the lock, or as a hint without it.</summary>
    public bool IsFull => Outgoing.IsFull;

    /// <summary>Whether the connection is being ended by this side. Under the lock.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>When something came last, by the clock of the options.</summary>
    public long LastReceived => Volatile.Read(ref _lastReceived);

    /// <summary>Bytes written since the connection was let in.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Bytes read since it was opened.</summary>
    public long BytesReceived => _reader.BytesRead;

    internal OutgoingBuffer Outgoing { get; }

    private TimeProvider Time => _options.TimeProvider;

    /// <summary>Has the output guarded by another lock, before it is used and before <see cref="RunAsync"/>.</summary>
    public void UseLock(Lock one) => SyncRoot = one;

    /// <summary>Has what was written sent. Under the lock.</summary>
    public void Commit() => Outgoing.Commit();

    /// <summary>
    /// Ends the connection in order: what was written and DISCONNECT still go out. MQTT 3.1.1 has no DISCONNECT that says a failure, so there the stream just
    /// ends.
    /// </summary>
    /// <param name="reason">Why.</param>
    /// <param name="properties">Session expiry and user properties (5.0).</param>
    public void Close(ReasonCode reason = ReasonCode.Success, MqttProperties? properties = null)
    {
        Span<byte> initial = stackalloc byte[256];
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Disconnect, initial);
        try
        {
            if (Version == ProtocolVersion.V5) properties?.AddTo(ref builder);
            lock (SyncRoot)
            {
                if (IsClosing) return;
                IsClosing = true;
                if (Version == ProtocolVersion.V5 || !reason.IsError())
                {
                    new DisconnectPacket { Type = PacketType.Disconnect, ReasonCode = reason, Properties = builder.Block }.Write(Outgoing.Writer, Version);
                }

                Outgoing.Complete();
            }

            _closing.TrySetResult();
        }
        finally
        {
            builder.Dispose();
        }
    }

    /// <summary>Cuts the connection at once: the server publishes the will.</summary>
    public ValueTask AbortAsync() => _stream.DisposeAsync();

    /// <summary>Cuts a connection, whether it was run or not.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        _reader.Dispose();
    }
}
