using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Reactors;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Mqtt;

/// <summary>MQTT over plain sockets: the reactors, the listeners on them, and the order in which they start and stop.</summary>
public sealed partial class MqttServer : IDisposable
{
    private static readonly TimeSpan HousekeepingInterval = TimeSpan.FromMilliseconds(250);

    private readonly Broker _broker;
    private readonly IAuthenticator _authenticator;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger<MqttServer> _logger;
    private readonly Reactor[] _reactors;
    private readonly Dictionary<Reactor, RoutingContext> _contexts = [];
    private readonly PeerNames _peerNames;
    private volatile bool _isStopping;

    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="reactorCount">Threads; one a core.</param>
    /// <param name="time">The clock; only its monotonic side is used.</param>
    /// <param name="loggers">Event ids 3000-3099.</param>
    public MqttServer(Broker broker, IAuthenticator authenticator, int reactorCount, TimeProvider time, ILoggerFactory loggers)
    {
        _broker = broker;
        _authenticator = authenticator;
        _loggers = loggers;
        _logger = loggers.CreateLogger<MqttServer>();
        _peerNames = new PeerNames(time);
        _reactors = [.. Enumerable.Range(0, reactorCount).Select(index => new Reactor(index, time, broker.ReportFault, loggers.CreateLogger<Reactor>()))];
        foreach (Reactor reactor in _reactors)
        {
            RoutingContext context = broker.CreateContext(new MessageBatch());
            _contexts.Add(reactor, context);
            reactor.AfterReceives = () => broker.Deliver(context.Batch, context);
        }

        _reactors[0].AddPeriodic(HousekeepingInterval, KeepHouse);
        MemoryLedger ledger = broker.Limits.Ledger;
        ledger.Poll(MemoryKind.Output, () => BufferMemory.OutputBytes);
        ledger.Poll(MemoryKind.ReceiveBuffers, () => BufferMemory.ReceivedBytes);
        ledger.Poll(MemoryKind.UnauthenticatedBuffers, () => BufferMemory.UnauthenticatedBytes);
    }

    /// <summary>Where the listeners listen, in the order they were opened.</summary>
    public IEnumerable<string> EndPoints => _listeners.Select(listener => listener.EndPoint);

    /// <summary>Opens a listener; it accepts once the server has started.</summary>
    /// <exception cref="FormatException">The address makes no sense.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public void Listen(ListenerOptions options) => _listeners = [.. _listeners, Open(options)];

    /// <summary>Runs something again and again on the first reactor; short and non-blocking. Before the start.</summary>
    public void AddPeriodic(TimeSpan interval, Action work) => _reactors[0].AddPeriodic(interval, work);

    /// <summary>Starts accepting and serving.</summary>
    public void Start()
    {
        foreach (MqttListener listener in _listeners)
        {
            listener.Socket.Start();
            LogListening(_logger, listener.EndPoint);
        }

        foreach (Reactor reactor in _reactors) reactor.Start();
    }

    /// <summary>Stops accepting, says goodbye to every client (5.0: DISCONNECT 0x8B), and waits until they are gone or the time is up.</summary>
    public async Task StopAsync(TimeSpan patience, TimeProvider time)
    {
        _isStopping = true;
        MqttListener[] listeners = _listeners;
        _reactors[0].Post(() => Array.ForEach(listeners, listener => listener.Socket.Stop()));
        foreach (Reactor reactor in _reactors)
        {
            reactor.Post(() => reactor.ForEachHandler(Shutdown));
        }

        try
        {
            await Task.WhenAll(listeners.Select(listener => listener.Socket.WhenEmpty())).WaitAsync(patience, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogLeft(_logger, listeners.Sum(listener => listener.Socket.OpenCount));
        }
    }

    // In portions: between two of them the reactor's connections have their turn.
    private void KeepHouse()
    {
        if (_broker.RunDue()) _reactors[0].Post(KeepHouse);
    }

    /// <summary>Ends the reactors.</summary>
    public void Dispose()
    {
        foreach (Reactor reactor in _reactors) reactor.Dispose();
    }

    [LoggerMessage(3000, LogLevel.Information, "listening for MQTT on {EndPoint}")]
    private static partial void LogListening(ILogger logger, string endPoint);

    [LoggerMessage(3001, LogLevel.Warning, "{Count} connection(s) did not take their last bytes in time and are cut")]
    private static partial void LogLeft(ILogger logger, int count);
}
