using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>UNSUBSCRIBE (3.10).</summary>
internal static class UnsubscribeVectors
{
    public static Vector[] All { get; } =
    [
        V311("UNSUBSCRIBE byte by byte", "A2 07 00 0A 00 03 61 2F 62"),
        V311("UNSUBSCRIBE from three filters", "A2 len 000A '#' '+/a' '$share/g/a'"),
        V5("UNSUBSCRIBE byte by byte", "A2 08 00 0A 00 00 03 61 2F 62"),
        V5("UNSUBSCRIBE with every property", "A2 len FFFF [26 'k' 'v' 26 'k' 'v'] 'a' 'b/#'"),

        Refused311("UNSUBSCRIBE without a body", MalformedPacket, "A2 00"),
        Refused5("UNSUBSCRIBE with packet identifier 0", ProtocolError, "A2 len 0000 [] 'a'"),
        Refused311("UNSUBSCRIBE without a filter", ProtocolError, "A2 02 00 0A"),
        Refused5("UNSUBSCRIBE without a filter", ProtocolError, "A2 03 00 0A 00"),
        Refused311("UNSUBSCRIBE from an empty filter", MalformedPacket, "A2 len 000A ''"),
        Refused5("UNSUBSCRIBE from a bad filter", MalformedPacket, "A2 len 000A [] 'a' 'b#'"),
        Refused311("UNSUBSCRIBE with a filter past the end", MalformedPacket, "A2 len 000A 'a' 0003 61"),
        Refused5("UNSUBSCRIBE with a subscription identifier", MalformedPacket, "A2 len 000A [0B 01] 'a'"),
        Refused5("UNSUBSCRIBE from an ill-formed filter", MalformedPacket, "A2 len 000A [] {F5 80 80 80}"),
    ];
}
