using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Mqtt;

/// <summary>A listener for MQTT over plain sockets.</summary>
public sealed class MqttListener : IServedListener
{
    private readonly MqttServer _server;

    internal MqttListener(MqttServer server, ListenerOptions options, MqttEndpoint mqtt, ReactorListener socket)
    {
        _server = server;
        Options = options;
        Mqtt = mqtt;
        Socket = socket;
    }

    /// <summary>As configured.</summary>
    public ListenerOptions Options { get; private set; }

    /// <inheritdoc/>
    public string Name => "mqtt on " + Options.Address;

    /// <inheritdoc/>
    public string EndPoint => Socket.EndPoint;

    internal MqttEndpoint Mqtt { get; }

    internal ReactorListener Socket { get; }

    /// <summary>Takes other settings, for clients that come from here on; who is connected stays until reviewed.</summary>
    /// <param name="options">With the same address.</param>
    public void Apply(ListenerOptions options)
    {
        Options = options;
        Socket.MaxConnections = options.MaxConnections;
        Mqtt.AnonymousAllowed = options.AllowAnonymous;
    }

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
}
