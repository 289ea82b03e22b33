using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Client;
using EdgeBroker.Http.Tls;

namespace EdgeBroker.PubSub;

/// <summary>The options of <c>pub</c> and <c>sub</c> about TLS.</summary>
internal sealed class TlsArguments
{
    private string? _authorities;
    private string? _authorityFolder;
    private string? _certificate;
    private string? _key;
    private string? _applicationProtocol;
    private bool _systemAuthorities;
    private bool _anyName;
    private SslProtocols? _protocols;

    /// <summary>Whether TLS is asked for.</summary>
    public bool Any => IsAsked || _authorities is not null || _authorityFolder is not null || _systemAuthorities;

    /// <summary>Set by a URL that says so.</summary>
    public bool IsAsked { get; set; }

    /// <summary>Takes an option; false when it is none of these.</summary>
    public bool TryTake(string option, OptionReader reader)
    {
        switch (option)
        {
            case "--cafile": _authorities = reader.Value(); return true;
            case "--capath": _authorityFolder = reader.Value(); return true;
            case "--cert": _certificate = reader.Value(); return true;
            case "--key": _key = reader.Value(); return true;
            case "--insecure": _anyName = true; return true;
            case "--tls-use-os-certs": _systemAuthorities = true; return true;
            case "--tls-alpn": _applicationProtocol = reader.Value(); return true;
            case "--tls-version": TakeVersion(reader.Value()); return true;
            default: return false;
        }
    }

    /// <summary>A transport with TLS around it, where TLS is asked for.</summary>
    public IClientTransport Around(IClientTransport transport, string host)
    {
        if (!Any)
        {
            if (_certificate is not null || _key is not null || _anyName || _protocols is not null || _applicationProtocol is not null)
            {
                throw new UsageException("TLS begins with --cafile FILE, --capath FOLDER, --tls-use-os-certs, -L mqtts:// or -L wss://; the other TLS options go with it.");
            }

            return transport;
        }

        return new TlsTransport(transport, host, Options());
    }

    private TlsClientOptions Options()
    {
        if (_certificate is null != _key is null) throw new UsageException("--cert and --key belong together.");
        try
        {
            SslStreamCertificateContext? own = null;
            if (_certificate is not null)
            {
                byte[] certificate = PemFile.ReadBytes(_certificate);
                X509Certificate2Collection chain = PemFile.ReadCertificates(_certificate, certificate);
                chain.RemoveAt(0);
                own = SslStreamCertificateContext.Create(PemFile.ReadPair(new CertificateFiles(_certificate, _key!), certificate, PemFile.ReadBytes(_key!)), chain, offline: true);
            }

            return new TlsClientOptions
            {
                Authorities = ReadAuthorities(),
                ClientCertificate = own,
                AnyName = _anyName,
                Protocols = _protocols ?? SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocol = _applicationProtocol,
            };
        }
        catch (CertificateFileException e)
        {
            throw new UsageException($"{e.File} {e.Message}.");
        }
    }

    /// <summary>The authorities to trust; null: those of the system.</summary>
    private X509Certificate2Collection? ReadAuthorities()
    {
        if (_authorities is null && _authorityFolder is null) return null;
        var trusted = new X509Certificate2Collection();
        if (_authorities is not null) trusted.AddRange(PemFile.ReadCertificates(_authorities, PemFile.ReadBytes(_authorities)));
        if (_authorityFolder is null) return trusted;
        string[] files;
        try
        {
            files = [.. Directory.GetFiles(_authorityFolder).Where(IsAuthority).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--capath {_authorityFolder}: {e.Message}");
        }

        if (files.Length == 0) throw new UsageException($"--capath {_authorityFolder}: there is no .pem, .crt or .cer file in it.");
        foreach (string file in files) trusted.AddRange(PemFile.ReadCertificates(file, PemFile.ReadBytes(file)));
        return trusted;
    }

    // By their ends, or as OpenSSL's rehash names them: eight digits of a hash, and a number.
    private static bool IsAuthority(string file) =>
        Path.GetExtension(file) is ".pem" or ".crt" or ".cer" || (Path.GetFileName(file) is [_, _, _, _, _, _, _, _, '.', >= '0' and <= '9'] name && name[..8].All(char.IsAsciiHexDigitLower));

    private void TakeVersion(string version) => _protocols = version switch
    {
        "tlsv1.2" => SslProtocols.Tls12,
        "tlsv1.3" => SslProtocols.Tls13,
        _ => throw new UsageException($"--tls-version {version}: give tlsv1.2 or tlsv1.3."),
    };
}
