namespace EdgeBroker.Transport.Tls;

// What the client's certificate is worth by now.
public sealed partial class TlsConnection
{
    private PeerCertificate? _peer;

    public override TimeSpan? IdentityValidFor => _peer is null ? null : _peer.NotAfter - Port.Time.GetUtcNow();

    public override string? FindIdentityObjection() => _peer?.FindObjection(Port.Material, Port.Time.GetUtcNow());
}
