using EdgeBroker.Core.Events;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Reactors;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Mqtt;

// Listeners come, change and go, and clients are reviewed, while the server runs. One thread at a time may ask for that.
public sealed partial class MqttServer
{
    // Between two portions the reactor's connections have their turn.
    private const int ReviewedInOneIteration = 128;

    private volatile MqttListener[] _listeners = [];

    /// <inheritdoc/>
    public IReadOnlySet<ListenerProtocol> Protocols { get; } = new HashSet<ListenerProtocol> { ListenerProtocol.Mqtt, ListenerProtocol.Mqtts };

    /// <inheritdoc/>
    public IReadOnlyList<IListener> Listeners => _listeners;

    /// <inheritdoc/>
    public Task<IListener> OpenAsync(ListenerSettings settings)
    {
        ListenerTls? tls = settings.Tls is null
            ? null
            : new ListenerTls(settings.Tls, settings.Name, _time, _loggers.CreateLogger<ListenerTls>(), Handshakes);
        try
        {
            return Task.FromResult<IListener>(Open(settings, tls));
        }
        catch
        {
            tls?.Dispose();
            throw;
        }
    }

    private MqttListener Open(ListenerSettings settings, ListenerTls? tls)
    {
        var endpoint = new MqttEndpoint(_broker, _authenticator, settings.AllowAnonymous)
        {
            Listener = settings.Address,
            Transport = tls is not null ? "tls" : settings.Address.StartsWith("unix:", StringComparison.Ordinal) ? "unix" : "tcp",
        };
        MqttListener listener = null!;
        ReactorListener socket = ReactorListener.Open(
            SocketAddress.Parse(settings.Address, settings.IsIPv6Only),
            _reactors,
            settings.MaxConnections,
            connection => Accept(listener, connection),
            peer => _broker.Events.ConnectRefused(
                new ConnectRefusedEvent(peer, null, ReasonCode.ServerBusy, "max_connections of the listener is reached", settings.Address)),
            _loggers.CreateLogger<ReactorListener>(),
            settings.SocketFile);
        if (tls is not null) tls.Replaced = () => _ = ReviewAsync();
        return listener = new MqttListener(this, settings, endpoint, tls, socket);
    }

    /// <inheritdoc/>
    public void ApplyLimits()
    {
        // Connections ask the broker for them.
    }

    /// <inheritdoc/>
    public async Task<int> ReviewAsync() => (await Task.WhenAll(_reactors.Select(ReviewAsync)).ConfigureAwait(false)).Sum();

    internal async Task BeginAsync(MqttListener listener)
    {
        await OnFirstReactorAsync(listener.Socket.Start).ConfigureAwait(false);
        _listeners = [.. _listeners, listener];
        LogListening(_logger, ShownProtocol(listener), listener.EndPoint);
    }

    internal async Task RemoveAsync(MqttListener listener)
    {
        _listeners = [.. _listeners.Where(other => other != listener)];
        listener.Mqtt.IsRemoved = true;
        await OnFirstReactorAsync(listener.Socket.Stop).ConfigureAwait(false);
        await Task.WhenAll(_reactors.Select(reactor => OnReactorAsync(reactor, () => reactor.ForEachHandler(handler =>
        {
            if (MqttOf(handler) is { } connection && connection.Endpoint == listener.Mqtt) connection.LoseListener();
            else if (handler is TlsConnection tls && tls.Port == listener.Tls) tls.TryAbandon();
        })))).ConfigureAwait(false);
        listener.Tls?.Dispose();
        LogRemoved(_logger, ShownProtocol(listener), listener.EndPoint);
    }

    private static string ShownProtocol(MqttListener listener) => listener.Tls is null ? "MQTT" : listener.Settings.Protocol.ToWord();

    internal Task OnFirstReactorAsync(Action work) => OnReactorAsync(_reactors[0], work);

    private static Task OnReactorAsync(Reactor reactor, Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception exception)
            {
                // For whoever asked: an address that cannot be had, or a bug.
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    private static void ForEachConnection(Reactor reactor, Action<IMqttHandler> action) => reactor.ForEachHandler(handler =>
    {
        if (MqttOf(handler) is { } connection) action(connection);
    });

    private static Task<int> ReviewAsync(Reactor reactor)
    {
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var connections = new List<IMqttHandler>();
        int disconnected = 0;
        reactor.Post(() =>
        {
            ForEachConnection(reactor, connections.Add);
            ReviewPortion(0);
        });
        return done.Task;

        void ReviewPortion(int from)
        {
            int end = Math.Min(from + ReviewedInOneIteration, connections.Count);
            for (int i = from; i < end; i++)
            {
                if (connections[i].Review()) disconnected++;
            }

            if (end < connections.Count) reactor.Post(() => ReviewPortion(end));
            else done.SetResult(disconnected);
        }
    }

    [LoggerMessage(3002, LogLevel.Information, "no longer listening for {Protocol} on {EndPoint}; its clients are disconnected")]
    private static partial void LogRemoved(ILogger logger, string protocol, string endPoint);
}
