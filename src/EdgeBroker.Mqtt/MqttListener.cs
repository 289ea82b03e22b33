using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Reactors;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Mqtt;

/// <summary>A listener for MQTT over sockets, plain or with TLS.</summary>
internal sealed class MqttListener : IListener
{
    private readonly MqttServer _server;

    public MqttListener(MqttServer server, ListenerSettings settings, MqttEndpoint mqtt, ListenerTls? tls, ReactorListener socket)
    {
        _server = server;
        Settings = settings;
        Mqtt = mqtt;
        Tls = tls;
        Socket = socket;
    }

    /// <inheritdoc/>
    public ListenerSettings Settings { get; private set; }

    /// <inheritdoc/>
    public string EndPoint => Socket.EndPoint;

    public MqttEndpoint Mqtt { get; }

    /// <summary>Null: it is plain.</summary>
    public ListenerTls? Tls { get; }

    public ReactorListener Socket { get; }

    /// <inheritdoc/>
    public IListenerChange Prepare(ListenerSettings next) => new Change(this, next, next.Tls is null ? null : Tls?.Read(next.Tls));

    /// <inheritdoc/>
    public Task BeginAsync() => _server.BeginAsync(this);

    /// <inheritdoc/>
    public Task SuspendAsync() => _server.OnFirstReactorAsync(Socket.Stop);

    /// <inheritdoc/>
    public Task ResumeAsync() => _server.OnFirstReactorAsync(Socket.Resume);

    /// <inheritdoc/>
    public Task RemoveAsync() => _server.RemoveAsync(this);

    /// <inheritdoc/>
    public Task AbandonAsync()
    {
        Socket.Stop();
        Tls?.Dispose();
        return Task.CompletedTask;
    }

    private sealed class Change(MqttListener listener, ListenerSettings next, TlsFiles? files) : IListenerChange
    {
        private TlsFiles? _files = files;

        public bool Apply()
        {
            listener.Settings = next;
            listener.Socket.MaxConnections = next.MaxConnections;
            listener.Mqtt.AnonymousAllowed = next.AllowAnonymous;
            TlsFiles? taken = _files;
            _files = null;
            return listener.Tls is { } tls && tls.Take(taken);
        }

        public void Dispose() => _files?.Dispose();
    }
}
