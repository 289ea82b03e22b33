using System.Security.Cryptography;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Coap.Dtls;

/// <summary>The files of a <c>coaps</c> listener: certificates are followed while they change, keys are read anew by a reload, as passwords are.</summary>
internal sealed class DtlsFiles : IDisposable
{
    private readonly TlsFiles? _tls;
    private readonly PskFile? _psk;
    private readonly string _pskHash = "";

    private DtlsFiles(ListenerSettings settings, TimeProvider time, ILogger log)
    {
        if (settings.PskFile is { } file)
        {
            _psk = Transport.Tls.PskFile.Load(file);
            _pskHash = Convert.ToHexString(SHA256.HashData(PemFile.ReadBytes(file)));
        }

        if (settings.Tls is not { } tls) return;
        _tls = new TlsFiles(tls, settings.Name, time, log) { Replaced = () => Replaced?.Invoke(Current) };
    }

    /// <summary>Reads them.</summary>
    /// <param name="settings">The listener's.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Event ids of <see cref="TlsFiles"/>.</param>
    /// <exception cref="CertificateFileException">A file cannot be used.</exception>
    public static DtlsFiles Read(ListenerSettings settings, TimeProvider time, ILogger log) => new(settings, time, log);

    /// <summary>Called when certificate files hold something else, and it is in use.</summary>
    public Action<DtlsMaterial>? Replaced { get; set; }

    /// <summary>What new handshakes get.</summary>
    public DtlsMaterial Current => new(_psk, _tls?.Current);

    /// <summary>Tells whether the files hold the same.</summary>
    public string ContentHash => _pskHash + _tls?.Current.ContentHash;

    /// <summary>Ends the watch.</summary>
    public void Dispose() => _tls?.Dispose();
}
