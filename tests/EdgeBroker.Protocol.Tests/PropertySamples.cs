using EdgeBroker.Fuzz;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Fuzz.Naive;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>A valid example of every property, and the means to try properties in every packet that has some.</summary>
internal static class PropertySamples
{
    /// <summary>Packet types with properties by number; 0 is the will in CONNECT.</summary>
    public static TheoryData<int> Packets => [.. SpecifiedProperties.Packets];

    /// <summary>The property on the wire with a value that is valid for it.</summary>
    public static byte[] Encoded(int id) => [(byte)id, .. SpecifiedProperties.TypeOf(id) switch
    {
        "byte" => Notation.Bytes("01"),
        "two" => Notation.Bytes("0102"),
        "four" => Notation.Bytes("01020304"),
        "variable" => Notation.Bytes("C102"),
        "pair" => Notation.Bytes("'name' 'value'"),
        "binary" => Notation.Bytes("{00FF}"),
        _ => Notation.Bytes("'text'"),
    }];

    /// <summary>Puts the properties into a packet of the type; null when it is accepted, else the reason of the refusal.</summary>
    public static ReasonCode? RefusalOf(int packetType, params byte[] properties)
    {
        // An AUTH has a method, and authentication data needs one; unless the method itself is on trial.
        bool addsMethod = (packetType == 15 || properties.AsSpan().StartsWith<byte>([0x16])) && !properties.AsSpan().StartsWith<byte>([0x15])
            && SpecifiedProperties.IsAllowed(0x15, packetType);
        (byte header, byte[] body) = PropertiesTarget.Carry(packetType, addsMethod ? [.. properties, .. Notation.Bytes("15 'm'")] : properties);
        bool accepted = Packet.TryRead(Packet.Compose(header, body), ProtocolVersion.V5, out _, out _, out ParseError error);
        FuzzTarget.CheckPacket(header, body);
        return accepted ? null : error.Reason;
    }
}
