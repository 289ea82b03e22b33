using EdgeBroker.Core.Events;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Reactors;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Mqtt;

// Listeners come, change and go, and clients are reviewed, while the server runs. One thread at a time may ask for that.
public sealed partial class MqttServer
{
    // Between two portions the reactor's connections have their turn.
    private const int ReviewedInOneTurn = 128;

    private volatile MqttListener[] _listeners = [];

    /// <summary>The listeners, in the order they were opened.</summary>
    public IReadOnlyList<MqttListener> Listeners => _listeners;

    /// <summary>Binds a listener's address; it accepts, and is one of <see cref="Listeners"/>, once it has begun.</summary>
    /// <exception cref="FormatException">The address makes no sense.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public MqttListener Open(ListenerOptions options)
    {
        var endpoint = new MqttEndpoint(_broker, _authenticator, options.AllowAnonymous)
        {
            Listener = options.Address,
            Transport = options.Address.StartsWith("unix:", StringComparison.Ordinal) ? "unix" : "tcp",
        };
        MqttListener listener = null!;
        ReactorListener socket = ReactorListener.Open(
            SocketAddress.Parse(options.Address),
            _reactors,
            options.MaxConnections,
            connection => Accept(listener, connection),
            peer => _broker.Events.ConnectRefused(new ConnectRefusedEvent(peer, null, ReasonCode.ServerBusy, "max_connections of the listener is reached")),
            _loggers.CreateLogger<ReactorListener>(),
            options.SocketFile);
        listener = new MqttListener(this, options, endpoint, socket);
        return listener;
    }

    /// <summary>
    /// Judges every client by the users and rules now in force, of which whoever asks has told the authenticator. Completes when all are judged.
    /// </summary>
    /// <returns>How many were disconnected.</returns>
    public async Task<int> ReviewAsync() => (await Task.WhenAll(_reactors.Select(ReviewAsync)).ConfigureAwait(false)).Sum();

    internal async Task BeginAsync(MqttListener listener)
    {
        await OnFirstReactorAsync(listener.Socket.Start).ConfigureAwait(false);
        _listeners = [.. _listeners, listener];
        LogListening(_logger, listener.EndPoint);
    }

    internal async Task RemoveAsync(MqttListener listener)
    {
        _listeners = [.. _listeners.Where(other => other != listener)];
        listener.Mqtt.IsRemoved = true;
        await OnFirstReactorAsync(listener.Socket.Stop).ConfigureAwait(false);
        await Task.WhenAll(_reactors.Select(reactor => OnReactorAsync(reactor, () => ForEachConnection(reactor, connection =>
        {
            if (connection.Endpoint == listener.Mqtt) connection.LoseListener();
        })))).ConfigureAwait(false);
        LogRemoved(_logger, listener.EndPoint);
    }

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
        if (handler is IMqttHandler connection) action(connection);
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
            int end = Math.Min(from + ReviewedInOneTurn, connections.Count);
            for (int i = from; i < end; i++)
            {
                if (connections[i].Review()) disconnected++;
            }

            if (end < connections.Count) reactor.Post(() => ReviewPortion(end));
            else done.SetResult(disconnected);
        }
    }

    [LoggerMessage(3002, LogLevel.Information, "no longer listening for MQTT on {EndPoint}; its clients are disconnected")]
    private static partial void LogRemoved(ILogger logger, string endPoint);
}
