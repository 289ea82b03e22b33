using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Coap.Dtls;

/// <summary>Who a peer is, as its handshake has proved.</summary>
/// <param name="UserName">The user; null: its handshake proves nothing.</param>
/// <param name="ClientId">Its client id; null: what it says.</param>
internal sealed record PeerIdentity(string? UserName, string? ClientId)
{
    /// <summary>The line of the file of keys; null: no such.</summary>
    public PskEntry? Psk { get; init; }

    /// <summary>The certificate; null: none.</summary>
    public PeerCertificate? Certificate { get; init; }

    /// <summary>Names who has proved it, for counting; null: nobody.</summary>
    public string? Name => Psk is not null ? "psk:" + Psk.Identity : Certificate is not null ? "certificate:" + UserName : null;
}
