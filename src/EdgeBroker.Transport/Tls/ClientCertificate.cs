using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// Decides about the certificate a client presents, and reads its user name from it. Only the listener's own files count: no store of the system, nothing
/// fetched.
/// </summary>
public static class ClientCertificate
{
    private const string ForClients = "1.3.6.1.5.5.7.3.2";
    private const int LongestIdentity = 1024;

    /// <summary>The rules of chain building for one handshake.</summary>
    public static X509ChainPolicy Policy(TlsMaterial material, DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = now.LocalDateTime,
        };
        policy.CustomTrustStore.AddRange(material.ClientAuthorities!);
        policy.ExtraStore.AddRange(material.ClientAuthorities!);
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ForClients));
        return policy;
    }

    /// <summary>What is wrong with a certificate; null: nothing.</summary>
    public static string? Refuse(TlsMaterial material, X509Certificate2 certificate, X509Chain? chain, DateTimeOffset now)
    {
        string shown = $"the client's certificate ({CertificateFindings.Shown(certificate)}) ";
        if (chain is null) return shown + "could not be checked";
        foreach (X509ChainStatus status in chain.ChainStatus)
        {
            if (status.Status != X509ChainStatusFlags.NoError) return shown + Explain(status.Status, status.StatusInformation);
        }

        if (material.Revocations is { } lists && Revoked(lists, chain, now) is { } why) return shown + why;
        return Identity(material.Options.Identity, certificate) is null
            ? shown + "has no " + Wanted(material.Options.Identity) + " to serve as user name (listener.tls.identity)"
            : null;
    }

    /// <summary>The user name a good certificate stands for; null: it has none.</summary>
    public static string? Identity(CertificateIdentity kind, X509Certificate2 certificate)
    {
        CertificateNames names = CertificateNames.Of(certificate);
        string? identity = kind switch
        {
            // Two would be ambiguous: which one is meant could be chosen by who asks for the certificate.
            CertificateIdentity.CommonName => names.CommonNames is [var name] ? name : null,
            CertificateIdentity.DnsName => names.DnsNames.FirstOrDefault(),
            CertificateIdentity.Uri => names.Uris.FirstOrDefault(),
            _ => certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant(),
        };
        return identity is { Length: > 0 and <= LongestIdentity } && !identity.Any(char.IsControl) ? identity : null;
    }

    // The client's own must be on the list of its issuer, so to speak: covered by one. Authorities on the way are looked up where there is a list.
    private static string? Revoked(IReadOnlyList<RevocationList> lists, X509Chain chain, DateTimeOffset now)
    {
        for (int i = 0; i < chain.ChainElements.Count - 1; i++)
        {
            X509Certificate2 certificate = chain.ChainElements[i].Certificate;
            bool covered = false;
            foreach (RevocationList list in lists)
            {
                if (!list.IsFor(certificate)) continue;
                if (list.Revokes(certificate)) return i == 0 ? "is revoked" : $"was issued by {CertificateFindings.Shown(certificate)}, which is revoked";
                covered |= list.NextUpdate is not { } next || next > now;
            }

            if (!covered && (i == 0 || lists.Any(list => list.IsFor(certificate))))
            {
                return "cannot be checked: listener.tls.crl holds no current list of its issuer";
            }
        }

        return null;
    }

    private static string Explain(X509ChainStatusFlags status, string information) => status switch
    {
        X509ChainStatusFlags.NotTimeValid => "is expired or not valid yet",
        X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot => "was not issued by an authority in listener.tls.client_ca",
        X509ChainStatusFlags.NotValidForUsage => "is not made for clients (extended key usage)",
        X509ChainStatusFlags.NotSignatureValid => "has a wrong signature",
        _ => $"is not valid: {status}, {information.Trim()}",
    };

    private static string Wanted(CertificateIdentity kind) => kind switch
    {
        CertificateIdentity.CommonName => "single common name",
        CertificateIdentity.DnsName => "DNS name",
        CertificateIdentity.Uri => "URI",
        _ => "fingerprint",
    };
}
