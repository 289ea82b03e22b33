using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// What the reading side answers. Another thread may have said goodbye meanwhile, and nothing follows DISCONNECT [MQTT-3.14.4-1].
internal sealed partial class MqttLink
{
    /// <summary>Answers PINGREQ.</summary>
    public void SendPingresp()
    {
        lock (Output.SyncRoot.Alone())
        {
            if (transport.IsClosing) return;
            PingPacket.WriteResponse(Output);
            Sent(PacketType.Pingresp, 2);
        }
    }

    /// <summary>Sends PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
    /// <param name="packet">The packet, without properties.</param>
    /// <param name="explanation">Why it reports a failure, in words for the client; null: as the reason code says.</param>
    public void SendAck(in AckPacket packet, string? explanation = null)
    {
        if (packet.ReasonCode.IsError() && WantsReasons) SendExplained(packet, explanation);
        else WriteAck(packet);
    }

    /// <summary>Sends SUBACK or UNSUBACK.</summary>
    public void SendSuback(PacketType type, ushort packetId, ReadOnlySpan<ReasonCode> outcomes)
    {
        var packet = new SubackPacket { Type = type, PacketId = packetId, ReasonCodes = outcomes };
        int length = packet.Length(Version);
        lock (Output.SyncRoot.Alone())
        {
            if (transport.IsClosing) return;
            packet.Write(Output, Version);
            Sent(type, length);
        }
    }

    /// <summary>Sends AUTH; false when the client does not take packets of its length [MQTT-3.1.2-24].</summary>
    /// <param name="reason">Whether it asks, or says that all is well.</param>
    /// <param name="method">The method.</param>
    /// <param name="data">Its data; null: none.</param>
    public bool TrySendAuth(ReasonCode reason, EnhancedAuthentication method, byte[]? data)
    {
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Auth, stackalloc byte[256]);
        method.AddTo(ref properties, data);
        var packet = new DisconnectPacket { Type = PacketType.Auth, ReasonCode = reason, Properties = properties.Block };
        int length = packet.Length(Version);
        bool fits = (uint)length <= MaxPacketBytes;
        lock (Output.SyncRoot.Alone())
        {
            if (fits && !transport.IsClosing)
            {
                packet.Write(Output, Version);
                Sent(PacketType.Auth, length);
            }
        }

        properties.Dispose();
        return fits;
    }

    /// <summary>Sends a CONNACK that refuses, where the version has one for the reason and the client takes packets of its length.</summary>
    /// <param name="reason">The reason code.</param>
    /// <param name="explanation">Why, in words for the client.</param>
    /// <param name="server">Where the client is to go instead; null: nowhere.</param>
    public void SendRefusal(ReasonCode reason, string explanation, string? server)
    {
        bool v5 = Version == ProtocolVersion.V5;
        if (!v5 && reason.ToConnectReturnCode() is null) return;
        if (v5 && !reason.IsAllowedIn(PacketType.Connack)) reason = ReasonCode.UnspecifiedError;
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connack, stackalloc byte[192]);
        if (v5 && server is not null) properties.Add(PropertyId.ServerReference, Encoding.UTF8.GetBytes(server));
        if (WantsReasons) AddReason(ref properties, Encoding.UTF8.GetBytes(explanation));
        var packet = new ConnackPacket { ReasonCode = reason, Properties = properties.Block };
        if ((uint)packet.Length(Version) > MaxPacketBytes) packet = new ConnackPacket { ReasonCode = reason };
        int length = packet.Length(Version);
        lock (Output.SyncRoot.Alone())
        {
            if ((uint)length <= MaxPacketBytes)
            {
                packet.Write(Output, Version);
                Sent(PacketType.Connack, length);
            }
        }

        properties.Dispose();
    }

    private void SendExplained(scoped AckPacket packet, string? explanation)
    {
        PropertyBuilder properties = PropertyBuilder.For(packet.Type, stackalloc byte[96]);
        AddReason(ref properties, explanation is null ? ReasonText.Of(packet.ReasonCode) : Encoding.UTF8.GetBytes(explanation));
        var explained = packet with { Properties = properties.Block };
        // An explanation that makes the packet too large is left out [MQTT-3.4.2-2].
        if ((uint)explained.Length(Version) <= MaxPacketBytes) packet = explained;
        WriteAck(packet);
        properties.Dispose();
    }

    private void WriteAck(in AckPacket packet)
    {
        lock (Output.SyncRoot.Alone())
        {
            if (transport.IsClosing) return;
            Sent(packet.Type, packet.Write(Output, Version));
        }
    }
}
