using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>A server's reason in words: its code, what to do about it, and what the server says itself.</summary>
internal static class ReasonText
{
    public static string Explain(ReasonCode reason, PropertyBlock properties)
    {
        string text = $"{reason} (0x{(byte)reason:X2}). {ReasonAdvice.For(reason)}";
        if (properties.Has(PropertyId.ReasonString)) text += $" The server says: \"{Encoding.UTF8.GetString(properties.GetValue(PropertyId.ReasonString))}\".";
        if (properties.Has(PropertyId.ServerReference))
        {
            text += $" It names this server instead: {Encoding.UTF8.GetString(properties.GetValue(PropertyId.ServerReference))}.";
        }

        return text;
    }

    /// <summary>What a server's DISCONNECT says.</summary>
    public static MqttException Disconnected(in Frame frame, ProtocolVersion version, IClientTransport server)
    {
        if (!DisconnectPacket.TryParse(frame, version, out DisconnectPacket packet, out ParseError error)) return MqttException.Violation(error);
        return new MqttException($"{server.Description} closed the connection: {Explain(packet.ReasonCode, packet.Properties)}", packet.ReasonCode);
    }
}
