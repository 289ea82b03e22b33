using EdgeBroker.Core.Hosting;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>
/// Listeners whose address this machine does not have yet: a cable, a DHCP server or a VPN that comes later than the broker. They are opened as soon as it has,
/// while the others serve. Event ids 9013-9015.
/// </summary>
internal sealed partial class AwaitedListeners : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Func<ListenerSettings, Task<IListener>> _open;
    private readonly Action _opened;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly SemaphoreSlim _turn = new(1);
    private volatile Awaited[] _awaited = [];
    private bool _isStopped;

    /// <param name="open">Binds a listener's address.</param>
    /// <param name="opened">Told when one has begun.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Event ids 9013-9015.</param>
    public AwaitedListeners(Func<ListenerSettings, Task<IListener>> open, Action opened, TimeProvider time, ILogger log)
    {
        _open = open;
        _opened = opened;
        _log = log;
        _timer = time.CreateTimer(_ => _ = TryAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Those that are waited for.</summary>
    public IEnumerable<ListenerSettings> Settings => _awaited.Select(one => one.Settings);

    /// <summary>Takes the turn: nobody else opens or changes listeners until <see cref="Leave"/>.</summary>
    public Task EnterAsync() => _turn.WaitAsync();

    /// <summary>Gives the turn back.</summary>
    public void Leave() => _turn.Release();

    /// <summary>Has these waited for in place of those before. Within a turn.</summary>
    public void Replace(IEnumerable<(ListenerSettings Settings, ListenProblem Problem)> awaited)
    {
        var next = new List<Awaited>();
        foreach ((ListenerSettings settings, ListenProblem problem) in awaited)
        {
            if (_awaited.All(one => !one.Settings.IsSameListener(settings))) LogAwaited(_log, settings.Name, problem.Text);
            next.Add(new Awaited(settings, problem));
        }

        _awaited = [.. next];
        _timer.Change(next.Count > 0 ? Interval : Timeout.InfiniteTimeSpan, Interval);
    }

    /// <summary>One for each: the broker does not serve where it was told to.</summary>
    public IEnumerable<HealthFinding> Findings() =>
        _awaited.Select(one => new HealthFinding("listener", HealthState.Failing, $"{one.Settings.Name} is not open yet: {one.Problem.Text}"));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EnterAsync().ConfigureAwait(false);
        _isStopped = true;
        Leave();
        await _timer.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Opens those whose address is there by now.</summary>
    private async Task TryAsync()
    {
        // A reload under way decides anew about all of them.
        if (!await _turn.WaitAsync(TimeSpan.Zero).ConfigureAwait(false)) return;
        try
        {
            if (_isStopped) return;
            Awaited[] before = _awaited;
            var left = new List<Awaited>();
            foreach (Awaited one in before)
            {
                if (await OpenAsync(one).ConfigureAwait(false) is { } still) left.Add(still);
            }

            _awaited = [.. left];
            if (left.Count == 0) _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (left.Count < before.Length) _opened();
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Null: it is open now.</summary>
    private async Task<Awaited?> OpenAsync(Awaited one)
    {
        // Opening reads certificates and may start a server: not each second.
        if (!SocketAddress.IsPresent(one.Settings.Address)) return one;
        ListenProblem? problem = await ListenProblem.OfAsync(
            async () => await (await _open(one.Settings).ConfigureAwait(false)).BeginAsync().ConfigureAwait(false), one.Settings.Address).ConfigureAwait(false);
        if (problem is null)
        {
            LogOpened(_log, one.Settings.Name);
            return null;
        }

        if (problem.Text != one.Problem.Text) LogStillAwaited(_log, one.Settings.Name, problem.Text);
        return one with { Problem = problem };
    }

    [LoggerMessage(9013, LogLevel.Error, "{Listener} is not open yet and is tried again each second; the others serve: {Cause}")]
    private static partial void LogAwaited(ILogger log, string listener, string cause);

    [LoggerMessage(9014, LogLevel.Error, "{Listener} still cannot be opened: {Cause}")]
    private static partial void LogStillAwaited(ILogger log, string listener, string cause);

    [LoggerMessage(9015, LogLevel.Information, "{Listener} is open now")]
    private static partial void LogOpened(ILogger log, string listener);

    private sealed record Awaited(ListenerSettings Settings, ListenProblem Problem);
}
