using System.Buffers;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>AUTH, written and read for the method of the options.</summary>
internal static class AuthPackets
{
    public static void Write(IBufferWriter<byte> output, MqttClientOptions options, ReasonCode reason, byte[]? data)
    {
        Span<byte> initial = stackalloc byte[256];
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Auth, initial);
        try
        {
            AddMethod(ref properties, options, data);
            new DisconnectPacket { Type = PacketType.Auth, ReasonCode = reason, Properties = properties.Block }.Write(output, options.Version);
        }
        finally
        {
            properties.Dispose();
        }
    }

    public static DisconnectPacket Read(in Frame frame, MqttClientOptions options)
    {
        if (!DisconnectPacket.TryParse(frame, options.Version, out DisconnectPacket auth, out ParseError error)) throw MqttException.Violation(error);
        RequireMethod(auth.Properties, options);
        return auth;
    }

    /// <summary>AUTH and a successful CONNACK name CONNECT's method [MQTT-4.12.0-5].</summary>
    public static void RequireMethod(PropertyBlock properties, MqttClientOptions options)
    {
        if (!properties.GetValue(PropertyId.AuthenticationMethod).SequenceEqual(Encoding.UTF8.GetBytes(options.Authentication!.Name)))
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "it goes on with another authentication method than the one that was asked for");
        }
    }

    public static void AddMethod(ref PropertyBuilder properties, MqttClientOptions options, byte[]? data)
    {
        properties.Add(PropertyId.AuthenticationMethod, Encoding.UTF8.GetBytes(options.Authentication!.Name));
        if (data is not null) properties.Add(PropertyId.AuthenticationData, data);
    }
}
