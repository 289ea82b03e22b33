using EdgeBroker.Protocol;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Bench;

/// <summary>
/// Clients beside the load that wait for each message before they publish the next, as a control loop does: how long the broker lets them wait while it is
/// busy with others. They have connections and a thread of their own.
/// </summary>
internal sealed class RoundTrips : IDisposable
{
    private static readonly TimeSpan SetupTimeout = TimeSpan.FromSeconds(20);

    private readonly LoadLoop _loop;
    private readonly LoadRun _run;
    private readonly RoundTripClient[] _clients;
    private readonly TimeSpan _timeout;
    private volatile bool _isMeasuring;
    private volatile bool _isEnding;
    private Task _running = Task.CompletedTask;
    private int _missing;

    public RoundTrips(BenchOptions options, TimeProvider time)
    {
        _timeout = options.Timeout;
        _loop = new LoadLoop(SocketAddress.Parse(options.Address), time);
        BenchOptions own = options with { QoS = QoS.AtMostOnce, PayloadBytes = BenchOptions.DefaultPayloadBytes, WithProperties = false, WithAliases = false };
        _run = new LoadRun(own, _loop, (uint)Random.Shared.NextInt64(1, uint.MaxValue)) { Ledger = new StreamLedger(0, 0) };
        _clients = [.. Enumerable.Range(0, options.Beside).Select(i => new RoundTripClient(_run, this, i))];
    }

    /// <summary>How long they took; complete once they have stopped.</summary>
    public LatencyHistogram Times { get; } = new();

    /// <summary>Whether a round trip that begins now counts. Any thread.</summary>
    public bool IsMeasuring
    {
        get => _isMeasuring;
        set => _isMeasuring = value;
    }

    /// <summary>Whether nothing more is to be published.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>Connects the clients and sets them going.</summary>
    /// <exception cref="BenchException">Not all are connected.</exception>
    public void Start()
    {
        _loop.OpenAll(_clients, SetupTimeout);
        _running = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Lets each client end its round trip, and adds what they found to a result.</summary>
    public BenchResult Stop(BenchResult result)
    {
        _isEnding = true;
        _running.GetAwaiter().GetResult();
        return result with
        {
            BesideTimes = Times,
            BesideMissing = _missing,
            Broken = result.Broken + _loop.Broken,
            FirstBreak = result.FirstBreak ?? _loop.FirstBreak,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isEnding = true;
        // Unlike Wait it does not throw: what went wrong has been told, or something else has ended the run.
        Task.WaitAny(_running);
        _loop.Dispose();
    }

    private void Run()
    {
        foreach (RoundTripClient client in _clients) client.Publish();
        _loop.RunUntilTime(long.MaxValue, () => _isEnding || _loop.Broken > 0);
        _isEnding = true;
        _loop.RunUntil(() => !_clients.Any(client => client.IsWaiting && client.IsReady), _timeout);
        _missing = _clients.Count(client => client.IsWaiting);
        _run.DisconnectAll(_clients);
    }
}
