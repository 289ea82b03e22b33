namespace EdgeBroker.Transport.Tls;

// What the client's certificate is worth by now.
public sealed partial class TlsConnection
{
    private CertificateStanding? _peer;

    public override TimeSpan? IdentityValidFor => _peer?.ValidFor;

    public override string? FindIdentityObjection() => _peer?.FindObjection();
}
