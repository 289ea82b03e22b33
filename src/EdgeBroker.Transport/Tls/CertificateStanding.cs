namespace EdgeBroker.Transport.Tls;

/// <summary>What the certificate that a client was let in with is worth by now, whatever carries its connection. Any thread.</summary>
/// <param name="certificate">What is kept of it.</param>
/// <param name="port">The listener, whose files may be others by now.</param>
public sealed class CertificateStanding(PeerCertificate certificate, ITlsPort port)
{
    /// <summary>How long it is valid from now on.</summary>
    public TimeSpan ValidFor => certificate.NotAfter - port.Time.GetUtcNow();

    /// <summary>What speaks against it; null: nothing.</summary>
    public string? FindObjection() => certificate.FindObjection(port.Material, port.Time.GetUtcNow());
}
