using System.Globalization;
using EdgeBroker.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// A listener's certificate files, followed while they change (<see cref="FileWatch"/>). A set that is not good leaves the last good one in use. Event ids
/// 1200-1299.
/// </summary>
public sealed partial class TlsFiles : IDisposable
{
    private static readonly TimeSpan WarnInterval = TimeSpan.FromDays(1);

    private readonly TlsOptions _options;
    private readonly string _listener;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FileWatch _watch;
    private readonly Lock _lock = new();
    private TlsMaterial _current;
    private string? _refusedHash;
    private string? _refusal;
    private long _warned;
    private bool _disposed;

    /// <param name="options">The files.</param>
    /// <param name="listener">The listener's name in logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Event ids 1200-1299.</param>
    /// <exception cref="CertificateFileException">A file cannot be used.</exception>
    public TlsFiles(TlsOptions options, string listener, TimeProvider time, ILogger logger)
    {
        _options = options;
        _listener = listener;
        _time = time;
        _logger = logger;
        _current = TlsMaterial.Load(options);
        // What is to be said of them, whoever read the configuration has said.
        _warned = time.GetTimestamp();
        _watch = new FileWatch(options.Files, time, Check, (directory, cause) => LogNotWatched(logger, listener, directory, cause));
    }

    /// <summary>The files.</summary>
    public TlsOptions Options => _options;

    /// <summary>What new connections get.</summary>
    public TlsMaterial Current => Volatile.Read(ref _current);

    /// <summary>Called when the files hold something else, and it is in use; holding no lock.</summary>
    public Action? Replaced { get; set; }

    /// <summary>Why what the files hold now is not used; null: it is.</summary>
    public string? Refusal => Volatile.Read(ref _refusal);

    /// <summary>Ends the watch.</summary>
    public void Dispose()
    {
        lock (_lock.Alone()) _disposed = true;
        _watch.Dispose();
    }

    /// <summary>Takes the files anew when they hold something else.</summary>
    public void Check()
    {
        TlsMaterial before = Current;
        CheckLocked();
        if (!ReferenceEquals(before, Current)) Replaced?.Invoke();
    }

    private void CheckLocked()
    {
        lock (_lock.Alone())
        {
            if (_disposed) return;
            string? hash = null;
            try
            {
                hash = TlsMaterial.HashOf(_options);
                if (hash == _current.ContentHash) Volatile.Write(ref _refusal, null);
                else if (hash != _refusedHash) Replace();
            }
            catch (CertificateFileException exception)
            {
                Refuse(exception, hash);
            }

            if (_time.GetElapsedTime(_warned) >= WarnInterval) Warn();
        }
    }

    private void Replace()
    {
        Volatile.Write(ref _current, TlsMaterial.Load(_options));
        _refusedHash = null;
        Volatile.Write(ref _refusal, null);
        foreach ((CertificateFiles files, var certificate) in _current.Certificates)
        {
            LogReplaced(
                _logger, _listener, CertificateFindings.Shown(certificate), certificate.NotAfter.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture),
                files.CertificateFile);
        }

        Warn();
    }

    private void Refuse(CertificateFileException exception, string? hash)
    {
        // Once for each state of the files; a file that cannot be read is the same state until it can.
        string state = hash ?? exception.File + exception.Message;
        if (_refusedHash == state) return;
        _refusedHash = state;
        Volatile.Write(ref _refusal, $"{exception.File} {exception.Message}");
        LogKept(_logger, _listener, exception.File, exception.Message);
    }

    private void Warn()
    {
        _warned = _time.GetTimestamp();
        foreach (string finding in CertificateFindings.Of(_current, _time.GetUtcNow())) LogFinding(_logger, _listener, finding);
    }

    [LoggerMessage(1200, LogLevel.Information, "{Listener}: new connections get the new certificate {Name}, valid until {NotAfter}, of {File}")]
    private static partial void LogReplaced(ILogger logger, string listener, string name, string notAfter, string file);

    [LoggerMessage(1201, LogLevel.Error, "{Listener}: the changed certificate files are not used, the old ones stay in use: {File} {Cause}")]
    private static partial void LogKept(ILogger logger, string listener, string file, string cause);

    [LoggerMessage(1202, LogLevel.Warning, "{Listener}: {Finding}")]
    private static partial void LogFinding(ILogger logger, string listener, string finding);

    [LoggerMessage(1203, LogLevel.Information, "{Listener}: {Directory} gives no notice of changes ({Cause}); certificate files are checked every 30 s")]
    private static partial void LogNotWatched(ILogger logger, string listener, string directory, string cause);
}
