using EdgeBroker.Core.Events;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Mqtt.Tls;

/// <summary>The TLS of one listener: its files, its handshakes in progress, and one clear line for each that fails. Event ids 3100-3199.</summary>
public sealed partial class ListenerTls : ITlsPort, IDisposable
{
    private readonly LogBudget _failed;
    private readonly LogBudget _refused;
    private readonly string _listener;
    private readonly ILogger _logger;
    private readonly TlsCounters _counters;
    private volatile TlsFiles _files;

    /// <param name="options">The files, and what is asked of clients.</param>
    /// <param name="listener">The listener's name in logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Event ids 3100-3199, and those of <see cref="TlsFiles"/>.</param>
    /// <param name="counters">Of all listeners.</param>
    /// <exception cref="CertificateFileException">A certificate file cannot be used.</exception>
    public ListenerTls(TlsOptions options, string listener, TimeProvider time, ILogger logger, TlsCounters counters)
    {
        OpenSslMemory.ReleaseBuffers();
        _listener = listener;
        _logger = logger;
        _counters = counters;
        _failed = Budget("failed TLS handshakes");
        _refused = Budget("connections refused during TLS");
        Time = time;
        Slots = new HandshakeSlots(time);
        _files = Follow(new TlsFiles(options, listener, time, logger));
        FirstHandshake.Begin(_files.Current, time);

        LogBudget Budget(string what) =>
            new(time, each: 5, all: 100, (peer, held) => LogHeldBack(logger, listener, held, what, peer ?? "other addresses"));
    }

    /// <summary>Called when the files have changed under the listener's connections: those whose certificate is not good any more are to go.</summary>
    public Action? Replaced { get; set; }

    /// <inheritdoc/>
    public TlsMaterial Material => _files.Current;

    /// <inheritdoc/>
    public HandshakeSlots Slots { get; }

    /// <inheritdoc/>
    public TimeProvider Time { get; }

    /// <summary>The certificates in use.</summary>
    public IEnumerable<CertificateValidity> Certificates => CertificateValidity.Of(_files, _listener, Time.GetUtcNow());

    /// <summary>Reads other files; null: they are those in use.</summary>
    /// <exception cref="CertificateFileException">One cannot be used.</exception>
    public TlsFiles? Read(TlsOptions next) => _files.Options.IsSameAs(next) ? null : new TlsFiles(next, _listener, Time, _logger);

    /// <summary>Takes what <see cref="Read"/> has given, for handshakes that begin from here on.</summary>
    /// <returns>Whether new connections get something else than before.</returns>
    public bool Take(TlsFiles? files)
    {
        TlsFiles former = _files;
        string before = former.Current.ContentHash;
        if (files is null)
        {
            former.Check();
        }
        else
        {
            _files = Follow(files);
            former.Dispose();
        }

        return before != Material.ContentHash;
    }

    private TlsFiles Follow(TlsFiles files)
    {
        files.Replaced = () => Replaced?.Invoke();
        return files;
    }

    /// <inheritdoc/>
    public void OnSucceeded() => _counters.CountSucceeded();

    /// <inheritdoc/>
    public void OnFailed(string peer, string cause)
    {
        _counters.CountFailed();
        if (_failed.Admit(HostOf(peer))) LogFailed(_logger, _listener, peer, cause);
    }

    /// <inheritdoc/>
    public void OnRefused(string peer)
    {
        _counters.CountRefused();
        if (_refused.Admit(HostOf(peer))) LogRefused(_logger, _listener, peer, Material.Options.MaxHandshakes);
    }

    /// <summary>Ends the watch over the files.</summary>
    public void Dispose() => _files.Dispose();

    /// <summary>The address without the port, of which each connection has another.</summary>
    public static string HostOf(string peer) => peer.LastIndexOf(':') is > 0 and int colon ? peer[..colon] : peer;

    [LoggerMessage(3100, LogLevel.Warning, "{Listener}: TLS handshake with {Peer} failed: {Cause}")]
    private static partial void LogFailed(ILogger logger, string listener, string peer, string cause);

    [LoggerMessage(
        3101, LogLevel.Warning, "{Listener}: {Peer} refused: {Limit} TLS handshakes are in progress (listener.tls.max_handshakes)")]
    private static partial void LogRefused(ILogger logger, string listener, string peer, int limit);

    [LoggerMessage(3102, LogLevel.Warning, "{Listener}: {Count} more {What} of {Peer} within 10 s")]
    private static partial void LogHeldBack(ILogger logger, string listener, long count, string what, string peer);
}
