using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>What works but should be known about certificates: soon or already over, weak, or open to be read.</summary>
public static class CertificateFindings
{
    private static readonly TimeSpan WarnAhead = TimeSpan.FromDays(30);

    /// <summary>Everything to be said about a listener's files; one sentence each, which names the file and the cure.</summary>
    public static IEnumerable<string> Of(TlsMaterial material, DateTimeOffset now)
    {
        foreach ((CertificateFiles files, X509Certificate2 certificate) in material.Certificates)
        {
            foreach (string finding in Of(files.CertificateFile, certificate, now)) yield return finding;
            if (CertificateNames.Of(certificate) is { DnsNames.Count: 0, Addresses.Count: 0 })
            {
                yield return $"{files.CertificateFile} names no host: clients that check names refuse it; "
                    + "make one with \"edgebroker cert server\" and the names clients use";
            }

            if (IsReadableByOthers(files.KeyFile)) yield return $"{files.KeyFile} is a private key that every user of this machine can read; chmod 600 it";
        }

        foreach (string finding in OfClients(material, now)) yield return finding;
    }

    /// <summary>What of it is about whom the listener lets in: the authorities of clients, and what they have revoked.</summary>
    public static IEnumerable<string> OfClients(TlsMaterial material, DateTimeOffset now)
    {
        foreach (X509Certificate2 authority in material.ClientAuthorities ?? [])
        {
            foreach (string finding in Of(material.Options.ClientCaFile!, authority, now)) yield return finding;
        }

        foreach (RevocationList list in material.Revocations ?? [])
        {
            if (list.NextUpdate is not { } next) continue;
            if (next <= now)
            {
                yield return $"{material.Options.RevocationFile} expired on {Date(next)}: clients of its authority are refused until it is renewed "
                    + "(\"edgebroker cert revoke\")";
            }
            else if (next - now < WarnAhead)
            {
                yield return $"{material.Options.RevocationFile} is valid until {Date(next)}; from then on clients of its authority are refused: "
                    + "renew it (\"edgebroker cert revoke\")";
            }
        }
    }

    /// <summary>How long a certificate is good and how strong it is.</summary>
    public static IEnumerable<string> Of(string file, X509Certificate2 certificate, DateTimeOffset now)
    {
        var from = new DateTimeOffset(certificate.NotBefore);
        var until = new DateTimeOffset(certificate.NotAfter);
        if (now < from) yield return $"{file} ({Shown(certificate)}) is not valid before {Date(from)}: clients refuse it; check this machine's clock";
        if (until <= now)
        {
            yield return $"{file} ({Shown(certificate)}) expired on {Date(until)}: clients refuse it; renew it now (\"edgebroker cert renew\")";
        }
        else if (until - now < WarnAhead)
        {
            yield return $"{file} ({Shown(certificate)}) expires in {(until - now).Days} days, on {Date(until)}; renew it (\"edgebroker cert renew\")";
        }

        if (WeakKey(certificate) is { } weak) yield return $"{file} ({Shown(certificate)}) has {weak}; make a new one, of ECDSA P-256 or RSA 2048 at least";
        if (certificate.SignatureAlgorithm.FriendlyName is { } algorithm
            && (algorithm.Contains("sha1", StringComparison.OrdinalIgnoreCase) || algorithm.Contains("md5", StringComparison.OrdinalIgnoreCase)))
        {
            yield return $"{file} ({Shown(certificate)}) is signed with {algorithm}, which can be forged; have it signed anew with SHA-256";
        }
    }

    /// <summary>A short name for a certificate, for logs.</summary>
    public static string Shown(X509Certificate2 certificate) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } name ? name : certificate.Subject;

    private static string? WeakKey(X509Certificate2 certificate)
    {
        try
        {
            using RSA? rsa = certificate.GetRSAPublicKey();
            if (rsa is not null) return rsa.KeySize < 2048 ? $"an RSA key of {rsa.KeySize} bits" : null;
            using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
            return ecdsa?.KeySize < 256 ? $"an elliptic curve key of {ecdsa.KeySize} bits" : null;
        }
        catch (CryptographicException exception)
        {
            return $"a key that cannot be used ({exception.Message})";
        }
    }

    private static bool IsReadableByOthers(string file)
    {
        try
        {
            return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Gone since it was read; the next look at the files says so.
            return false;
        }
    }

    private static string Date(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
