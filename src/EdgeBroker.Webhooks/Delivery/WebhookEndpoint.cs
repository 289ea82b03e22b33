using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Webhooks.Events;

namespace EdgeBroker.Webhooks.Delivery;

/// <summary>What endpoints share.</summary>
/// <param name="Source">Which broker tells.</param>
/// <param name="Account">Is told of bytes that are taken or, below zero, given back.</param>
/// <param name="IsMemoryShort">Whether messages are not to be told because the broker's memory is short.</param>
/// <param name="Log">The log.</param>
/// <param name="Fault">Is told of bugs.</param>
/// <param name="Time">The clock.</param>
internal sealed record WebhookEnvironment(
    WebhookSource Source, Action<long> Account, Func<bool> IsMemoryShort, WebhookLog Log, Action<Exception, string> Fault, TimeProvider Time);

/// <summary>
/// One webhook: its queue, and the task that sends what is in it, one request at a time and in order. Its options may be replaced while it runs; queue and
/// counters stay.
/// </summary>
internal sealed partial class WebhookEndpoint : IAsyncDisposable
{
    private readonly WebhookEnvironment _environment;
    private readonly EventQueue _queue;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private volatile Settings _settings;
    private CancellationTokenSource _interrupt = new();
    private DeliverySchedule _schedule;
    private volatile bool _isDraining;
    private Task _task = Task.CompletedTask;
    private long _sent;
    private long _failed;
    private string? _lastFailure;
    private DateTimeOffset? _lastFailureAt;
    private DateTimeOffset? _failingSince;
    private DateTimeOffset? _lastSuccessAt;
    private DateTimeOffset? _nextTryAt;

    public WebhookEndpoint(WebhookOptions options, WebhookEnvironment environment)
    {
        _environment = environment;
        _queue = new EventQueue(environment.Time, environment.Account);
        _settings = new Settings(options, environment);
    }

    public WebhookOptions Options => _settings.Options;

    /// <summary>Events that wait.</summary>
    public int Queued => _queue.Count;

    /// <summary>Events that arrived.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Requests that failed.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Events that were dropped for one cause.</summary>
    public long Dropped(WebhookDropCause cause) => _queue.Dropped(cause);

    /// <summary>Begins to send.</summary>
    public void Start() => _task = Task.Run(RunAsync);

    /// <summary>Whether it is to be told of an event.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="topic">The topic or filter it is about; empty: it is about a client.</param>
    /// <param name="isFilter">Whether that is a filter, of which any overlap will do.</param>
    public bool Wants(WebhookEventType type, ReadOnlySpan<byte> topic, bool isFilter)
    {
        Settings settings = _settings;
        if (!settings.Has(type)) return false;
        IReadOnlyList<byte[]> filters = settings.Options.Topics;
        if (topic.IsEmpty || filters.Count == 0) return true;
        if (TopicFilter.TrySplitShared(topic, out _, out ReadOnlySpan<byte> plain)) topic = plain;
        for (int i = 0; i < filters.Count; i++)
        {
            if (isFilter ? FilterRelation.Overlaps(filters[i], topic) : TopicFilter.Matches(filters[i], topic)) return true;
        }

        return false;
    }

    /// <summary>Queues an event. Any thread; does not wait.</summary>
    public void Offer(Occurrence what)
    {
        WebhookDropCause? refused = null;
        if (Circuit == CircuitState.Off) refused = WebhookDropCause.Rejected;
        else if (WebhookEventTypes.RankOf(what.Type) == DropRank.Message && _environment.IsMemoryShort()) refused = WebhookDropCause.Memory;
        _queue.Offer(what, Options, refused);
    }

    /// <summary>Takes other options, and tries a receiver that was given up again, at once. False: they are the same.</summary>
    public bool Replace(WebhookOptions options)
    {
        Settings former = _settings;
        bool isSame = former.Options.IsSameAs(options);
        if (isSame && Circuit != CircuitState.Off) return false;
        _settings = new Settings(options, _environment);
        lock (_lock.Alone())
        {
            _schedule = default;
            _nextTryAt = null;
        }

        Interrupt();
        former.Receiver.Dispose();
        return !isSame;
    }

    /// <summary>Sends what waits, until it is done, the receiver fails, or the time is over; then ends.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        _isDraining = true;
        Interrupt();
        try
        {
            await _task.WaitAsync(limit, _environment.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await _end.CancelAsync().ConfigureAwait(false);
            await _task.ConfigureAwait(false);
        }

        int left = _queue.Clear(WebhookDropCause.Age);
        if (left > 0) _environment.Log.LeftBehind(Options.Name, left);
    }

    /// <summary>Ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        _settings.Receiver.Dispose();
        _end.Dispose();
        _interrupt.Dispose();
    }

    /// <summary>How it is doing.</summary>
    public WebhookState State()
    {
        WebhookOptions options = Options;
        TimeSpan? oldest = _queue.OldestAge();
        DateTimeOffset now = _environment.Time.GetUtcNow();
        var dropped = Enum.GetValues<WebhookDropCause>().ToDictionary(cause => cause, _queue.Dropped);
        lock (_lock.Alone())
        {
            return new WebhookState(
                options.Name,
                options.ShownUrl,
                [.. options.Events.Select(WebhookEventTypes.NameOf)],
                _schedule.State,
                _schedule.Failures,
                _lastFailure,
                _lastFailureAt,
                _failingSince,
                _lastSuccessAt,
                _nextTryAt,
                _queue.Count,
                _queue.Bytes,
                now - oldest,
                Sent,
                Failed,
                dropped);
        }
    }

    private CircuitState Circuit
    {
        get
        {
            lock (_lock.Alone()) return _schedule.State;
        }
    }

    /// <summary>Ends whatever wait the task is in.</summary>
    private void Interrupt()
    {
        CancellationTokenSource former;
        lock (_lock.Alone()) (former, _interrupt) = (_interrupt, new CancellationTokenSource());
        former.Cancel();
        former.Dispose();
    }

    private CancellationToken InterruptToken()
    {
        lock (_lock.Alone()) return _interrupt.Token;
    }

    /// <summary>What is replaced as a whole.</summary>
    private sealed class Settings(WebhookOptions options, WebhookEnvironment environment)
    {
        private readonly uint _types = options.Events.Aggregate(0u, (types, type) => types | (1u << (int)type));

        public WebhookOptions Options => options;

        public WebhookReceiver Receiver { get; } = new(options, environment.Source, environment.Time);

        public bool Has(WebhookEventType type) => (_types & (1u << (int)type)) != 0;
    }
}
