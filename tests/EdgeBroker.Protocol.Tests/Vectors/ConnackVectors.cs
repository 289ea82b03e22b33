using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>CONNACK (3.2).</summary>
internal static class ConnackVectors
{
    public static Vector[] All { get; } =
    [
        V311("CONNACK accepted", "20 02 00 00"),
        V311("CONNACK session present", "20 02 01 00"),
        V311("CONNACK unacceptable protocol version", "20 02 00 01"),
        V311("CONNACK identifier rejected", "20 02 00 02"),
        V311("CONNACK server unavailable", "20 02 00 03"),
        V311("CONNACK bad user name or password", "20 02 00 04"),
        V311("CONNACK not authorized", "20 02 00 05"),
        V5("CONNACK accepted", "20 03 00 00 00"),
        V5("CONNACK session present", "20 03 01 00 00"),
        V5("CONNACK refused with words", "20 len 00 8A [1F 'banned until Monday' 26 'k' 'v']"),
        V5("CONNACK with every property",
            "20 len 00 00 [11 0000003C 21 0014 24 01 25 00 27 00010000 12 'auto-1' 22 000A 1F 'hello' 26 'k' 'v' 28 01 29 00 2A 01 13 003C 1A 'reply/' 1C 'b2' "
            + "15 'SCRAM' 16 {76}]"),
        V5("CONNACK use another server", "20 len 00 9C [1C 'b2.example:1883']"),

        Refused311("CONNACK without a return code", MalformedPacket, "20 01 00"),
        Refused5("CONNACK without properties", MalformedPacket, "20 02 00 00"),
        Refused311("CONNACK with properties", MalformedPacket, "20 03 00 00 00"),
        Refused311("CONNACK with reserved acknowledge flags", MalformedPacket, "20 02 02 00"),
        Refused5("CONNACK with reserved acknowledge flags", MalformedPacket, "20 03 81 00 00"),
        Refused311("CONNACK refusing with a session", ProtocolError, "20 02 01 05"),
        Refused5("CONNACK refusing with a session", ProtocolError, "20 03 01 87 00"),
        Refused5("CONNACK with a code of SUBACK", ProtocolError, "20 03 00 01 00"),
        Refused5("CONNACK with an unknown code", ProtocolError, "20 03 00 FF 00"),
        Refused5("CONNACK with maximum QoS 2", ProtocolError, "20 len 00 00 [24 02]"),
        Refused5("CONNACK with bytes behind the properties", MalformedPacket, "20 len 00 00 [] 00"),
    ];
}
