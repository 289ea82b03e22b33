using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7), PINGREQ and PINGRESP (3.12, 3.13).</summary>
internal static class AckVectors
{
    public static Vector[] All { get; } =
    [
        V311("PUBACK", "40 02 00 0A"),
        V311("PUBREC", "50 02 00 0A"),
        V311("PUBREL", "62 02 00 0A"),
        V311("PUBCOMP", "70 02 FF FF"),
        V5("PUBACK", "40 02 00 0A"),
        V5("PUBACK with a code", "40 03 00 0A 10"),
        V5("PUBACK with success spelled out", "40 03 00 0A 00", "40 02 00 0A"),
        V5("PUBACK with success and an empty property length", "40 04 00 0A 00 00", "40 02 00 0A"),
        V5("PUBACK with a code and an empty property length", "40 04 00 0A 97 00", "40 03 00 0A 97"),
        V5("PUBACK with success and properties", "40 len 000A 00 [26 'k' 'v']"),
        V5("PUBACK with everything", "40 len 000A 87 [1F 'not yours' 26 'k' 'v' 26 'k' 'v']"),
        V5("PUBREC", "50 02 00 0A"),
        V5("PUBREC with everything", "50 len 000A 99 [1F 'no UTF-8' 26 'k' 'v']"),
        V5("PUBREL", "62 02 00 0A"),
        V5("PUBREL with everything", "62 len 000A 92 [26 'k' 'v' 1F 'unknown']"),
        V5("PUBCOMP with a code", "70 03 00 0A 92"),
        V5("PUBCOMP with everything", "70 len 000A 92 [1F 'unknown' 26 'k' 'v']"),
        V311("PINGREQ", "C0 00"),
        V311("PINGRESP", "D0 00"),
        V5("PINGREQ", "C0 00"),
        V5("PINGRESP", "D0 00"),

        Refused311("PUBACK without a body", MalformedPacket, "40 00"),
        Refused5("PUBREC with half a packet identifier", MalformedPacket, "50 01 00"),
        Refused311("PUBACK with packet identifier 0", ProtocolError, "40 02 00 00"),
        Refused5("PUBREL with packet identifier 0", ProtocolError, "62 02 00 00"),
        Refused311("PUBACK with a code", MalformedPacket, "40 03 00 0A 00"),
        Refused311("PUBCOMP with bytes left over", MalformedPacket, "70 04 00 0A 00 00"),
        Refused5("PUBACK with a code of PUBREL", ProtocolError, "40 03 00 0A 92"),
        Refused5("PUBREC with an unknown code", ProtocolError, "50 03 00 0A 01"),
        Refused5("PUBREL with a code of PUBACK", ProtocolError, "62 03 00 0A 10"),
        Refused5("PUBCOMP with a general code", ProtocolError, "70 03 00 0A 80"),
        Refused5("PUBACK with two reason strings", ProtocolError, "40 len 000A 80 [1F 'a' 1F 'a']"),
        Refused5("PUBACK with a property of PUBLISH", MalformedPacket, "40 len 000A 00 [01 00]"),
        Refused5("PUBCOMP with a property length past the end", MalformedPacket, "70 04 00 0A 00 03"),
        Refused5("PUBREC with bytes behind the properties", MalformedPacket, "50 05 00 0A 00 00 00"),
        Refused311("PINGREQ with a body", MalformedPacket, "C0 01 00"),
        Refused5("PINGRESP with a body", MalformedPacket, "D0 01 00"),
    ];
}
