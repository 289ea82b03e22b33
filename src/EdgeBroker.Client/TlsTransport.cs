using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Client;

/// <summary>TLS over another transport. The server's certificate must lead to a trusted root and name the host, unless the options say otherwise.</summary>
/// <param name="inner">What carries it.</param>
/// <param name="host">The name the certificate must have, which is also told to the server (SNI).</param>
/// <param name="read">Whom to trust and what to present; asked before each handshake, as where files may have changed.</param>
public sealed class TlsTransport(IClientTransport inner, string host, Func<TlsClientOptions> read) : IClientTransport
{
    /// <summary>TLS with the same options for each connection.</summary>
    /// <param name="inner">What carries it.</param>
    /// <param name="host">The name the certificate must have, which is also told to the server (SNI).</param>
    /// <param name="options">Whom to trust and what to present.</param>
    public TlsTransport(IClientTransport inner, string host, TlsClientOptions options)
        : this(inner, host, () => options)
    {
    }

    /// <inheritdoc/>
    public string Description { get; } = inner.Description.Replace("tcp://", "tls://", StringComparison.Ordinal);

    /// <inheritdoc/>
    /// <exception cref="MqttException">The handshake failed; the message says what to do.</exception>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        string? refusal = null;
        TlsClientOptions options = read();
        var stream = new SslStream(await inner.OpenAsync(cancellationToken).ConfigureAwait(false));
        try
        {
            var authentication = new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = options.Protocols,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                CertificateChainPolicy = Policy(options),
                ClientCertificateContext = options.ClientCertificate,
                ApplicationProtocols = options.ApplicationProtocol is { } name ? [new SslApplicationProtocol(name)] : null,
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    (refusal = Refuse(certificate as X509Certificate2, chain, errors, options)) is null,
            };
            await stream.AuthenticateAsClientAsync(authentication, cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            string text = $"The TLS handshake with {Description} failed: {refusal ?? Explain(exception)}.";
            throw new MqttException(text, null, exception) { Layer = FailureLayer.Tls };
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static X509ChainPolicy? Policy(TlsClientOptions options)
    {
        if (options.Authorities is not { } authorities) return null;
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ExtraStore.AddRange(authorities);
        return policy;
    }

    private string? Refuse(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, TlsClientOptions options)
    {
        if (certificate is null) return "the server presents no certificate";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            X509ChainStatusFlags status = chain?.ChainStatus.FirstOrDefault().Status ?? X509ChainStatusFlags.PartialChain;
            return $"the server's certificate ({certificate.Subject}) " + status switch
            {
                X509ChainStatusFlags.NotTimeValid => "is expired or not valid yet; check this machine's clock, or renew it",
                X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot =>
                    $"was issued by {certificate.Issuer}, which is not trusted here; give its CA file",
                _ => $"is not valid: {status}",
            };
        }

        if (!errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) || options.AnyName) return null;
        return $"the server's certificate ({certificate.Subject}) is not for the name {host}; connect by a name it has, or have it made with this one";
    }

    private static string Explain(Exception failure)
    {
        string message = failure.GetBaseException().Message;
        if (message.Contains("certificate required", StringComparison.OrdinalIgnoreCase)) return "the server wants a certificate of the client";
        if (message.Contains("wrong version number", StringComparison.OrdinalIgnoreCase)) return "what answers there does not speak TLS; check the port";
        if (message.Contains("protocol version", StringComparison.OrdinalIgnoreCase)
            || message.Contains("unsupported protocol", StringComparison.OrdinalIgnoreCase))
        {
            return "no TLS version in common";
        }

        return failure is IOException ? "the server closed the connection; its log should say why, or it does not speak TLS on this port" : message;
    }
}
