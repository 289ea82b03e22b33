using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>SUBACK and UNSUBACK (3.9, 3.11).</summary>
internal static class SubackVectors
{
    public static Vector[] All { get; } =
    [
        V311("SUBACK with every code", "90 06 00 0A 00 01 02 80"),
        V5("SUBACK with every code", "90 len 000A [] 00 01 02 80 83 87 8F 91 97 9E A1 A2"),
        V5("SUBACK with every property", "90 len 000A [1F 'because' 26 'k' 'v' 26 'k' 'v'] 87"),
        V311("UNSUBACK", "B0 02 00 0A"),
        V5("UNSUBACK with every code", "B0 len 000A [] 00 11 80 83 87 8F 91"),
        V5("UNSUBACK with every property", "B0 len FFFF [26 'k' 'v' 1F 'because'] 11"),

        Refused311("SUBACK without a body", MalformedPacket, "90 00"),
        Refused311("SUBACK with packet identifier 0", ProtocolError, "90 03 00 00 00"),
        Refused311("SUBACK without a code", ProtocolError, "90 02 00 0A"),
        Refused5("SUBACK without a code", ProtocolError, "90 03 00 0A 00"),
        Refused311("SUBACK with a code of 5.0", ProtocolError, "90 03 00 0A 87"),
        Refused311("SUBACK with a reserved code", ProtocolError, "90 03 00 0A 03"),
        Refused5("SUBACK with a code of UNSUBACK", ProtocolError, "90 05 00 0A 00 00 11"),
        Refused5("SUBACK without properties", MalformedPacket, "90 02 00 0A"),
        Refused5("SUBACK with a subscription identifier", MalformedPacket, "90 len 000A [0B 01] 00"),
        Refused311("UNSUBACK with a code", MalformedPacket, "B0 03 00 0A 00"),
        Refused5("UNSUBACK without a code", ProtocolError, "B0 03 00 0A 00"),
        Refused5("UNSUBACK with packet identifier 0", ProtocolError, "B0 04 00 00 00 00"),
        Refused5("UNSUBACK with a code of SUBACK", ProtocolError, "B0 04 00 0A 00 01"),
    ];
}
