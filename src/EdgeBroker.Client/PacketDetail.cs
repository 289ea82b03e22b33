using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>What a packet says, for people who look on: topic, QoS, packet identifier, reason.</summary>
internal static class PacketDetail
{
    /// <summary>The detail, behind a space; empty for a packet that has none or is malformed.</summary>
    public static string Of(in Frame frame, ProtocolVersion version) => frame.Type switch
    {
        PacketType.Publish when PublishPacket.TryParse(frame, version, out PublishPacket packet, out _) =>
            $" {Encoding.UTF8.GetString(packet.Topic)}, QoS {(int)packet.QoS}{Id(packet.PacketId)}{(packet.Retain ? ", retain" : "")}"
                + $"{(packet.Dup ? ", again" : "")}, payload {packet.Payload.Length} bytes",
        PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp
            when AckPacket.TryParse(frame, version, out AckPacket packet, out _) => $"{Id(packet.PacketId)}{Reason(packet.ReasonCode)}",
        PacketType.Connack when ConnackPacket.TryParse(frame, version, out ConnackPacket packet, out _) =>
            $"{Reason(packet.ReasonCode)}{(packet.SessionPresent ? ", session present" : "")}",
        PacketType.Suback or PacketType.Unsuback when SubackPacket.TryParse(frame, version, out SubackPacket packet, out _) =>
            Id(packet.PacketId) + Reasons(packet.ReasonCodes),
        PacketType.Disconnect when DisconnectPacket.TryParse(frame, version, out DisconnectPacket packet, out _) => Reason(packet.ReasonCode),
        PacketType.Subscribe when SubscribePacket.TryParse(frame, version, out SubscribePacket packet, out _) => Id(packet.PacketId) + Filters(packet),
        _ => "",
    };

    private static string Id(ushort packetId) => packetId == 0 ? "" : $", packet id {packetId}";

    private static string Reason(ReasonCode reason) => $", {reason} (0x{(byte)reason:X2})";

    private static string Reasons(ReadOnlySpan<ReasonCode> codes)
    {
        var text = new StringBuilder();
        foreach (ReasonCode code in codes) text.Append(Reason(code));
        return text.ToString();
    }

    private static string Filters(in SubscribePacket packet)
    {
        var text = new StringBuilder();
        foreach (SubscriptionRequest entry in packet)
        {
            text.Append(", ").Append(Encoding.UTF8.GetString(entry.Filter)).Append(" QoS ").Append((int)entry.Options.MaximumQoS);
        }

        return text.ToString();
    }
}
