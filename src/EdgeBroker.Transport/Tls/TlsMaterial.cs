using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// What a listener's files held when they were last read and found good; immutable. A connection keeps what it began with, a new one takes the newest.
/// </summary>
public sealed class TlsMaterial
{
    private readonly List<Entry> _certificates = [];

    private TlsMaterial(TlsOptions options, string contentHash)
    {
        Options = options;
        ContentHash = contentHash;
    }

    /// <summary>The table it was read for.</summary>
    public TlsOptions Options { get; }

    /// <summary>Tells whether the files still hold the same.</summary>
    public string ContentHash { get; }

    /// <summary>Whose certificates of clients are good; null: none is asked for.</summary>
    public X509Certificate2Collection? ClientAuthorities { get; private set; }

    /// <summary>Lists of what is good no more; null: no such file.</summary>
    public IReadOnlyList<RevocationList>? Revocations { get; private set; }

    /// <summary>The server's certificates and the files they are from.</summary>
    public IEnumerable<(CertificateFiles Files, X509Certificate2 Certificate)> Certificates =>
        _certificates.Select(entry => (entry.Files, entry.Context.TargetCertificate));

    /// <summary>Reads and checks all files together.</summary>
    /// <exception cref="CertificateFileException">One of them cannot be used.</exception>
    public static TlsMaterial Load(TlsOptions options)
    {
        Dictionary<string, byte[]> contents = ReadAll(options);
        var material = new TlsMaterial(options, Hash(contents));
        foreach (CertificateFiles files in options.Certificates)
        {
            X509Certificate2Collection chain = PemFile.ReadCertificates(files.CertificateFile, contents[files.CertificateFile]);
            X509Certificate2 certificate = PemFile.ReadPair(files, contents[files.CertificateFile], contents[files.KeyFile]);
            chain.RemoveAt(0);
            SslStreamCertificateContext context = ServerCertificate.ContextOf(certificate, chain);
            if (CertificateTrial.FindObjection(context) is { } objection) throw new CertificateFileException(files.CertificateFile, objection);
            material._certificates.Add(new Entry(files, context, CertificateNames.Of(certificate)));
        }

        if (options.ClientCaFile is { } authorities) material.ClientAuthorities = PemFile.ReadAuthorities(authorities, contents[authorities]);
        if (options.RevocationFile is { } list) material.Revocations = PemFile.ReadRevocations(list, contents[list], material.ClientAuthorities ?? []);
        return material;
    }

    /// <summary>A hash over what the files hold now.</summary>
    /// <exception cref="CertificateFileException">One of them cannot be read.</exception>
    public static string HashOf(TlsOptions options) => Hash(ReadAll(options));

    /// <summary>The certificate for a host a client names (SNI), or the first.</summary>
    public SslStreamCertificateContext Select(string? host)
    {
        if (_certificates.Count > 1 && !string.IsNullOrEmpty(host))
        {
            foreach (Entry entry in _certificates)
            {
                if (entry.Names.Match(host)) return entry.Context;
            }
        }

        return _certificates[0].Context;
    }

    private static Dictionary<string, byte[]> ReadAll(TlsOptions options)
    {
        var contents = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string file in options.Files)
        {
            if (!contents.ContainsKey(file)) contents.Add(file, PemFile.ReadBytes(file));
        }

        return contents;
    }

    private static string Hash(Dictionary<string, byte[]> contents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] content in contents.Values)
        {
            hash.AppendData(BitConverter.GetBytes(content.Length));
            hash.AppendData(content);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private sealed record Entry(CertificateFiles Files, SslStreamCertificateContext Context, CertificateNames Names);
}
