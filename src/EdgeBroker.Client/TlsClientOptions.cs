using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Client;

/// <summary>How a client uses TLS.</summary>
public sealed record TlsClientOptions
{
    /// <summary>Roots to trust, and nothing else; null: those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>The client's own certificate with its key and chain; null: none.</summary>
    public SslStreamCertificateContext? ClientCertificate { get; init; }

    /// <summary>Whether a certificate for another name is accepted; one of an unknown issuer never is.</summary>
    public bool AnyName { get; init; }

    /// <summary>The TLS versions to offer.</summary>
    public SslProtocols Protocols { get; init; } = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>The application protocol to name (ALPN), as some clouds ask for; null: none.</summary>
    public string? ApplicationProtocol { get; init; }
}
