using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary>One frame of <c>edgebroker top</c>.</summary>
/// <param name="Node">The broker's name.</param>
/// <param name="Health">How it is.</param>
/// <param name="UptimeSeconds">How long it runs.</param>
/// <param name="Connected">Clients with a connection.</param>
/// <param name="InPerSecond">PUBLISH packets received a second; null: not known yet.</param>
/// <param name="OutPerSecond">PUBLISH packets sent a second.</param>
/// <param name="DroppedPerSecond">Messages dropped a second.</param>
/// <param name="StoredMessages">Messages that wait, and retained ones.</param>
/// <param name="MemoryBytes">Memory in use.</param>
/// <param name="StoreBytes">Bytes of the store; null: there is none.</param>
/// <param name="Clients">The first clients.</param>
public sealed record TopAnswer(
    string Node, string Health, long UptimeSeconds, long Connected, double? InPerSecond, double? OutPerSecond, double? DroppedPerSecond, long StoredMessages,
    long MemoryBytes, long? StoreBytes, IReadOnlyList<TopClient> Clients);

/// <summary>One client of a frame.</summary>
/// <param name="Session">Its session.</param>
/// <param name="InPerSecond">PUBLISH packets a second from it; null: not known yet.</param>
/// <param name="OutPerSecond">PUBLISH packets a second to it.</param>
public sealed record TopClient(SessionSummary Session, double? InPerSecond, double? OutPerSecond);
