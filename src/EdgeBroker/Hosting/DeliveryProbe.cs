using System.Globalization;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Hosting;

/// <summary>
/// Sends a message through the broker every few seconds, from a reactor to a client within the process, and judges by it whether the broker delivers: one that
/// is alive but stuck has no other sign. A service manager that watches hears of each that arrives while the store takes what must be kept, and of none
/// otherwise. Nothing is written to disk for it: the store's own state stands for that, and a flash card is spared.
/// </summary>
internal sealed class DeliveryProbe : IBrokerPart
{
    /// <summary>How often a message goes through.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestSilence = 3 * Interval;
    private const string Filter = "$SYS/broker/probe";
    private static readonly byte[] Topic = Encoding.UTF8.GetBytes(Filter);

    private readonly Broker _broker;
    private readonly ServiceStatus _services;
    private readonly Func<string> _summary;
    private readonly TimeProvider _time;
    private readonly RoutingContext _context;
    private readonly CancellationTokenSource _end = new();
    private readonly HistogramMeter _durations = new(
        "edgebroker.probe.duration", MeterUnit.Seconds, "how long a message takes through the broker", .0001, .001, .005, .01, .05, .1, .5, 1, 5, 10);
    private LocalClient? _client;
    private Task _reading = Task.CompletedTask;
    private long _sentTimestamp;
    private long _arrivedTimestamp;
    private string _lastSaid = "";

    /// <param name="broker">The broker.</param>
    /// <param name="addPeriodic">Has something run again and again, once the listeners start.</param>
    /// <param name="services">Is told that the broker is well, and what it is doing.</param>
    /// <param name="summary">Where it listens.</param>
    /// <param name="time">The clock.</param>
    public DeliveryProbe(Broker broker, Action<TimeSpan, Action> addPeriodic, ServiceStatus services, Func<string> summary, TimeProvider time)
    {
        _broker = broker;
        _services = services;
        _summary = summary;
        _time = time;
        _context = broker.CreateContext();
        _arrivedTimestamp = time.GetTimestamp();
        addPeriodic(Interval, Send);
        broker.Meters.Gauge("edgebroker.probe.healthy", "{state}", "whether messages go through the broker: 1 yes, 0 no", () => IsHealthy ? 1 : 0);
        broker.Meters.Histogram(_durations);
    }

    /// <inheritdoc/>
    public string Name => "probe";

    /// <summary>Whether one went through not long ago.</summary>
    public bool IsHealthy => Silence <= LongestSilence;

    private TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _arrivedTimestamp));

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        _client = _broker.OpenLocal("probe", new LocalClientOptions { MaxQueuedMessages = 4 });
        Volatile.Write(ref _arrivedTimestamp, _time.GetTimestamp());
        _reading = Task.Run(ReadAsync, CancellationToken.None);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings() => [IsHealthy
        ? new HealthFinding(Name, HealthState.Good, "messages go through")
        : new HealthFinding(
            Name,
            HealthState.Failing,
            string.Create(CultureInfo.InvariantCulture, $"no message has gone through the broker for {Silence.TotalSeconds:0} s: it is overloaded or stuck"))];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_end.IsCancellationRequested) await _end.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _client?.Dispose();
    }

    /// <summary>Sends one; on a reactor.</summary>
    internal void Send()
    {
        if (_client is null || _end.IsCancellationRequested) return;
        Volatile.Write(ref _sentTimestamp, _time.GetTimestamp());
        // For as long as the message takes: a broker to which nobody subscribes has nothing to look up for each message, and keeps it so.
        _client.Subscribe(Filter, default);
        _broker.Publish(new Publication { Topic = Topic, QoS = QoS.AtMostOnce }, _context);
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _client!.WaitToReadAsync(_end.Token).ConfigureAwait(false))
            {
                while (_client.TryRead(out _)) Arrived();
            }
        }
        catch (OperationCanceledException)
        {
            // The broker ends.
        }
    }

    private void Arrived()
    {
        long now = _time.GetTimestamp();
        _client!.Unsubscribe(Filter);
        _durations.Record(_time.GetElapsedTime(Volatile.Read(ref _sentTimestamp), now).TotalSeconds);
        Volatile.Write(ref _arrivedTimestamp, now);
        if (!_services.IsAsked) return;
        // A full store is nothing that a restart would cure.
        if (_broker.Journal.Condition != JournalCondition.Failing) _services.KeepAlive();
        string said = string.Create(
            CultureInfo.InvariantCulture, $"{_broker.ConnectedCount} client(s), {_broker.CountPendingMessages()} message(s) wait; {_summary()}");
        if (said == _lastSaid) return;
        _lastSaid = said;
        _services.Say(said);
    }
}
