using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>DISCONNECT and AUTH (3.14, 3.15).</summary>
internal static class DisconnectVectors
{
    public static Vector[] All { get; } =
    [
        V311("DISCONNECT", "E0 00"),
        V5("DISCONNECT", "E0 00"),
        V5("DISCONNECT with success spelled out", "E0 01 00", "E0 00"),
        V5("DISCONNECT with success and an empty property length", "E0 02 00 00", "E0 00"),
        V5("DISCONNECT with will", "E0 01 04"),
        V5("DISCONNECT with a code and an empty property length", "E0 02 8E 00", "E0 01 8E"),
        V5("DISCONNECT by a client with everything", "E0 len 00 [11 FFFFFFFF 1F 'done' 26 'k' 'v' 26 'k' 'v']"),
        V5("DISCONNECT by a server with everything", "E0 len 9D [1F 'moved' 26 'k' 'v' 1C 'b2 b3']"),
        V5("AUTH without anything", "F0 00"),
        V5("AUTH continuing", "F0 len 18 [15 'SCRAM-SHA-256' 16 {00FF}]"),
        V5("AUTH beginning again with everything", "F0 len 19 [15 'SCRAM-SHA-256' 16 {} 1F 'renew' 26 'k' 'v']"),
        V5("AUTH with success and the last data", "F0 len 00 [15 'SCRAM-SHA-256' 16 'v=ok']"),
        V5("AUTH with a method alone", "F0 len 18 [15 'x']"),

        Refused311("DISCONNECT with a body", MalformedPacket, "E0 01 00"),
        Refused5("DISCONNECT with a code of PUBACK", ProtocolError, "E0 01 10"),
        Refused5("DISCONNECT with a code of AUTH", ProtocolError, "E0 01 18"),
        Refused5("DISCONNECT with the code of a refused client id", ProtocolError, "E0 01 85"),
        Refused5("DISCONNECT with two session expiries", ProtocolError, "E0 len 00 [11 00000001 11 00000002]"),
        Refused5("DISCONNECT with a receive maximum", MalformedPacket, "E0 len 00 [21 0001]"),
        Refused5("DISCONNECT with bytes behind the properties", MalformedPacket, "E0 03 00 00 00"),
        Refused5("DISCONNECT with a property length past the end", MalformedPacket, "E0 02 00 05"),
        Refused5("DISCONNECT with an ill-formed reason string", MalformedPacket, "E0 len 00 [1F {C1 81}]"),
        Refused311("AUTH", MalformedPacket, "F0 00"),
        Refused311("AUTH with a code", MalformedPacket, "F0 01 18"),
        Refused5("AUTH with a failure", ProtocolError, "F0 len 87 [15 'x']"),
        Refused5("AUTH continuing without properties", ProtocolError, "F0 01 18"),
        Refused5("AUTH continuing without a method", ProtocolError, "F0 len 18 [26 'k' 'v']"),
        Refused5("AUTH succeeding with words but no method", ProtocolError, "F0 len 00 [1F 'welcome']"),
        Refused5("AUTH with data but no method", ProtocolError, "F0 len 18 [16 {00}]"),
        Refused5("AUTH with two methods", ProtocolError, "F0 len 18 [15 'x' 15 'x']"),
        Refused5("AUTH with a session expiry", MalformedPacket, "F0 len 18 [15 'x' 11 00000001]"),
    ];
}
