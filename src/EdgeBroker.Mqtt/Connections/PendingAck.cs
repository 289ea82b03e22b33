using EdgeBroker.Core.Journaling;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>An acknowledgement that waits for its completion, or behind one that does.</summary>
/// <param name="Completion">What it waits for.</param>
/// <param name="Type">PUBACK, PUBREC, PUBCOMP, SUBACK or UNSUBACK.</param>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Reasons">The reason code, or one for each filter.</param>
internal readonly record struct PendingAck(Completion? Completion, PacketType Type, ushort PacketId, ReasonCode[] Reasons);
