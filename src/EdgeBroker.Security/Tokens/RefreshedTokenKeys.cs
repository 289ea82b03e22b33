using Microsoft.Extensions.Logging;

namespace EdgeBroker.Security.Tokens;

/// <summary>
/// Keys from a place that may change them: read again at intervals, sooner after a failure, and when a token names a key that is not there, but not more often
/// than every ten seconds, since anyone can make up names. While newer ones cannot be had the last good ones stay in force.
/// </summary>
public sealed partial class RefreshedTokenKeys : ITokenKeys, IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeastInterval = TimeSpan.FromSeconds(10);

    private readonly string _place;
    private readonly Func<CancellationToken, Task<byte[]>> _read;
    private readonly bool _allowSecrets;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private volatile TokenKeySet? _current;
    private long _lastAsked;
    private bool _isReading;
    private int _failures;

    /// <param name="place">File or URL, for logs.</param>
    /// <param name="read">Reads the key set; throws when it cannot.</param>
    /// <param name="allowSecrets">See <see cref="TokenKeySet.Parse"/>.</param>
    /// <param name="initial">Those to begin with; null: the first are read at once.</param>
    /// <param name="interval">Time between two readings.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Event ids 6000-6099.</param>
    public RefreshedTokenKeys(
        string place, Func<CancellationToken, Task<byte[]>> read, bool allowSecrets, TokenKeySet? initial, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        _place = place;
        _read = read;
        _allowSecrets = allowSecrets;
        _current = initial;
        _interval = interval;
        _time = time;
        _logger = logger;
        _lastAsked = time.GetTimestamp();
        // Set in motion once it is there for what it sets in motion.
        _timer = time.CreateTimer(_ => Begin(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(initial is null ? TimeSpan.Zero : interval, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public TokenKeySet? Current => _current;

    /// <inheritdoc/>
    public void AskForNewer()
    {
        lock (_lock)
        {
            if (_isReading || _time.GetElapsedTime(_lastAsked) < LeastInterval) return;
        }

        Begin();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _stop.Cancel();
        _stop.Dispose();
    }

    private void Begin()
    {
        lock (_lock)
        {
            if (_isReading || _stop.IsCancellationRequested) return;
            _isReading = true;
            _lastAsked = _time.GetTimestamp();
        }

        _ = ReadAsync(_stop.Token);
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        bool succeeded = false;
        try
        {
            byte[] json = await _read(cancellation).ConfigureAwait(false);
            succeeded = Take(json);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception)
        {
            LogUnreadable(_logger, _place, exception.Message, ++_failures);
        }

        lock (_lock) _isReading = false;
        if (!cancellation.IsCancellationRequested) _timer.Change(succeeded || _interval < RetryInterval ? _interval : RetryInterval, Timeout.InfiniteTimeSpan);
    }

    private bool Take(byte[] json)
    {
        if (TokenKeySet.Parse(json, _allowSecrets, out string problem) is not { } keys)
        {
            LogUnreadable(_logger, _place, problem, ++_failures);
            return false;
        }

        _failures = 0;
        if (keys.Fingerprint == _current?.Fingerprint) return true;
        _current = keys;
        LogTaken(_logger, keys.Keys.Count, _place);
        return true;
    }

    [LoggerMessage(6010, LogLevel.Information, "{Count} token key(s) read from {Place}")]
    private static partial void LogTaken(ILogger logger, int count, string place);

    [LoggerMessage(6011, LogLevel.Warning, "token keys cannot be read from {Place}: {Cause}; the last good ones stay in force (failure {Failures} in a row)")]
    private static partial void LogUnreadable(ILogger logger, string place, string cause, int failures);
}
