using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Mqtt;

/// <summary>A listener for MQTT over plain sockets.</summary>
internal sealed class MqttListener : IListener
{
    private readonly MqttServer _server;

    public MqttListener(MqttServer server, ListenerSettings settings, MqttEndpoint mqtt, ReactorListener socket)
    {
        _server = server;
        Settings = settings;
        Mqtt = mqtt;
        Socket = socket;
    }

    /// <inheritdoc/>
    public ListenerSettings Settings { get; private set; }

    /// <inheritdoc/>
    public string EndPoint => Socket.EndPoint;

    public MqttEndpoint Mqtt { get; }

    public ReactorListener Socket { get; }

    /// <inheritdoc/>
    public IListenerChange Prepare(ListenerSettings next) => new Change(this, next);

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
        return Task.CompletedTask;
    }

    private sealed class Change(MqttListener listener, ListenerSettings next) : IListenerChange
    {
        public bool Apply()
        {
            listener.Settings = next;
            listener.Socket.MaxConnections = next.MaxConnections;
            listener.Mqtt.AnonymousAllowed = next.AllowAnonymous;
            return false;
        }

        public void Dispose()
        {
            // Nothing had to be read.
        }
    }
}
