using System.Globalization;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Reactors;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Mqtt;

/// <summary>MQTT over sockets, plain or with TLS: the reactors, the listeners on them, and the order in which they start and stop.</summary>
public sealed partial class MqttServer : IListenerFamily, IDisposable
{
    private static readonly TimeSpan HousekeepingInterval = TimeSpan.FromMilliseconds(250);

    private readonly Broker _broker;
    private readonly IAuthenticator _authenticator;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger<MqttServer> _logger;
    private readonly Reactor[] _reactors;
    private readonly Dictionary<Reactor, RoutingContext> _contexts = [];
    private readonly PeerNames _peerNames;
    private readonly TimeProvider _time;
    private volatile bool _isStopping;

    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="reactorCount">Threads; one a core.</param>
    /// <param name="time">The clock; of connections only its monotonic side is used.</param>
    /// <param name="loggers">Event ids 3000-3099.</param>
    public MqttServer(Broker broker, IAuthenticator authenticator, int reactorCount, TimeProvider time, ILoggerFactory loggers)
    {
        _broker = broker;
        _authenticator = authenticator;
        _loggers = loggers;
        _logger = loggers.CreateLogger<MqttServer>();
        _peerNames = new PeerNames(time);
        _time = time;
        _reactors = [.. Enumerable.Range(0, reactorCount).Select(index => new Reactor(index, time, broker.ReportFault, loggers.CreateLogger<Reactor>()))];
        foreach (Reactor reactor in _reactors)
        {
            RoutingContext context = broker.CreateContext(new MessageBatch());
            _contexts.Add(reactor, context);
            reactor.AfterReceives = () => broker.Deliver(context.Batch, context);
        }

        _reactors[0].AddPeriodic(HousekeepingInterval, RunHousekeeping);
        MemoryLedger ledger = broker.Limits.Ledger;
        ledger.Poll(MemoryKind.Output, () => BufferMemory.OutputBytes);
        ledger.Poll(MemoryKind.ReceiveBuffers, () => BufferMemory.ReceivedBytes);
        ledger.Poll(MemoryKind.UnauthenticatedBuffers, () => BufferMemory.UnauthenticatedBytes);
        BufferMemory.Grown += ledger.NoteGrowth;
    }

    /// <summary>What became of TLS handshakes, here and wherever else it is given to.</summary>
    public TlsCounters Handshakes { get; } = new();

    /// <summary>The certificates in use at the moment.</summary>
    public IReadOnlyList<CertificateValidity> Certificates => [.. _listeners.SelectMany(listener => listener.Tls?.Certificates ?? [])];

    /// <summary>Registers what became of handshakes, and how busy the reactors are.</summary>
    public void RegisterMeters(MeterRegistry meters)
    {
        Handshakes.RegisterMeters(meters);
        var turns = new HistogramMeter(
            "edgebroker.reactor.turn.duration", MeterUnit.Seconds, "how long a thread that serves connections is at work at a stretch", .0001, .0005, .001,
            .005, .01, .05, .1, .5, 1);
        meters.Histogram(turns);
        Action<double> record = turns.Record;
        for (int i = 0; i < _reactors.Length; i++)
        {
            Reactor reactor = _reactors[i];
            reactor.TurnListener = () => meters.IsRead ? record : null;
            meters.Counter(
                "edgebroker.reactor.busy", MeterUnit.Milliseconds, "processor time of threads that serve connections", () => reactor.BusyMs,
                tags: new MeterTag("reactor", i.ToString(CultureInfo.InvariantCulture)));
        }
    }

    internal bool IsStopping => _isStopping;

    /// <summary>Runs something again and again on the first reactor; short and non-blocking. Before the start.</summary>
    public void AddPeriodic(TimeSpan interval, Action work) => _reactors[0].AddPeriodic(interval, work);

    /// <inheritdoc/>
    public Task StartAsync()
    {
        foreach (Reactor reactor in _reactors) reactor.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(TimeSpan timeout, TimeProvider time)
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
            await Task.WhenAll(listeners.Select(listener => listener.Socket.WhenEmpty())).WaitAsync(timeout, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogLeft(_logger, listeners.Sum(listener => listener.Socket.OpenCount));
        }
    }

    // In portions: between two of them the reactor's connections have their turn.
    private void RunHousekeeping()
    {
        if (_broker.RunDue()) _reactors[0].Post(RunHousekeeping);
    }

    /// <summary>Ends the reactors.</summary>
    public void Dispose()
    {
        BufferMemory.Grown -= _broker.Limits.Ledger.NoteGrowth;
        foreach (MqttListener listener in _listeners) listener.Tls?.Dispose();
        foreach (Reactor reactor in _reactors) reactor.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    [LoggerMessage(3000, LogLevel.Information, "listening for {Protocol} on {EndPoint}")]
    private static partial void LogListening(ILogger logger, string protocol, string endPoint);

    [LoggerMessage(3001, LogLevel.Warning, "{Count} connection(s) did not take their last bytes in time and are cut")]
    private static partial void LogLeft(ILogger logger, int count);
}
