using System.Collections.ObjectModel;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// Makes what clients are shown: a certificate, and those above it that its file holds. <see cref="SslStreamCertificateContext.Create(X509Certificate2,
/// X509Certificate2Collection, bool, SslCertificateTrust)"/> would look for these among all authorities of the system, which it reads for that: a hundred
/// milliseconds and a megabyte for what the file says.
/// </summary>
internal static class ServerCertificate
{
    /// <summary>The certificate with its chain.</summary>
    /// <param name="certificate">With its key.</param>
    /// <param name="others">What else its file holds, in any order.</param>
    /// <exception cref="NotSupportedException">Its key is of a kind that TLS does not know.</exception>
    public static SslStreamCertificateContext ContextOf(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        try
        {
            return New(certificate, new ReadOnlyCollection<X509Certificate2>(ChainOf(certificate, others)), null);
        }
        catch (MissingMethodException)
        {
            // Another runtime, which has made it differently. Offline: nothing is fetched from addresses that a certificate names.
            return SslStreamCertificateContext.Create(certificate, others, offline: true);
        }
    }

    /// <summary>Who issued it, who issued that one, and so on, up to the one that is issued by nobody else: that one clients must have themselves.</summary>
    internal static List<X509Certificate2> ChainOf(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        var chain = new List<X509Certificate2>();
        List<X509Certificate2> left = [.. others.Where(other => !IsRoot(other))];
        for (X509Certificate2 last = certificate; left.Find(other => Names(other.SubjectName, last.IssuerName)) is { } issuer; last = issuer)
        {
            chain.Add(issuer);
            left.Remove(issuer);
        }

        return chain;
    }

    private static bool IsRoot(X509Certificate2 certificate) => Names(certificate.SubjectName, certificate.IssuerName);

    private static bool Names(X500DistinguishedName one, X500DistinguishedName other) => one.RawData.AsSpan().SequenceEqual(other.RawData);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern SslStreamCertificateContext New(
        X509Certificate2 target, ReadOnlyCollection<X509Certificate2> intermediates, SslCertificateTrust? trust);
}
