using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EdgeBroker.Transport.Tls;

/// <summary>Reads certificates, keys and revocation lists from files, and says plainly what is wrong with them.</summary>
public static class PemFile
{
    private const int LargestBytes = 1024 * 1024;

    /// <summary>The bytes of a file of reasonable size.</summary>
    /// <exception cref="CertificateFileException">Missing, unreadable or too large.</exception>
    public static byte[] ReadBytes(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            if (stream.Length > LargestBytes)
            {
                throw new CertificateFileException(file, $"has {stream.Length} bytes; a certificate file has {LargestBytes} at most");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CertificateFileException(file, "does not exist; correct the path, or make one with \"edgebroker cert\"", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new CertificateFileException(file, "may not be read by this user; give it the permission, for a key: owner edgebroker, mode 600", exception);
        }
        catch (IOException exception)
        {
            throw new CertificateFileException(file, "cannot be read: " + exception.Message, exception);
        }
    }

    /// <summary>The certificates of a PEM file, in order; at least one.</summary>
    /// <exception cref="CertificateFileException">There is none, or one is malformed.</exception>
    public static X509Certificate2Collection ReadCertificates(string file, byte[] bytes)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.UTF8.GetString(bytes));
        }
        catch (CryptographicException exception)
        {
            throw new CertificateFileException(file, "is malformed: " + exception.Message, exception);
        }

        if (certificates.Count == 0) throw new CertificateFileException(file, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)" + OtherForm(bytes));
        return certificates;
    }

    /// <summary>The authorities of a PEM file, each of which leads to a root of it.</summary>
    /// <exception cref="CertificateFileException">There is none, one is malformed, or an issuer is missing: nobody's certificate would be good.</exception>
    public static X509Certificate2Collection ReadAuthorities(string file, byte[] bytes)
    {
        X509Certificate2Collection authorities = ReadCertificates(file, bytes);
        foreach (X509Certificate2 one in authorities)
        {
            if (authorities.Any(issuer => issuer.SubjectName.RawData.AsSpan().SequenceEqual(one.IssuerName.RawData))) continue;
            throw new CertificateFileException(
                file,
                $"holds the authority \"{CertificateFindings.Shown(one)}\" without its issuer ({one.Issuer}), and so no certificate of it could be checked: "
                    + "add the issuers' certificates to the file, up to the root");
        }

        return authorities;
    }

    /// <summary>The first certificate of a PEM file with the private key of another.</summary>
    /// <exception cref="CertificateFileException">The key is missing, encrypted, malformed or another certificate's.</exception>
    public static X509Certificate2 ReadPair(CertificateFiles files, byte[] certificate, byte[] key)
    {
        string keyText = Encoding.UTF8.GetString(key);
        if (keyText.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            throw new CertificateFileException(
                files.KeyFile, "is encrypted, and nobody is there to type its password at start; decrypt it: openssl pkey -in KEY -out NEW, mode 600");
        }

        if (!keyText.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            throw new CertificateFileException(files.KeyFile, "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)" + OtherForm(key));
        }

        try
        {
            return X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(certificate), keyText);
        }
        catch (ArgumentException) when (FindOwner(files, certificate, keyText) is { } owner)
        {
            throw WrongOrder(files, owner);
        }
        catch (ArgumentException exception)
        {
            throw new CertificateFileException(
                files.KeyFile, $"is not the key of the certificate in {files.CertificateFile}; both must come from one request", exception);
        }
        catch (CryptographicException) when (FindOwner(files, certificate, keyText) is { } owner)
        {
            throw WrongOrder(files, owner);
        }
        catch (CryptographicException exception)
        {
            throw new CertificateFileException(
                files.KeyFile, $"is not the key of the certificate in {files.CertificateFile}, or malformed: {exception.Message}", exception);
        }
    }

    /// <summary>The revocation lists of a file, PEM or DER.</summary>
    /// <exception cref="CertificateFileException">There is none, or one cannot be used.</exception>
    public static List<RevocationList> ReadRevocations(string file, byte[] bytes, X509Certificate2Collection issuers)
    {
        var lists = new List<RevocationList>();
        try
        {
            string text = Encoding.Latin1.GetString(bytes);
            if (!text.Contains("-----BEGIN", StringComparison.Ordinal)) lists.Add(RevocationList.Read(bytes, issuers));
            ReadOnlySpan<char> rest = text;
            while (PemEncoding.TryFind(rest, out PemFields fields))
            {
                if (rest[fields.Label] is "X509 CRL") lists.Add(RevocationList.Read(Convert.FromBase64String(rest[fields.Base64Data].ToString()), issuers));
                rest = rest[fields.Location.End..];
            }
        }
        catch (CryptographicException exception)
        {
            throw new CertificateFileException(file, "is not used: the list " + exception.Message, exception);
        }

        if (lists.Count == 0) throw new CertificateFileException(file, "holds no revocation list in PEM (-----BEGIN X509 CRL-----)");
        return lists;
    }

    private static CertificateFileException WrongOrder(CertificateFiles files, string owner) => new(
        files.CertificateFile,
        $"has its certificates in the wrong order: {files.KeyFile} is the key of \"{owner}\", which must stand first, and its issuers behind it");

    /// <summary>Whose key it is, of the certificates behind the first; null: nobody's.</summary>
    private static string? FindOwner(CertificateFiles files, byte[] certificate, string keyText)
    {
        foreach (X509Certificate2 one in ReadCertificates(files.CertificateFile, certificate).Skip(1))
        {
            try
            {
                using var pair = X509Certificate2.CreateFromPem(one.ExportCertificatePem(), keyText);
                return CertificateFindings.Shown(pair);
            }
            catch (Exception exception) when (exception is ArgumentException or CryptographicException)
            {
                // Another one's, or of another algorithm.
            }
        }

        return null;
    }

    private static string OtherForm(byte[] bytes) => bytes switch
    {
        [] => "; it is empty",
        [0x30, ..] => "; it is binary (DER or PKCS#12): convert it with openssl x509 -inform der, or openssl pkcs12 -nodes",
        _ => "",
    };
}
