using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Transport.Pipes;

// What the client's certificate is worth by now.
public sealed partial class PipeConnection
{
    /// <summary>What the certificate of its client is worth by now; null: it has shown none.</summary>
    public CertificateStanding? Certificate { get; init; }

    public override TimeSpan? IdentityValidFor => Certificate?.ValidFor;

    public override string? FindIdentityObjection() => Certificate?.FindObjection();
}
