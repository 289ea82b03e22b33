using System.Buffers;
using System.Runtime.InteropServices;
using EdgeBroker.Protocol;

namespace EdgeBroker.Fuzz.Codec;

/// <summary>Each form of packet read with the codec into fields, and written again. Null and the error when the codec refuses it.</summary>
internal static class Read
{
    public static Fields? Connect(in Frame frame, IBufferWriter<byte> output, out ParseError error)
    {
        if (!ConnectPacket.TryParse(frame, out ConnectPacket packet, out error)) return null;
        packet.Write(output);
        Fields fields = new Fields("CONNECT").Add("level", packet.ProtocolLevel).Add("clean", packet.CleanStart ? 1 : 0)
            .Add("keepalive", packet.KeepAliveSeconds).AddProperties("properties", PropertyText.Of(packet.Properties)).Add("client", packet.ClientId);
        if (packet.HasWill)
        {
            fields.AddProperties("will", PropertyText.Of(packet.WillProperties)).Add("topic", packet.WillTopic).Add("payload", packet.WillPayload)
                .Add("qos", (int)packet.WillQoS).Add("retain", packet.WillRetain ? 1 : 0);
        }

        if (packet.HasUserName) fields.Add("user", packet.UserName);
        if (packet.HasPassword) fields.Add("password", packet.Password);
        return fields;
    }

    public static Fields? Connack(in Frame frame, ProtocolVersion version, IBufferWriter<byte> output, out ParseError error)
    {
        if (!ConnackPacket.TryParse(frame, version, out ConnackPacket packet, out error)) return null;
        // A reserved return code of 3.1.1 is read as a failure without a name, which has no return code to be written as.
        if (version == ProtocolVersion.V5 || packet.ReasonCode.ToConnectReturnCode() is not null)
        {
            packet.Write(output, version);
            CheckLength(packet.Length(version), output);
        }

        return new Fields("CONNACK").Add("session", packet.SessionPresent ? 1 : 0).Add("code", (int)packet.ReasonCode)
            .AddProperties("properties", PropertyText.Of(packet.Properties));
    }

    public static Fields? Ack(in Frame frame, ProtocolVersion version, IBufferWriter<byte> output, out ParseError error)
    {
        if (!AckPacket.TryParse(frame, version, out AckPacket packet, out error)) return null;
        packet.Write(output, version);
        CheckLength(packet.Length(version), output);
        return new Fields(NameOf(packet.Type)).Add("id", packet.PacketId).Add("code", (int)packet.ReasonCode)
            .AddProperties("properties", PropertyText.Of(packet.Properties));
    }

    public static Fields? Subscribe(in Frame frame, ProtocolVersion version, IBufferWriter<byte> output, out ParseError error)
    {
        if (!SubscribePacket.TryParse(frame, version, out SubscribePacket packet, out error)) return null;
        packet.Write(output, version);
        Fields fields = new Fields("SUBSCRIBE").Add("id", packet.PacketId).AddProperties("properties", PropertyText.Of(packet.Properties));
        int count = 0;
        foreach (SubscriptionRequest request in packet)
        {
            fields.Add("filter", request.Filter).Add("options", request.Options.Value);
            count++;
        }

        return count == packet.Count ? fields : throw new DisagreementException("Count contradicts the walk over the filters", packet.Filters);
    }

    public static Fields? Unsubscribe(in Frame frame, ProtocolVersion version, IBufferWriter<byte> output, out ParseError error)
    {
        if (!UnsubscribePacket.TryParse(frame, version, out UnsubscribePacket packet, out error)) return null;
        packet.Write(output, version);
        Fields fields = new Fields("UNSUBSCRIBE").Add("id", packet.PacketId).AddProperties("properties", PropertyText.Of(packet.Properties));
        int count = 0;
        foreach (ReadOnlySpan<byte> filter in packet)
        {
            fields.Add("filter", filter);
            count++;
        }

        return count == packet.Count ? fields : throw new DisagreementException("Count contradicts the walk over the filters", packet.Filters);
    }

    public static Fields? Suback(in Frame frame, ProtocolVersion version, IBufferWriter<byte> output, out ParseError error)
    {
        if (!SubackPacket.TryParse(frame, version, out SubackPacket packet, out error)) return null;
        packet.Write(output, version);
        CheckLength(packet.Length(version), output);
        return new Fields(NameOf(packet.Type)).Add("id", packet.PacketId).AddProperties("properties", PropertyText.Of(packet.Properties))
            .Add("codes", MemoryMarshal.AsBytes(packet.ReasonCodes));
    }

    public static Fields? Disconnect(in Frame frame, ProtocolVersion version, IBufferWriter<byte> output, out ParseError error)
    {
        if (!DisconnectPacket.TryParse(frame, version, out DisconnectPacket packet, out error)) return null;
        packet.Write(output, version);
        CheckLength(packet.Length(version), output);
        return new Fields(NameOf(packet.Type)).Add("code", (int)packet.ReasonCode).AddProperties("properties", PropertyText.Of(packet.Properties));
    }

    public static Fields? Ping(in Frame frame, IBufferWriter<byte> output, out ParseError error)
    {
        error = new ParseError(ReasonCode.MalformedPacket, "a ping has a body");
        if (!PingPacket.IsValid(frame)) return null;
        error = default;
        if (frame.Type == PacketType.Pingreq) PingPacket.WriteRequest(output);
        else PingPacket.WriteResponse(output);
        return new Fields(NameOf(frame.Type));
    }

    public static void CheckLength(int promised, IBufferWriter<byte> output)
    {
        var written = (ArrayBufferWriter<byte>)output;
        if (written.WrittenCount != promised) throw new DisagreementException($"Length promised {promised} bytes", written.WrittenSpan);
    }

    private static string NameOf(PacketType type) => type.ToString().ToUpperInvariant();
}
