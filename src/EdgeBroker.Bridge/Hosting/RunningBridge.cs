using System.Text;
using EdgeBroker.Bridge.Connections;
using EdgeBroker.Client;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Hosting;

/// <summary>A bridge at work: connects, and connects again, as long as it is wanted. One task does it all; orders come from any thread.</summary>
internal sealed partial class RunningBridge : IAsyncDisposable
{
    // How late a lazy bridge may notice that something waits, and a drain that nothing does: sessions tell nobody how full they are.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly BridgeState _state;
    private readonly ServerRotation _servers;
    private readonly DecorrelatedBackoff _backoff;
    private readonly Signal _wake = new();
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _lifetime = new();
    private Task _running = Task.CompletedTask;
    private BridgePhase _phase;
    private DateTimeOffset _sinceAt;
    private DateTimeOffset? _nextTryAt;
    private bool _isWanted;
    private bool _isDrainOrdered;
    private BridgeConnection? _connection;
    private CancellationTokenSource? _attempt;
    private TaskCompletionSource? _left;

    /// <param name="state">What outlives connections.</param>
    public RunningBridge(BridgeState state)
    {
        _state = state;
        _servers = new ServerRotation([Options.Connection.Transport, .. Options.Connection.OtherServers], Options.Connection.ServerOrder);
        _backoff = new DecorrelatedBackoff(Options.Reconnect, Random.Shared.NextDouble);
        _isWanted = Options.Start != BridgeStart.OnCommand;
        _sinceAt = Time.GetUtcNow();
    }

    /// <summary>The ids of its sessions.</summary>
    public IEnumerable<string> SessionIds => _state.Lanes.Select(lane => lane.SessionId);

    /// <summary>How it is configured.</summary>
    public BridgeOptions Options => _state.Options;

    /// <summary>What it counts.</summary>
    public BridgeCounters Counters => _state.Counters;

    private TimeProvider Time => _state.Environment.Time;

    /// <summary>What waits in each lane, in the order in which they go.</summary>
    private IReadOnlyList<LaneStatus> Backlogs =>
    [
        .. _state.Lanes.Select(lane =>
        {
            SessionBacklog backlog = lane.Session?.Backlog ?? default;
            return new LaneStatus(lane.Options.Name, backlog.Messages + backlog.Inflight, backlog.Bytes, backlog.OldestSeconds);
        }),
    ];

    private int BacklogMessages => Backlogs.Sum(lane => lane.BacklogMessages);

    private bool HasBacklog => BacklogMessages > 0;

    private bool IsLazy => Options.Start == BridgeStart.Lazy;

    /// <summary>Has what is published from here on wait for it, and begins.</summary>
    public void Begin()
    {
        BridgeSession.Prepare(_state);
        _running = SuperviseAsync();
    }

    /// <summary>Has it connect, and stay so.</summary>
    public void Start() => Order(isWanted: true, isDrain: false);

    /// <summary>Has it leave, and not come back until told. What is published meanwhile waits.</summary>
    public void Stop()
    {
        Order(isWanted: false, isDrain: false);
        Leave();
    }

    /// <summary>Has it send what waits, and then do as before.</summary>
    public void Drain()
    {
        bool isWanted;
        lock (_lock.Alone()) isWanted = _isWanted;
        if (!isWanted || IsLazy) Order(isWanted, isDrain: true);
    }

    /// <summary>Drops what waits to go out.</summary>
    /// <returns>How many messages.</returns>
    public async Task<int> PurgeAsync()
    {
        bool wasWanted;
        lock (_lock.Alone()) wasWanted = _isWanted;
        Stop();
        await WaitUntilLeftAsync().ConfigureAwait(false);
        int count = BacklogMessages;
        foreach (BridgeLane lane in _state.Lanes) _state.Broker.Kick(lane.SessionId, ReasonCode.AdministrativeAction, forget: true, publishWill: false);
        BridgeSession.Prepare(_state);
        if (wasWanted) Start();
        return count;
    }

    /// <summary>How it is.</summary>
    public BridgeStatus Status
    {
        get
        {
            BridgePhase phase;
            DateTimeOffset sinceAt;
            DateTimeOffset? nextTryAt;
            lock (_lock.Alone()) (phase, sinceAt, nextTryAt) = (_phase, _sinceAt, _nextTryAt);
            IReadOnlyList<LaneStatus> backlogs = Backlogs;
            BridgeCounters counters = _state.Counters;
            long lastMs = counters.LastAcknowledgedMs;
            return new BridgeStatus
            {
                Name = Options.Name,
                Phase = phase,
                Server = _servers.Current.Description,
                BacklogMessages = backlogs.Sum(lane => lane.BacklogMessages),
                BacklogBytes = backlogs.Sum(lane => lane.BacklogBytes),
                OldestSeconds = backlogs.Max(lane => lane.OldestSeconds),
                Lanes = backlogs.Count > 1 ? backlogs : [],
                Sent = counters.Sent,
                Acknowledged = counters.Acknowledged,
                Received = counters.Received,
                Dropped = _state.Lanes.Sum(lane => (long)(lane.Session?.Dropped ?? 0)),
                Refused = counters.Refused,
                RefusedFilters = phase == BridgePhase.Connected ? _state.RefusedFilters : [],
                Loops = counters.Loops,
                Connections = counters.Connections,
                LastAcknowledgedSeconds = lastMs < 0 ? null : (_state.Broker.Clock.NowMs - lastMs) / 1000.0,
                RoundTripMs = counters.RoundTripMs is >= 0 and double roundTrip ? roundTrip : null,
                SinceAt = sinceAt,
                NextTryAt = nextTryAt,
                LastFault = _state.LastFault,
            };
        }
    }

    /// <summary>Leaves in order within the limit, else at once. The session stays.</summary>
    public async Task EndAsync(TimeSpan limit)
    {
        Stop();
        _lifetime.CancelAfter(limit);
        _wake.Set();
        Task over = WaitUntilLeftAsync();
        await Task.WhenAny(over, Task.Delay(limit, Time)).ConfigureAwait(false);
        await _lifetime.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _state.Retire();
    }

    /// <summary>Gives back what a bridge borrowed that never began.</summary>
    public void Discard()
    {
        _state.Retire();
        _lifetime.Dispose();
    }

    /// <summary>Ends it at once. The session stays.</summary>
    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _lifetime.Dispose();
    }

    private Task WaitUntilLeftAsync()
    {
        lock (_lock.Alone())
        {
            if (_connection is null && _attempt is null) return Task.CompletedTask;
            _left ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _left.Task;
        }
    }

    /// <summary>Neither an attempt nor a connection goes on any more.</summary>
    private void NoteLeft()
    {
        TaskCompletionSource? left;
        lock (_lock.Alone())
        {
            _attempt = null;
            _connection = null;
            (left, _left) = (_left, null);
        }

        left?.TrySetResult();
    }

    private void Order(bool isWanted, bool isDrain)
    {
        lock (_lock.Alone())
        {
            _isWanted = isWanted;
            _isDrainOrdered = isDrain;
        }

        _wake.Set();
    }

    private void Leave()
    {
        BridgeConnection? connection;
        CancellationTokenSource? attempt;
        lock (_lock.Alone()) (connection, attempt) = (_connection, _attempt);
        if (connection is not null)
        {
            connection.Leave();
            return;
        }

        try
        {
            attempt?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The attempt has ended since, and whoever ended it looks at what is wanted.
        }
    }

    private void Enter(BridgePhase phase, TimeSpan? untilNextTry = null)
    {
        DateTimeOffset now = Time.GetUtcNow();
        lock (_lock.Alone())
        {
            // Tries and the pauses between them are one thing: it is away.
            if (phase != _phase && !(IsAway(phase) && IsAway(_phase))) _sinceAt = now;
            (_phase, _nextTryAt) = (phase, now + untilNextTry);
        }
    }

    private static bool IsAway(BridgePhase phase) => phase is BridgePhase.Connecting or BridgePhase.Waiting;

    /// <summary>Tells clients of this broker whether the bridge is connected, by a retained message.</summary>
    private void Tell(bool isConnected)
    {
        if (Options.Notifications == BridgeNotifications.Off) return;
        _state.Broker.Loops.Begin();
        try
        {
            _state.Broker.Publish(
                new Publication
                {
                    Topic = Encoding.UTF8.GetBytes(Options.NotificationTopic),
                    Payload = isConnected ? "1"u8 : "0"u8,
                    Retain = true,
                    IsBrokersOwn = true,
                },
                _state.NoticeContext);
        }
        finally
        {
            _state.Broker.Loops.End();
        }
    }
}
