using System.ComponentModel;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>One handshake of a server: which certificate the client is shown, and whether the client's own is good.</summary>
/// <param name="material">What the listener's files held when it began.</param>
/// <param name="time">The clock by which certificates are valid.</param>
public sealed class ServerHandshake(TlsMaterial material, TimeProvider time)
{
    /// <summary>The user name of the client's certificate; null: it has shown none.</summary>
    public string? Identity { get; private set; }

    /// <summary>That certificate; null: none was shown.</summary>
    public PeerCertificate? Peer { get; private set; }

    /// <summary>Why we ended it; null: we did not.</summary>
    public string? Refusal { get; private set; }

    private TlsOptions Options => material.Options;

    private bool AsksForCertificate => Options.ClientAuthentication != ClientAuthentication.None;

    /// <summary>Shakes hands.</summary>
    /// <exception cref="AuthenticationException">It failed, or we refused the client.</exception>
    /// <exception cref="IOException">The client went away.</exception>
    public Task RunAsync(SslStream stream, CancellationToken cancellation = default) => stream.AuthenticateAsServerAsync(OnHelloAsync, null, cancellation);

    /// <summary>Why it failed, in words a technician can act on; null: it is none of the ways in which handshakes fail, but a bug.</summary>
    public string? Explain(Exception failure) => IsExpected(failure) ? Refusal ?? HandshakeFailure.Explain(failure) : null;

    /// <summary>Whether an exception is one that TLS ends with because of the peer.</summary>
    public static bool IsExpected(Exception exception) =>
        exception is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException or NotSupportedException
            or CryptographicException or Win32Exception;

    private ValueTask<SslServerAuthenticationOptions> OnHelloAsync(SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken cancellation)
    {
        SslProtocols accepted = Options.Tls13Only ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;
        if (hello.SslProtocols != SslProtocols.None && (hello.SslProtocols & accepted) == 0)
        {
            Refusal = $"the client speaks an older TLS than {(Options.Tls13Only ? "1.3" : "1.2")} (listener.tls.min_version)";
        }

        return ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = material.Select(hello.ServerName),
            EnabledSslProtocols = accepted,
            ClientCertificateRequired = AsksForCertificate,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = AsksForCertificate ? ClientCertificate.Policy(material, time.GetUtcNow()) : null,
            RemoteCertificateValidationCallback = AsksForCertificate ? Check : null,
            AllowRenegotiation = false,
        });
    }

    private bool Check(object sender, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
    {
        if (presented is null)
        {
            if (Options.ClientAuthentication == ClientAuthentication.Require)
            {
                Refusal = "the client presents no certificate, and listener.tls.client_auth is \"require\"";
            }

            return Refusal is null;
        }

        var certificate = (X509Certificate2)presented;
        Refusal = ClientCertificate.Refuse(material, certificate, chain, time.GetUtcNow());
        if (Refusal is not null) return false;
        Identity = ClientCertificate.Identity(Options.Identity, certificate);
        Peer = new PeerCertificate(certificate, chain!);
        return true;
    }
}
