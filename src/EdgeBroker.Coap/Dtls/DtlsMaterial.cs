using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Coap.Dtls;

/// <summary>What a listener's files say about who may shake hands; immutable.</summary>
/// <param name="Psk">Clients with keys; null: none.</param>
/// <param name="Tls">The server's certificates and whose clients' are good; null: none.</param>
internal sealed record DtlsMaterial(PskFile? Psk, TlsMaterial? Tls);
