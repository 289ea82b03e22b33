using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>A client of DTLS that has a certificate, or none, and looks at nothing of the server's but that it has one.</summary>
/// <param name="own">Its certificate with the key; null: none.</param>
internal sealed class CertificateClient(X509Certificate2? own) : DefaultTlsClient(new BcTlsCrypto())
{
    /// <summary>The server's certificate.</summary>
    public byte[] Server { get; private set; } = [];

    public override TlsAuthentication GetAuthentication() => new Authentication(this);

    public override int GetHandshakeTimeoutMillis() => 30_000;

    protected override ProtocolVersion[] GetSupportedVersions() => [ProtocolVersion.DTLSv12];

    protected override int[] GetSupportedCipherSuites() =>
        [CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];

    private sealed class Authentication(CertificateClient client) : TlsAuthentication
    {
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate) =>
            client.Server = serverCertificate.Certificate.GetCertificateAt(0).GetEncoded();

        public TlsCredentials? GetClientCredentials(Org.BouncyCastle.Tls.CertificateRequest request) => client.Credentials();
    }

    private DefaultTlsCredentialedSigner? Credentials()
    {
        if (own is null) return null;
        var crypto = (BcTlsCrypto)Crypto;
        using ECDsa key = own.GetECDsaPrivateKey()!;
        var chain = new Certificate([crypto.CreateCertificate(own.RawData)]);
        var secret = (ECPrivateKeyParameters)PrivateKeyFactory.CreateKey(key.ExportPkcs8PrivateKey());
        var algorithm = new SignatureAndHashAlgorithm(Org.BouncyCastle.Tls.HashAlgorithm.sha256, SignatureAlgorithm.ecdsa);
        return new DefaultTlsCredentialedSigner(new TlsCryptoParameters(m_context), new BcTlsECDsaSigner(crypto, secret), chain, algorithm);
    }
}
