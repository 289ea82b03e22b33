using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>One packet that went over the wire, for somebody looking on.</summary>
/// <param name="Sent">Sent or received.</param>
/// <param name="Type">The packet type.</param>
/// <param name="LengthBytes">Bytes of the whole packet.</param>
/// <param name="Detail">Topic, QoS, packet identifier and reason, as far as the type has them, behind a space; else empty.</param>
public readonly record struct PacketTrace(bool Sent, PacketType Type, int LengthBytes, string Detail = "");
