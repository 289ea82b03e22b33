using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Configuration;

/// <summary>What a listener is told about the other end of its connections.</summary>
/// <param name="Proxies">Who may speak for clients; null: nobody does.</param>
/// <param name="SocketFile">Who may connect to a Unix socket.</param>
/// <param name="IdentifiesPeers">Whether a client is the user that runs it.</param>
internal readonly record struct PeerOptions(TrustedProxies? Proxies, SocketFileAccess SocketFile, bool IdentifiesPeers);
