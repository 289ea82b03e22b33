using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>SUBSCRIBE (3.8).</summary>
internal static class SubscribeVectors
{
    public static Vector[] All { get; } =
    [
        V311("SUBSCRIBE byte by byte", "82 08 00 0A 00 03 61 2F 62 01"),
        V311("SUBSCRIBE to three filters", "82 len 000A '#' 00 '+/a' 01 '/' 02"),
        V311("SUBSCRIBE to one filter twice", "82 len 0001 'a' 00 'a' 02"),
        V311("SUBSCRIBE to a shared filter", "82 len 0001 '$share/g/a' 01"),
        V5("SUBSCRIBE byte by byte", "82 09 00 0A 00 00 03 61 2F 62 01"),
        V5("SUBSCRIBE with every option", "82 len FFFF [] 'a' 2E 'b/#' 1D '+' 04 '$share/group/a/+' 1A"),
        V5("SUBSCRIBE with every property", "82 len 0001 [0B FFFFFF7F 26 'k' 'v' 26 'k' 'v'] 'a' 00"),
        V5("SUBSCRIBE with subscription identifier 1", "82 len 0001 [0B 01] 'a' 00"),
        V5("SUBSCRIBE to a filter that is nearly shared", "82 len 0001 [] '$share' 04 '$shared/a' 04 'a/$share/b' 04"),

        Refused311("SUBSCRIBE without a body", MalformedPacket, "82 00"),
        Refused311("SUBSCRIBE with packet identifier 0", ProtocolError, "82 len 0000 'a' 00"),
        Refused311("SUBSCRIBE without a filter", ProtocolError, "82 02 00 0A"),
        Refused5("SUBSCRIBE without a filter", ProtocolError, "82 03 00 0A 00"),
        Refused311("SUBSCRIBE without options", MalformedPacket, "82 len 000A 'a'"),
        Refused5("SUBSCRIBE without options for the second filter", MalformedPacket, "82 len 000A [] 'a' 00 'b'"),
        Refused311("SUBSCRIBE at QoS 3", MalformedPacket, "82 len 000A 'a' 03"),
        Refused311("SUBSCRIBE with options of 5.0", MalformedPacket, "82 len 000A 'a' 04"),
        Refused5("SUBSCRIBE at QoS 3", ProtocolError, "82 len 000A [] 'a' 03"),
        Refused5("SUBSCRIBE with retain handling 3", ProtocolError, "82 len 000A [] 'a' 30"),
        Refused5("SUBSCRIBE with the reserved bit 6", MalformedPacket, "82 len 000A [] 'a' 40"),
        Refused5("SUBSCRIBE with the reserved bit 7", MalformedPacket, "82 len 000A [] 'a' 80"),
        Refused5("SUBSCRIBE with a reserved bit and QoS 3", MalformedPacket, "82 len 000A [] 'a' 83"),
        Refused5("SUBSCRIBE with no local on a shared filter", ProtocolError, "82 len 000A [] '$share/g/a' 04"),
        Refused311("SUBSCRIBE to an empty filter", MalformedPacket, "82 len 000A '' 00"),
        Refused5("SUBSCRIBE to # in the middle", MalformedPacket, "82 len 000A [] 'a/#/b' 00"),
        Refused5("SUBSCRIBE to + inside a level", MalformedPacket, "82 len 000A [] 'a/b+' 00"),
        Refused5("SUBSCRIBE to a share without a filter", MalformedPacket, "82 len 000A [] '$share/g' 00"),
        Refused5("SUBSCRIBE to a share with an empty filter", MalformedPacket, "82 len 000A [] '$share/g/' 00"),
        Refused5("SUBSCRIBE to a share without a name", MalformedPacket, "82 len 000A [] '$share//a' 00"),
        Refused5("SUBSCRIBE to a share with a wildcard in its name", MalformedPacket, "82 len 000A [] '$share/g+/a' 00"),
        Refused311("SUBSCRIBE to an ill-formed filter", MalformedPacket, "82 len 000A {61 FF} 00"),
        Refused5("SUBSCRIBE with subscription identifier 0", ProtocolError, "82 len 000A [0B 00] 'a' 00"),
        Refused5("SUBSCRIBE with two subscription identifiers", ProtocolError, "82 len 000A [0B 01 0B 02] 'a' 00"),
        Refused5("SUBSCRIBE with a reason string", MalformedPacket, "82 len 000A [1F 'a'] 'a' 00"),
        Refused5("SUBSCRIBE without a property length", MalformedPacket, "82 02 00 0A"),
        Refused5("SUBSCRIBE whose second filter is bad", MalformedPacket, "82 len 000A [] 'a' 00 '##' 00"),
    ];
}
