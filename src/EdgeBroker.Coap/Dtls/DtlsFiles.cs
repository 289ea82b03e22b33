using System.Security.Cryptography;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Coap.Dtls;

/// <summary>The files of a <c>coaps</c> listener, certificates and keys: followed while they change. Event ids 8014-8019.</summary>
internal sealed partial class DtlsFiles : IDisposable
{
    private readonly ListenerSettings _settings;
    private readonly ILogger _log;
    private readonly TlsFiles? _tls;
    private readonly FileWatch? _watch;
    private readonly Lock _lock = new();
    private PskFile? _psk;
    private string _pskHash = "";
    private string? _refused;
    private bool _isDisposed;

    private DtlsFiles(ListenerSettings settings, TimeProvider time, ILogger log)
    {
        _settings = settings;
        _log = log;
        if (settings.PskFile is { } file)
        {
            _psk = PskFile.Load(file);
            _pskHash = HashOf(file);
        }

        if (settings.Tls is { } tls) _tls = new TlsFiles(tls, settings.Name, time, log) { Replaced = () => Replaced?.Invoke(Current) };
        if (settings.PskFile is not { } followed) return;
        _watch = new FileWatch([Path.GetFullPath(followed)], time, Check, (folder, cause) => LogNotWatched(log, settings.Name, folder, cause));
    }

    /// <summary>Reads them.</summary>
    /// <param name="settings">The listener's.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Event ids of <see cref="TlsFiles"/>, and its own.</param>
    /// <exception cref="CertificateFileException">A file cannot be used.</exception>
    public static DtlsFiles Read(ListenerSettings settings, TimeProvider time, ILogger log) => new(settings, time, log);

    /// <summary>Called when files hold something else, and it is in use; holding no lock.</summary>
    public Action<DtlsMaterial>? Replaced { get; set; }

    /// <summary>What new handshakes get.</summary>
    public DtlsMaterial Current => new(Volatile.Read(ref _psk), _tls?.Current);

    /// <summary>Tells whether the files hold the same.</summary>
    public string ContentHash => Volatile.Read(ref _pskHash) + _tls?.Current.ContentHash;

    /// <summary>The certificates in use.</summary>
    public IEnumerable<CertificateValidity> CertificatesAt(DateTimeOffset now) =>
        _tls is null ? [] : CertificateValidity.Of(_tls, _settings.Name, now);

    /// <summary>Why what the file of keys holds now is not used; null: it is.</summary>
    public string? Refusal
    {
        get
        {
            lock (_lock.Alone()) return _refused;
        }
    }

    /// <summary>Takes the file of keys anew when it holds something else. One that is not good leaves the last good one in use.</summary>
    public void Check()
    {
        bool isOther = false;
        lock (_lock.Alone())
        {
            if (_isDisposed || _settings.PskFile is not { } file) return;
            try
            {
                string hash = HashOf(file);
                if (hash != _pskHash)
                {
                    Volatile.Write(ref _psk, PskFile.Load(file));
                    Volatile.Write(ref _pskHash, hash);
                    isOther = true;
                }

                _refused = null;
            }
            catch (CertificateFileException exception)
            {
                // Once for each state of the file.
                string refusal = $"{exception.File} {exception.Message}";
                if (_refused != refusal) LogKept(_log, _settings.Name, refusal);
                _refused = refusal;
            }
        }

        if (!isOther) return;
        LogReplaced(_log, _settings.Name, _psk!.Entries.Count);
        Replaced?.Invoke(Current);
    }

    /// <summary>Ends the watch.</summary>
    public void Dispose()
    {
        lock (_lock.Alone()) _isDisposed = true;
        _watch?.Dispose();
        _tls?.Dispose();
    }

    private static string HashOf(string file) => Convert.ToHexString(SHA256.HashData(PemFile.ReadBytes(file)));

    [LoggerMessage(8014, LogLevel.Information, "{Listener}: the file of keys has changed and is in use; it holds {Count} client(s)")]
    private static partial void LogReplaced(ILogger log, string listener, int count);

    [LoggerMessage(8015, LogLevel.Error, "{Listener}: the changed file of keys is not used, the old keys stay in use: {Cause}")]
    private static partial void LogKept(ILogger log, string listener, string cause);

    [LoggerMessage(8016, LogLevel.Information, "{Listener}: {Folder} gives no notice of changes ({Cause}); the file of keys is looked at every 30 s")]
    private static partial void LogNotWatched(ILogger log, string listener, string folder, string cause);
}
