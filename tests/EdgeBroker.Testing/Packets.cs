using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>The will of a CONNECT.</summary>
public sealed record TestWill(string Topic, string Payload = "", int QoS = 0, bool Retain = false, byte[]? Properties = null);

/// <summary>Makes packets of one version, exactly as they stand on the wire. What 3.1.1 does not know (properties, reason codes) is left out there.</summary>
public sealed class Packets
{
    /// <summary>Those of MQTT 3.1.1.</summary>
    public static readonly Packets V311 = new(ProtocolVersion.V311);

    /// <summary>Those of MQTT 5.0.</summary>
    public static readonly Packets V5 = new(ProtocolVersion.V5);

    private Packets(ProtocolVersion version) => Version = version;

    /// <summary>The version they are of.</summary>
    public ProtocolVersion Version { get; }

    private bool IsV5 => Version == ProtocolVersion.V5;

    /// <summary>The packets of <paramref name="version"/>.</summary>
    public static Packets Of(ProtocolVersion version) => version == ProtocolVersion.V5 ? V5 : V311;

    public static byte[] Pingreq() => [0xC0, 0];

    public static byte[] Pingresp() => [0xD0, 0];

    public byte[] Connect(
        string clientId, bool cleanStart = true, int keepAliveSeconds = 0, byte[]? properties = null, TestWill? will = null, string? userName = null,
        byte[]? password = null)
    {
        int flags = (cleanStart ? 0x02 : 0) | (userName is null ? 0 : 0x80) | (password is null ? 0 : 0x40)
            | (will is null ? 0 : 0x04 | (will.QoS << 3) | (will.Retain ? 0x20 : 0));
        return Wire.Packet(0x10, [
            .. Wire.Text("MQTT"), (byte)Version, (byte)flags, .. Wire.UInt16(keepAliveSeconds), .. PropertiesOf(properties),
            .. Wire.Text(clientId),
            .. will is null ? [] : (byte[])[.. PropertiesOf(will.Properties), .. Wire.Text(will.Topic), .. Wire.Text(will.Payload)],
            .. userName is null ? [] : Wire.Text(userName),
            .. password is null ? [] : Wire.Binary(password)]);
    }

    /// <param name="sessionPresent">Session Present.</param>
    /// <param name="code">The reason code, or 3.1.1's return code.</param>
    /// <param name="properties">Encoded properties.</param>
    public byte[] Connack(bool sessionPresent = false, int code = 0, byte[]? properties = null) =>
        Wire.Packet(0x20, [sessionPresent ? (byte)1 : (byte)0, (byte)code, .. PropertiesOf(properties)]);

    public byte[] Publish(string topic, string payload = "", int qos = 0, int packetId = 0, bool retain = false, bool dup = false, byte[]? properties = null) =>
        Publish(topic, Encoding.UTF8.GetBytes(payload), qos, packetId, retain, dup, properties);

    public byte[] Publish(string topic, byte[] payload, int qos = 0, int packetId = 0, bool retain = false, bool dup = false, byte[]? properties = null) =>
        Wire.Packet(0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0), [
            .. Wire.Text(topic), .. qos == 0 ? [] : Wire.UInt16(packetId), .. PropertiesOf(properties), .. payload]);

    public byte[] Puback(int packetId, ReasonCode reason = ReasonCode.Success, byte[]? properties = null) => Ack(0x40, packetId, reason, properties);

    public byte[] Pubrec(int packetId, ReasonCode reason = ReasonCode.Success, byte[]? properties = null) => Ack(0x50, packetId, reason, properties);

    public byte[] Pubrel(int packetId, ReasonCode reason = ReasonCode.Success, byte[]? properties = null) => Ack(0x62, packetId, reason, properties);

    public byte[] Pubcomp(int packetId, ReasonCode reason = ReasonCode.Success, byte[]? properties = null) => Ack(0x70, packetId, reason, properties);

    /// <summary>SUBSCRIBE to one filter; the options are a QoS, or the whole options byte of 5.0.</summary>
    public byte[] Subscribe(int packetId, string filter, int options = 0, byte[]? properties = null) => Subscribe(packetId, properties, (filter, options));

    public byte[] Subscribe(int packetId, byte[]? properties, params (string Filter, int Options)[] filters) =>
        Wire.Packet(0x82, [
            .. Wire.UInt16(packetId), .. PropertiesOf(properties),
            .. filters.SelectMany(one => (byte[])[.. Wire.Text(one.Filter), (byte)one.Options])]);

    public byte[] Suback(int packetId, params int[] codes) =>
        Wire.Packet(0x90, [.. Wire.UInt16(packetId), .. PropertiesOf(null), .. codes.Select(code => (byte)code)]);

    public byte[] Unsubscribe(int packetId, params string[] filters) =>
        Wire.Packet(0xA2, [.. Wire.UInt16(packetId), .. PropertiesOf(null), .. filters.SelectMany(Wire.Text)]);

    public byte[] Unsuback(int packetId, params int[] codes) =>
        Wire.Packet(0xB0, [.. Wire.UInt16(packetId), .. PropertiesOf(null), .. IsV5 ? codes.Select(code => (byte)code) : []]);

    public byte[] Disconnect(ReasonCode reason = ReasonCode.Success, byte[]? properties = null)
    {
        if (!IsV5 || (reason == ReasonCode.Success && properties is null)) return [0xE0, 0];
        return Wire.Packet(0xE0, [(byte)reason, .. properties is null ? [] : Wire.Properties(properties)]);
    }

    /// <summary>AUTH of 5.0, with method and, where given, data.</summary>
    public static byte[] Auth(ReasonCode reason, string method, byte[]? data = null) =>
        Wire.Packet(0xF0, [(byte)reason, .. Wire.Properties([.. Prop.AuthenticationMethod(method), .. data is null ? [] : Prop.AuthenticationData(data)])]);

    private byte[] PropertiesOf(byte[]? properties) => IsV5 ? Wire.Properties(properties) : [];

    private byte[] Ack(int header, int packetId, ReasonCode reason, byte[]? properties)
    {
        if (!IsV5 || (reason == ReasonCode.Success && properties is null)) return Wire.Packet(header, Wire.UInt16(packetId));
        return Wire.Packet(header, [.. Wire.UInt16(packetId), (byte)reason, .. properties is null ? [] : Wire.Properties(properties)]);
    }
}
