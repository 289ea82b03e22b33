using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// Whether handshakes come to their end with a certificate: some are well-formed and OpenSSL does not use them, for their key, curve or signature, and what it
/// takes depends on the machine. A listener that took one would let nobody in any more. The usual kinds are not tried.
/// </summary>
internal static class CertificateTrial
{
    private const int LeastRsaBits = 2048;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    // P-256, P-384 and P-521.
    private static readonly string[] UsualCurves = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

    // RSA and ECDSA with SHA-256, SHA-384 and SHA-512.
    private static readonly string[] UsualSignatures =
    [
        "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
    ];

    /// <summary>Why it cannot be used; null: it can.</summary>
    public static string? FindObjection(SslStreamCertificateContext context)
    {
        if (IsUsual(context.TargetCertificate) && context.IntermediateCertificates.All(IsUsual)) return null;
        // Nothing here comes back to the calling thread.
        return Task.Run(() => TryAsync(context)).GetAwaiter().GetResult() is { } cause
            ? $"is not used by this machine's OpenSSL ({cause}); make one of ECDSA P-256 or RSA 2048, signed with SHA-256"
            : null;
    }

    private static bool IsUsual(X509Certificate2 certificate)
    {
        if (!UsualSignatures.Contains(certificate.SignatureAlgorithm.Value)) return false;
        try
        {
            using RSA? rsa = certificate.GetRSAPublicKey();
            if (rsa is not null) return rsa.KeySize >= LeastRsaBits;
            using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
            return ecdsa is not null && UsualCurves.Contains(ecdsa.ExportParameters(includePrivateParameters: false).Curve.Oid.Value);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static async Task<string?> TryAsync(SslStreamCertificateContext context)
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        var server = new SslStream(new TransportStream(new Duplex(toServer.Reader, toClient.Writer)));
        var client = new SslStream(new TransportStream(new Duplex(toClient.Reader, toServer.Writer)));
        using var ending = new CancellationTokenSource(Timeout);
        Task connecting = client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "trial",
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null && shown.Equals(context.TargetCertificate),
            },
            ending.Token);
        try
        {
            await server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = context }, ending.Token)
                .ConfigureAwait(false);
            await connecting.ConfigureAwait(false);
            return null;
        }
        catch (Exception exception) when (ServerHandshake.IsExpected(exception))
        {
            return exception.GetBaseException().Message;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await connecting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await client.DisposeAsync().ConfigureAwait(false);
            await server.DisposeAsync().ConfigureAwait(false);
        }
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
