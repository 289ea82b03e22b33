using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Bridge.Presets;
using EdgeBroker.Client;

namespace EdgeBroker.Bridge.Planning;

/// <summary>What carries a bridge's bytes: TCP, a proxy, TLS, WebSocket, one around the other.</summary>
internal static class BridgeTransports
{
    private const int HttpsPort = 443;

    /// <summary>One for each address.</summary>
    public static IReadOnlyList<IClientTransport> Create(
        List<BridgeAddress> addresses, BridgeSettings settings, BridgePreset preset, BridgeCredentials credentials) =>
        [.. addresses.Select(address => Create(address, settings, preset, credentials))];

    /// <summary>Reads where a proxy is; null: it is none.</summary>
    public static (ProxyProtocol Protocol, string Host, int Port)? ReadProxy(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri is not { AbsolutePath: "/" or "", Query: "", UserInfo: "" }) return null;
        return uri.Scheme switch
        {
            "http" => (ProxyProtocol.Http, uri.IdnHost, uri.Port),
            "socks5" => (ProxyProtocol.Socks5, uri.IdnHost, uri.Port < 0 ? 1080 : uri.Port),
            _ => null,
        };
    }

    private static IClientTransport Create(BridgeAddress address, BridgeSettings settings, BridgePreset preset, BridgeCredentials credentials)
    {
        if (address.Scheme == "unix") return new UnixSocketTransport(address.Host);
        IClientTransport transport = Reach(address, settings);
        if (address.IsSecure)
        {
            BridgeTls tls = settings.Tls ?? new BridgeTls();
            string? alpn = tls.ApplicationProtocol ?? (address is { Port: HttpsPort, IsWebSocket: false } ? AlpnOn443(tls, preset) : null);
            transport = new TlsTransport(transport, address.Host, () => Load(tls with { ApplicationProtocol = alpn }));
        }

        if (!address.IsWebSocket) return transport;
        return new WebSocketTransport(transport, address.Authority, address.Path, credentials.QueryFor(address));
    }

    private static string? AlpnOn443(BridgeTls tls, BridgePreset preset) =>
        tls.CertificateFile is null ? preset.ApplicationProtocolWithoutCertificate : preset.ApplicationProtocolOn443;

    private static IClientTransport Reach(BridgeAddress address, BridgeSettings settings)
    {
        IPAddress? from = settings.BindAddress is null ? null : IPAddress.Parse(settings.BindAddress);
        if (settings.Proxy is null || ReadProxy(settings.Proxy) is not { } proxy)
        {
            return new TcpTransport(address.Host, address.Port) { BindAddress = from };
        }

        Func<ClientCredentials>? credentials =
            settings.ProxyUser is { } user ? () => new ClientCredentials(user, settings.ProxyPassword?.Invoke()) : null;
        return new ProxyTransport(
            new TcpTransport(proxy.Host, proxy.Port) { BindAddress = from }, proxy.Protocol, address.Host, address.Port, credentials);
    }

    /// <summary>Reads the files, at each connection: whoever renews a certificate has it used without doing anything else.</summary>
    private static TlsClientOptions Load(BridgeTls tls)
    {
        try
        {
            X509Certificate2Collection? authorities = null;
            if (tls.AuthorityFile is not null)
            {
                authorities = [];
                authorities.ImportFromPemFile(tls.AuthorityFile);
            }

            return new TlsClientOptions
            {
                Authorities = authorities,
                ClientCertificate = tls.CertificateFile is null ? null : LoadOwn(tls.CertificateFile, tls.KeyFile),
                AnyName = tls.AnyName,
                Protocols = tls.Only13 ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocol = tls.ApplicationProtocol,
            };
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new MqttException($"A file of [bridge.tls] cannot be used: {e.Message}", null, e) { Layer = FailureLayer.Tls };
        }
    }

    private static SslStreamCertificateContext LoadOwn(string certificateFile, string? keyFile)
    {
        X509Certificate2 own = X509Certificate2.CreateFromPemFile(certificateFile, keyFile ?? certificateFile);
        X509Certificate2Collection chain = [];
        chain.ImportFromPemFile(certificateFile);
        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }
}
