using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>
/// An MQTT client for 3.1.1 and 5.0. Lives from <see cref="ConnectAsync"/> or <see cref="Start"/> until it is disconnected, disposed, or loses its
/// connection with no <see cref="MqttClientOptions.Reconnect"/> set; a new client can then go on with the same <see cref="ClientSession"/>. Safe for concurrent
/// use.
/// </summary>
public sealed partial class MqttClient : IAsyncDisposable
{
    private readonly MqttClientOptions _options;
    private readonly ClientSession _session;
    private readonly IncomingQueue _incoming;
    private readonly ServerRotation _servers;
    private readonly ClientCounters _counters = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _lifetime = new();
    private Task _supervisor = Task.CompletedTask;

    // The four below are guarded by the session's lock.
    private Connection? _connection;
    private ClientState _state;
    private bool _isLeaving;
    private MqttException? _failure;

    /// <summary>Makes a client that is not connected yet.</summary>
    /// <param name="options">How to connect, and the bounds.</param>
    /// <param name="session">A session to go on with; null: a new one.</param>
    public MqttClient(MqttClientOptions options, ClientSession? session = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _session = session ?? new ClientSession();
        _incoming = new IncomingQueue(options.ReceiveQueueMessages, options.ReceiveQueueBytes);
        _servers = new ServerRotation([options.Transport, .. options.OtherServers], options.ServerOrder);
    }

    private enum ClientState
    {
        New,
        Running,
        Ended,
    }

    /// <summary>The session, which outlives the client.</summary>
    public ClientSession Session => _session;

    /// <summary>The MQTT version in use.</summary>
    public ProtocolVersion Version => _options.Version;

    /// <summary>Ends when the client does: normally after a disconnect, with an <see cref="MqttException"/> when the connection was lost for good.</summary>
    public Task Completion => _completion.Task;

    /// <summary>What the server granted on the current connection; null without one.</summary>
    public ConnectResult? Granted
    {
        get
        {
            lock (_session.SyncRoot) return _connection?.Granted;
        }
    }

    /// <summary>What the client has done since it was made.</summary>
    public ClientStatistics Statistics
    {
        get
        {
            lock (_session.SyncRoot)
            {
                return new ClientStatistics
                {
                    Connections = _counters.Connections,
                    MessagesSent = _counters.Sent,
                    MessagesAcknowledged = _counters.Acknowledged,
                    MessagesGivenUp = _counters.GivenUp,
                    MessagesReceived = _counters.Received,
                    BytesSent = _counters.PastBytesSent + (_connection?.Packets.BytesSent ?? 0),
                    BytesReceived = _counters.PastBytesReceived + (_connection?.Packets.BytesReceived ?? 0),
                    Unacknowledged = _session.Outgoing.Count,
                    Untaken = _incoming.Count,
                };
            }
        }
    }

    private TimeProvider Time => _options.TimeProvider;

    /// <summary>Ends the client without a DISCONNECT: the server publishes the will. Use <see cref="DisconnectAsync"/> to leave in order.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_session.SyncRoot)
        {
            if (_state == ClientState.New)
            {
                _state = ClientState.Ended;
                _incoming.Complete(null);
                _completion.TrySetResult();
            }
        }

        await _lifetime.CancelAsync();
        await _supervisor.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Begin()
    {
        lock (_session.SyncRoot)
        {
            if (_state != ClientState.New)
            {
                throw new InvalidOperationException("A client connects once; make a new one, with the same session if it shall go on.");
            }

            _state = ClientState.Running;
        }

        try
        {
            _session.Attach();
        }
        catch
        {
            lock (_session.SyncRoot) _state = ClientState.Ended;
            throw;
        }
    }

    private void End(MqttException? failure)
    {
        MqttException forWaiters = failure ?? new MqttException("The client was closed.");
        lock (_session.SyncRoot)
        {
            _state = ClientState.Ended;
            _failure = forWaiters;
            _connection = null;
            _session.Outgoing.FailAll(failure ?? new MqttException(
                "The client was closed before the message was acknowledged; it stays in the session and is sent again by the next client that uses it."));
        }

        _session.Detach();
        _responses.FailAll(forWaiters);
        _incoming.Complete(failure);
        if (failure is null)
        {
            _completion.TrySetResult();
            return;
        }

        _completion.TrySetException(failure);
        _ = _completion.Task.Exception;
    }

    // Under the lock.
    private Connection RequireConnection() => _connection is { IsClosing: false } connection ? connection
        : throw _failure ?? new MqttException("There is no connection to the server at the moment; wait for it, or publish with QoS 1 or 2 to have it queued.");
}
