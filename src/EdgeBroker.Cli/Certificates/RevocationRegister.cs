using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cli.Options;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cli.Certificates;

/// <summary>
/// The revocation list of a private authority: what it was, what is added, and the list signed anew. Entries are never taken out: a revoked certificate stays
/// revoked until it is over, and knowing when it is over would need the certificate.
/// </summary>
internal sealed class RevocationRegister
{
    // Gateways' clocks are not always right.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromHours(1);

    private readonly KeyPair _authority;
    private readonly CertificateRevocationListBuilder _builder;
    private readonly BigInteger _number;
    private readonly RevocationList? _before;
    private readonly HashSet<string> _added = new(StringComparer.Ordinal);

    private RevocationRegister(KeyPair authority, CertificateRevocationListBuilder builder, BigInteger number, RevocationList? before)
    {
        _authority = authority;
        _builder = builder;
        _number = number;
        _before = before;
    }

    /// <summary>Revoked certificates.</summary>
    public int Count => (_before?.Count ?? 0) + _added.Count;

    /// <summary>An authority's list as it is; an empty one where there is none yet.</summary>
    /// <param name="authority">Whose list it is; it must have signed it.</param>
    /// <param name="file">The list's file.</param>
    /// <exception cref="CommandException">There is a file that is not this authority's list.</exception>
    /// <exception cref="CertificateFileException">The file cannot be read, or is no list of this authority.</exception>
    public static RevocationRegister Open(KeyPair authority, string file)
    {
        if (!File.Exists(file)) return new RevocationRegister(authority, new CertificateRevocationListBuilder(), BigInteger.Zero, before: null);
        byte[] bytes = PemFile.ReadBytes(file);
        // Checks form and signature; the builder would take anybody's entries.
        List<RevocationList> lists = PemFile.ReadRevocations(file, bytes, [authority.Certificate]);
        if (lists.Count != 1) throw new CommandException($"{file} holds {lists.Count} lists; \"cert revoke\" keeps one list of one authority");
        try
        {
            var builder = CertificateRevocationListBuilder.LoadPem(System.Text.Encoding.ASCII.GetString(bytes), out BigInteger number);
            return new RevocationRegister(authority, builder, number, lists[0]);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CommandException($"{file} cannot be added to: {e.Message}");
        }
    }

    /// <summary>Revokes a certificate of the authority; false when it is revoked already.</summary>
    /// <exception cref="CommandException">Another authority issued it.</exception>
    public bool Add(string file, X509Certificate2 certificate, DateTimeOffset now)
    {
        if (!IsOurs(certificate))
        {
            throw new CommandException($"{file} was not issued by this authority ({_authority.Certificate.Subject}); only its issuer can revoke it");
        }

        return Add(certificate.SerialNumberBytes.Span, now);
    }

    /// <summary>Revokes by serial number, for certificates whose file is lost; false when it is revoked already.</summary>
    /// <param name="serial">Big-endian, as certificates hold it.</param>
    /// <param name="now">Since when it is not good any more.</param>
    public bool Add(ReadOnlySpan<byte> serial, DateTimeOffset now)
    {
        if (_before?.Revokes(serial) == true || !_added.Add(Convert.ToHexString(serial))) return false;
        _builder.AddEntry(serial, now);
        return true;
    }

    /// <summary>The list, signed, in PEM.</summary>
    /// <param name="now">When it begins.</param>
    /// <param name="until">When the next one is due; brokers refuse the authority's clients from then on.</param>
    public string Sign(DateTimeOffset now, DateTimeOffset until)
    {
        using X509Certificate2 signer = _authority.Certificate.HasPrivateKey ? new X509Certificate2(_authority.Certificate)
            : _authority.Certificate.CopyWithPrivateKey(_authority.Key);
        return PemEncoding.WriteString("X509 CRL", _builder.Build(signer, _number + 1, until, HashAlgorithmName.SHA256, thisUpdate: now - ClockSlack)) + "\n";
    }

    private bool IsOurs(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.CustomTrustStore.Add(_authority.Certificate);
        // Whoever issued it is all that matters: an expired one may be revoked too.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate) && chain.ChainElements.Count == 2;
    }
}
