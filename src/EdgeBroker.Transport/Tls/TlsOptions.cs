namespace EdgeBroker.Transport.Tls;

/// <summary>What is asked of a client about a certificate of its own.</summary>
public enum ClientAuthentication
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It may present one; one that is not good is refused.</summary>
    Request,

    /// <summary>It must present a good one.</summary>
    Require,
}

/// <summary>What of a client's certificate becomes its user name.</summary>
public enum CertificateIdentity
{
    /// <summary>The common name of the subject.</summary>
    CommonName,

    /// <summary>The first DNS name of the subject alternative names.</summary>
    DnsName,

    /// <summary>The first URI of the subject alternative names.</summary>
    Uri,

    /// <summary>SHA-256 of the certificate, 64 lower-case hexadecimal digits.</summary>
    Fingerprint,
}

/// <summary>A certificate with its chain, and its key.</summary>
/// <param name="CertificateFile">PEM: the certificate first, then what leads from it towards the root.</param>
/// <param name="KeyFile">PEM: its private key, unencrypted.</param>
public sealed record CertificateFiles(string CertificateFile, string KeyFile);

/// <summary>A <c>[listener.tls]</c> table; paths are absolute.</summary>
public sealed record TlsOptions
{
    /// <summary>At least one. A client that names a host gets the first certificate for that name, all others the first of all.</summary>
    public required IReadOnlyList<CertificateFiles> Certificates { get; init; }

    /// <summary>PEM: whose certificates of clients are good; null: none is asked for.</summary>
    public string? ClientCaFile { get; init; }

    /// <summary>What is asked of clients.</summary>
    public ClientAuthentication ClientAuthentication { get; init; }

    /// <summary>What becomes the user name.</summary>
    public CertificateIdentity Identity { get; init; }

    /// <summary>Whether TLS 1.2 is refused.</summary>
    public bool Tls13Only { get; init; }

    /// <summary>PEM or DER: certificates of clients that are good no more; null: no such list.</summary>
    public string? RevocationFile { get; init; }

    /// <summary>Time a handshake may take, from accept on.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Handshakes in progress at once; more are turned away and come again.</summary>
    public int MaxHandshakes { get; init; } = 256;

    /// <summary>Whether two tables say the same.</summary>
    public bool IsSameAs(TlsOptions other) => Certificates.SequenceEqual(other.Certificates) && this with { Certificates = other.Certificates } == other;

    /// <summary>Every file named here.</summary>
    public IEnumerable<string> Files
    {
        get
        {
            foreach (CertificateFiles files in Certificates)
            {
                yield return files.CertificateFile;
                yield return files.KeyFile;
            }

            if (ClientCaFile is not null) yield return ClientCaFile;
            if (RevocationFile is not null) yield return RevocationFile;
        }
    }
}
