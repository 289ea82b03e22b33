using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeBroker.Transport.Tls;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using CertificateRequest = Org.BouncyCastle.Tls.CertificateRequest;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;

namespace EdgeBroker.Coap.Dtls;

/// <summary>What the server decides during one handshake: version, ciphers, keys, certificates, and who the client is.</summary>
/// <param name="crypto">The handshake's own.</param>
/// <param name="material">What the listener's files held when it began.</param>
/// <param name="connectionId">What the client's records will bear, where it can.</param>
/// <param name="limit">How long the handshake may take.</param>
/// <param name="now">The time by which certificates are valid.</param>
internal sealed class HandshakePeer(CapturingCrypto crypto, DtlsMaterial material, byte[] connectionId, TimeSpan limit, DateTimeOffset now)
    : AbstractTlsServer(crypto), TlsPskIdentityManager
{
    private static readonly ProtocolVersion[] Versions = [ProtocolVersion.DTLSv12];

    // Of a process: an identity that nobody has is answered as one whose key is another.
    private static readonly byte[] Secret = RandomNumberGenerator.GetBytes(32);

    private static readonly int[] PskSuites =
    [
        CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256, CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_PSK_WITH_AES_128_CCM, CipherSuite.TLS_PSK_WITH_AES_128_CCM_8,
    ];

    private static readonly int[] EcdsaSuites =
    [
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
    ];

    private static readonly int[] RsaSuites = [CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];

    private PskEntry? _entry;
    private PeerCertificate? _certificate;
    private string? _certificateUser;

    /// <summary>Who the client is, once the handshake has succeeded.</summary>
    public PeerIdentity Identity =>
        new(_entry?.UserName ?? _certificateUser, _entry is null ? null : _entry.ClientId ?? _entry.Identity) { Psk = _entry, Certificate = _certificate };

    /// <summary>Connection ids, once the handshake has succeeded: of the client's records and of ours; empty: none.</summary>
    public (byte[] OfClient, byte[] Ours) ConnectionIds { get; private set; } = ([], []);

    /// <summary>Whether it has succeeded.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Why it fails, where we know better than the library.</summary>
    public string? Refusal { get; private set; }

    /// <summary>What the client calls itself; null: it has not said.</summary>
    public string? ClaimedIdentity { get; private set; }

    /// <inheritdoc/>
    public override int GetHandshakeTimeoutMillis() => (int)limit.TotalMilliseconds;

    /// <inheritdoc/>
    public override TlsPskIdentityManager GetPskIdentityManager() => this;

    /// <inheritdoc/>
    public byte[]? GetHint() => null;

    /// <inheritdoc/>
    public byte[] GetPsk(byte[] identity)
    {
        string name = Encoding.UTF8.GetString(identity);
        ClaimedIdentity = name.Length > 64 ? name[..64] : name;
        _entry = material.Psk?.Find(name);
        if (_entry is not null) return [.. _entry.Key];
        Refusal = "nobody has the identity that the client gives";
        return HMACSHA256.HashData(Secret, identity)[..16];
    }

    /// <inheritdoc/>
    public override TlsCredentials? GetCredentials()
    {
        if (m_context.SecurityParameters.KeyExchangeAlgorithm is KeyExchangeAlgorithm.PSK or KeyExchangeAlgorithm.ECDHE_PSK) return null;
        SslStreamCertificateContext context = material.Tls!.Select(ServerName());
        X509Certificate2 own = context.TargetCertificate;
        TlsCertificate[] chain =
            [.. context.IntermediateCertificates.Prepend(own).Select(one => Crypto.CreateCertificate(one.RawData))];
        short kind = IsEcdsa(own) ? SignatureAlgorithm.ecdsa : SignatureAlgorithm.rsa;
        // The only hash of our suites; every client of DTLS 1.2 has it.
        var algorithm = new SignatureAndHashAlgorithm(HashAlgorithm.sha256, kind);
        if (m_context.SecurityParameters.ClientSigAlgs?.Contains(algorithm) == false) throw new TlsFatalAlert(AlertDescription.handshake_failure);
        return new DefaultTlsCredentialedSigner(
            new TlsCryptoParameters(m_context), new CertificateSigner(own), new Certificate(chain), algorithm);
    }

    /// <inheritdoc/>
    public override CertificateRequest? GetCertificateRequest()
    {
        if (material.Tls?.Options.ClientAuthentication is null or ClientAuthentication.None) return null;
        return new CertificateRequest(
            [ClientCertificateType.ecdsa_sign, ClientCertificateType.rsa_sign], TlsUtilities.GetDefaultSupportedSignatureAlgorithms(m_context), null);
    }

    /// <inheritdoc/>
    public override void NotifyClientCertificate(Certificate clientCertificate)
    {
        TlsMaterial tls = material.Tls!;
        if (clientCertificate.IsEmpty)
        {
            if (tls.Options.ClientAuthentication != ClientAuthentication.Require) return;
            Refusal = "the client presents no certificate, and listener.tls.client_auth is \"require\"";
            throw new TlsFatalAlert(AlertDescription.handshake_failure);
        }

        var shown = new X509Certificate2Collection();
        using var chain = new X509Chain { ChainPolicy = ClientCertificate.Policy(tls, now) };
        try
        {
            foreach (TlsCertificate one in clientCertificate.GetCertificateList()) shown.Add(X509CertificateLoader.LoadCertificate(one.GetEncoded()));
            for (int i = 1; i < shown.Count; i++) chain.ChainPolicy.ExtraStore.Add(shown[i]);
            chain.Build(shown[0]);
            Refusal = ClientCertificate.Refuse(tls, shown[0], chain, now);
            if (Refusal is null)
            {
                _certificateUser = ClientCertificate.Identity(tls.Options.Identity, shown[0]);
                _certificate = new PeerCertificate(shown[0], chain);
            }
        }
        catch (CryptographicException exception)
        {
            Refusal = "the client's certificate cannot be read: " + exception.Message;
        }
        finally
        {
            foreach (X509Certificate2 one in shown) one.Dispose();
        }

        if (Refusal is not null) throw new TlsFatalAlert(AlertDescription.bad_certificate);
    }

    /// <inheritdoc/>
    public override void NotifyHandshakeComplete()
    {
        base.NotifyHandshakeComplete();
        SecurityParameters agreed = m_context.SecurityParameters;
        // The library names them by whose records bear them.
        ConnectionIds = (agreed.ConnectionIDPeer ?? [], agreed.ConnectionIDLocal ?? []);
        IsComplete = true;
    }

    /// <summary>
    /// A client that says nothing of renegotiation (RFC 5746, 3.6), as small ones do not, is let in: the attack it guards against needs a server that
    /// renegotiates, and this one never does.
    /// </summary>
    public override void NotifySecureRenegotiation(bool secureRenegotiation)
    {
    }

    /// <inheritdoc/>
    protected override byte[] GetNewConnectionID() => connectionId;

    /// <inheritdoc/>
    protected override ProtocolVersion[] GetSupportedVersions() => Versions;

    /// <inheritdoc/>
    protected override int[] GetSupportedCipherSuites()
    {
        var suites = new List<int>();
        if (material.Psk is not null) suites.AddRange(PskSuites);
        if (material.Tls is not null) suites.AddRange(IsEcdsa(material.Tls.Select(null).TargetCertificate) ? EcdsaSuites : RsaSuites);
        return [.. suites];
    }

    private static bool IsEcdsa(X509Certificate2 certificate) => certificate.PublicKey.Oid.Value == "1.2.840.10045.2.1";

    private string? ServerName()
    {
        foreach (ServerName name in m_context.SecurityParameters.ClientServerNames ?? [])
        {
            if (name.NameType == NameType.host_name) return Encoding.ASCII.GetString(name.NameData);
        }

        return null;
    }

    /// <summary>Signs with the key of a certificate, by the system's own cryptography.</summary>
    private sealed class CertificateSigner(X509Certificate2 certificate) : TlsSigner
    {
        public byte[] GenerateRawSignature(SignatureAndHashAlgorithm algorithm, byte[] hash)
        {
            using ECDsa? ecdsa = certificate.GetECDsaPrivateKey();
            if (ecdsa is not null) return ecdsa.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
            using RSA? rsa = certificate.GetRSAPrivateKey();
            return rsa?.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) ?? throw new TlsFatalAlert(AlertDescription.internal_error);
        }

        public TlsStreamSigner? GetStreamSigner(SignatureAndHashAlgorithm algorithm) => null;
    }
}
