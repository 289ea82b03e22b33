using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// What is kept of the certificate a client was let in with, to judge it by what is known later: lists of what is revoked are replaced, authorities change, and
/// certificates end, while a stolen device stays connected.
/// </summary>
public sealed class PeerCertificate
{
    private readonly string _name;
    private readonly string _authority;
    private readonly (byte[] Issuer, byte[] Serial)[] _chain;

    /// <param name="certificate">The certificate.</param>
    /// <param name="chain">With which it was found good: itself first, its authority last.</param>
    public PeerCertificate(X509Certificate2 certificate, X509Chain chain)
    {
        _name = CertificateFindings.Shown(certificate);
        NotAfter = new DateTimeOffset(certificate.NotAfter);
        X509ChainElementCollection elements = chain.ChainElements;
        _authority = elements[^1].Certificate.Thumbprint;
        _chain = [.. elements.Take(elements.Count - 1).Select(one => (one.Certificate.IssuerName.RawData, one.Certificate.SerialNumberBytes.ToArray()))];
    }

    /// <summary>Its end.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>What speaks against it by what the listener's files hold now; null: nothing. A list that is out of date says nothing about who is in.</summary>
    public string? FindObjection(TlsMaterial material, DateTimeOffset now)
    {
        string shown = $"the client's certificate ({_name}) ";
        if (NotAfter <= now) return shown + "has expired";
        if (material.ClientAuthorities is not { } authorities) return null;
        if (!authorities.Any(authority => authority.Thumbprint == _authority)) return shown + "was not issued by an authority in listener.tls.client_ca";
        foreach (RevocationList list in material.Revocations ?? [])
        {
            foreach ((byte[] issuer, byte[] serial) in _chain)
            {
                if (list.IsFor(issuer) && list.Revokes(serial)) return shown + "is revoked";
            }
        }

        return null;
    }
}
