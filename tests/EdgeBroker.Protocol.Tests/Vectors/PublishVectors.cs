using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>PUBLISH (3.3).</summary>
internal static class PublishVectors
{
    public static Vector[] WellFormed { get; } =
    [
        V311("PUBLISH byte by byte", "30 07 00 03 61 2F 62 68 69"),
        V311("PUBLISH without a payload", "31 len 'a/b'"),
        V311("PUBLISH at QoS 1", "32 len 'a/b' 000A `hi`"),
        V311("PUBLISH at QoS 2, retained, again", "3D len 'a/b' FFFF 00 FF"),
        V311("PUBLISH with a remaining length of two bytes", $"30 len 'a/b' `{new string('x', 200)}`"),
        V311("PUBLISH to a reserved topic", "30 len '$SYS/broker' `1`"),
        V311("PUBLISH to levels without a name", "30 len '//' `1`"),
        V5("PUBLISH byte by byte", "30 08 00 03 61 2F 62 00 68 69"),
        V5("PUBLISH at QoS 1", "3A len 'a/b' 000A [] `hi`"),
        V5("PUBLISH at QoS 2 without a payload", "35 len 'a/b' 0001 []"),
        V5("PUBLISH with every property",
            "32 len 'a/b' 0001 [02 0000003C 23 0005 01 01 03 'text/plain' 08 'reply/to' 09 {C0FFEE} 26 'k' 'v' 26 'k' 'w' 0B 01 0B FFFFFF7F] `hi`"),
        V5("PUBLISH with an alias for its topic", "30 len '' [23 FFFF] `hi`"),
        V5("PUBLISH setting an alias", "30 len 'a/b' [23 0001]"),
        V5("PUBLISH with message expiry 0", "30 len 'a/b' [02 00000000]"),
        V5("PUBLISH with empty strings in properties", "30 len 'a/b' [03 '' 09 '' 26 '' '']"),
        V5("PUBLISH with one subscription twice", "30 len 'a/b' [0B 8001 0B 8001]"),
        V5("PUBLISH with a property length of two bytes", $"30 len 'a/b' [26 'k' '{new string('v', 200)}'] `hi`"),
        V5("PUBLISH with multi-byte characters", "30 len 'büro/température/温度' [03 'テキスト'] `21.5 °C`"),
    ];

    public static Vector[] IllFormed { get; } =
    [
        Refused311("PUBLISH at QoS 3", MalformedPacket, "36 len 'a/b' 0001"),
        Refused5("PUBLISH at QoS 3", MalformedPacket, "36 len 'a/b' 0001 []"),
        Refused311("PUBLISH again at QoS 0", MalformedPacket, "38 len 'a/b'"),
        Refused5("PUBLISH again at QoS 0", MalformedPacket, "38 len 'a/b' []"),
        Refused311("PUBLISH without a body", MalformedPacket, "30 00"),
        Refused311("PUBLISH with a topic past the end", MalformedPacket, "30 04 00 03 61 2F"),
        Refused311("PUBLISH without a packet identifier", MalformedPacket, "32 len 'a/b'"),
        Refused311("PUBLISH with half a packet identifier", MalformedPacket, "32 len 'a/b' 00"),
        Refused311("PUBLISH with packet identifier 0", ProtocolError, "32 len 'a/b' 0000"),
        Refused5("PUBLISH with packet identifier 0", ProtocolError, "34 len 'a/b' 0000 []"),
        Refused311("PUBLISH without a topic", ProtocolError, "30 len ''"),
        Refused5("PUBLISH without topic and alias", ProtocolError, "30 len '' []"),
        Refused311("PUBLISH to a filter with #", TopicNameInvalid, "30 len 'a/#'"),
        Refused5("PUBLISH to a filter with +", TopicNameInvalid, "30 len 'a/+/b' []"),
        Refused5("PUBLISH to a wildcard inside a level", TopicNameInvalid, "30 len 'a/b#' []"),
        Refused5("PUBLISH to a filter in spite of an alias", TopicNameInvalid, "30 len '+' [23 0001]"),
        Refused311("PUBLISH with U+0000 in the topic", MalformedPacket, "30 len {61 00 62}"),
        Refused311("PUBLISH with an ill-formed topic", MalformedPacket, "30 len {C0 AF}"),
        Refused5("PUBLISH with topic alias 0", TopicAliasInvalid, "30 len 'a/b' [23 0000]"),
        Refused5("PUBLISH with two topic aliases", ProtocolError, "30 len 'a/b' [23 0001 23 0001]"),
        Refused5("PUBLISH with subscription identifier 0", ProtocolError, "30 len 'a/b' [0B 00]"),
        Refused5("PUBLISH with a subscription identifier of five bytes", MalformedPacket, "30 len 'a/b' [0B 8080808001]"),
        Refused5("PUBLISH with a padded subscription identifier", MalformedPacket, "30 len 'a/b' [0B 8100]"),
        Refused5("PUBLISH with payload format indicator 2", ProtocolError, "30 len 'a/b' [01 02]"),
        Refused5("PUBLISH with a wildcard in the response topic", ProtocolError, "30 len 'a/b' [08 'r/#']"),
        Refused5("PUBLISH with an empty response topic", ProtocolError, "30 len 'a/b' [08 '']"),
        Refused5("PUBLISH with an ill-formed content type", MalformedPacket, "30 len 'a/b' [03 {80}]"),
        Refused5("PUBLISH with U+0000 in a user property", MalformedPacket, "30 len 'a/b' [26 'k' {00}]"),
        Refused5("PUBLISH with half a user property", MalformedPacket, "30 len 'a/b' [26 'k']"),
        Refused5("PUBLISH with a property that does not exist", MalformedPacket, "30 len 'a/b' [7F 00]"),
        Refused5("PUBLISH with a property of CONNECT", MalformedPacket, "30 len 'a/b' [11 00000001]"),
        Refused5("PUBLISH with the will's delay", MalformedPacket, "30 len 'a/b' [18 00000001]"),
        Refused5("PUBLISH with a property identifier of two bytes", MalformedPacket, "30 len 'a/b' [8100 00]"),
        Refused5("PUBLISH without a property length", MalformedPacket, "30 len 'a/b'"),
        Refused5("PUBLISH with a property length past the end", MalformedPacket, "30 len 'a/b' 04 0100"),
    ];
}
