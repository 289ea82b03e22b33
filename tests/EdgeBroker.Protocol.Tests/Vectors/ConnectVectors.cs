using static EdgeBroker.Protocol.ReasonCode;
using static EdgeBroker.Protocol.Tests.Vectors.Vector;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>CONNECT (3.1).</summary>
internal static class ConnectVectors
{
    public static Vector[] WellFormed { get; } =
    [
        V311("CONNECT byte by byte", "10 0E 00 04 4D 51 54 54 04 02 00 3C 00 02 63 31"),
        V311("CONNECT with an empty client id", "10 len 'MQTT' 04 02 0000 ''"),
        V311("CONNECT for a stored session", "10 len 'MQTT' 04 00 FFFF 'device-7'"),
        V311("CONNECT with a user name", "10 len 'MQTT' 04 82 003C 'c1' 'ada'"),
        V311("CONNECT with user name and password", "10 len 'MQTT' 04 C2 003C 'c1' 'ada' {00FF80}"),
        V311("CONNECT with an empty user name and password", "10 len 'MQTT' 04 C2 003C 'c1' '' ''"),
        V311("CONNECT with a will", "10 len 'MQTT' 04 06 003C 'c1' 'state/c1' 'gone'"),
        V311("CONNECT with a retained QoS 2 will and credentials", "10 len 'MQTT' 04 F6 003C 'c1' 'state/c1' {00} 'ada' 'secret'"),
        V311("CONNECT with an empty will payload", "10 len 'MQTT' 04 0E 003C 'c1' 'state/c1' ''"),
        V5("CONNECT byte by byte", "10 0F 00 04 4D 51 54 54 05 02 00 3C 00 00 02 63 31"),
        V5("CONNECT with an empty client id", "10 len 'MQTT' 05 00 0000 [] ''"),
        V5("CONNECT with a password but no user name", "10 len 'MQTT' 05 42 003C [] 'c1' 'token'"),
        V5("CONNECT with every property",
            "10 len 'MQTT' 05 02 003C [11 FFFFFFFF 21 0001 27 00000001 22 FFFF 19 01 17 00 26 'k' 'v' 26 'k' 'w' 15 'SCRAM-SHA-256' 16 {6E2C00}] 'c1'"),
        V5("CONNECT with every will property",
            "10 len 'MQTT' 05 F6 003C [] 'c1' [18 0000000A 01 01 02 0000003C 03 'text/plain' 08 'reply/to' 09 {00} 26 '' ''] 'state/c1' 'gone' 'ada' 'secret'"),
        V5("CONNECT with the highest numbers", "10 len 'MQTT' 05 02 FFFF [21 FFFF 27 FFFFFFFF 11 00000000 22 0000 17 01 19 00] 'c1'"),
        V5("CONNECT with multi-byte characters", "10 len 'MQTT' 05 82 003C [] 'géräte/☃/🔌' 'ädä'"),
        V5("CONNECT with an authentication method alone", "10 len 'MQTT' 05 02 003C [15 'x'] 'c1'"),
    ];

    public static Vector[] IllFormed { get; } =
    [
        Refused311("CONNECT without a body", MalformedPacket, "10 00"),
        Refused311("CONNECT of MQTT 3.1 with another level", UnsupportedProtocolVersion, "10 len 'MQIsdp' 04 02 003C 'c1'"),
        Refused311("CONNECT with level 3", UnsupportedProtocolVersion, "10 len 'MQTT' 03 02 003C 'c1'"),
        Refused5("CONNECT with level 6", UnsupportedProtocolVersion, "10 len 'MQTT' 06 02 003C [] 'c1'"),
        Refused311("CONNECT of a bridge with level 131", UnsupportedProtocolVersion, "10 len 'MQTT' 83 02 003C 'c1'"),
        Refused5("CONNECT with a name in small letters", UnsupportedProtocolVersion, "10 len 'mqtt' 05 02 003C [] 'c1'"),
        Refused5("CONNECT with an empty protocol name", UnsupportedProtocolVersion, "10 len '' 05 02 003C [] 'c1'"),
        Refused311("CONNECT with the reserved flag", MalformedPacket, "10 len 'MQTT' 04 03 003C 'c1'"),
        Refused5("CONNECT with the reserved flag", MalformedPacket, "10 len 'MQTT' 05 03 003C [] 'c1'"),
        Refused311("CONNECT with will QoS 3", MalformedPacket, "10 len 'MQTT' 04 1E 003C 'c1' 't' ''"),
        Refused5("CONNECT with will QoS 3", MalformedPacket, "10 len 'MQTT' 05 1E 003C [] 'c1' [] 't' ''"),
        Refused5("CONNECT with a will QoS but no will", MalformedPacket, "10 len 'MQTT' 05 0A 003C [] 'c1'"),
        Refused311("CONNECT with will retain but no will", MalformedPacket, "10 len 'MQTT' 04 22 003C 'c1'"),
        Refused311("CONNECT with a password but no user name", MalformedPacket, "10 len 'MQTT' 04 42 003C 'c1' 'token'"),
        Refused311("CONNECT with bytes behind the last field", MalformedPacket, "10 len 'MQTT' 04 02 003C 'c1' 00"),
        Refused5("CONNECT with bytes behind the last field", MalformedPacket, "10 len 'MQTT' 05 C2 003C [] 'c1' 'ada' 'secret' 'more'"),
        Refused311("CONNECT without the promised will", MalformedPacket, "10 len 'MQTT' 04 06 003C 'c1'"),
        Refused311("CONNECT without the promised user name", MalformedPacket, "10 len 'MQTT' 04 82 003C 'c1'"),
        Refused5("CONNECT without the promised password", MalformedPacket, "10 len 'MQTT' 05 C2 003C [] 'c1' 'ada'"),
        Refused5("CONNECT without properties", MalformedPacket, "10 len 'MQTT' 05 02 003C"),
        Refused5("CONNECT with an endless property length", MalformedPacket, "10 len 'MQTT' 05 02 003C 80 80 80 80 00"),
        Refused5("CONNECT with a property length past the end", MalformedPacket, "10 len 'MQTT' 05 02 003C 05 'c1'"),
        Refused5("CONNECT with a padded property length", MalformedPacket, "10 len 'MQTT' 05 02 003C 80 00 'c1'"),
        Refused311("CONNECT with U+0000 in the client id", MalformedPacket, "10 len 'MQTT' 04 02 003C {61 00}"),
        Refused5("CONNECT with a surrogate in the client id", MalformedPacket, "10 len 'MQTT' 05 02 003C [] {ED A0 80}"),
        Refused311("CONNECT with an ill-formed user name", MalformedPacket, "10 len 'MQTT' 04 82 003C 'c1' {FF}"),
        Refused5("CONNECT with an ill-formed will topic", MalformedPacket, "10 len 'MQTT' 05 06 003C [] 'c1' [] {C3} ''"),
        Refused311("CONNECT with a wildcard in the will topic", TopicNameInvalid, "10 len 'MQTT' 04 06 003C 'c1' 'a/#' ''"),
        Refused5("CONNECT with an empty will topic", TopicNameInvalid, "10 len 'MQTT' 05 06 003C [] 'c1' [] '' ''"),
        Refused5("CONNECT with authentication data but no method", ProtocolError, "10 len 'MQTT' 05 02 003C [16 {00}] 'c1'"),
        Refused5("CONNECT with receive maximum 0", ProtocolError, "10 len 'MQTT' 05 02 003C [21 0000] 'c1'"),
        Refused5("CONNECT with maximum packet size 0", ProtocolError, "10 len 'MQTT' 05 02 003C [27 00000000] 'c1'"),
        Refused5("CONNECT with request problem information 2", ProtocolError, "10 len 'MQTT' 05 02 003C [17 02] 'c1'"),
        Refused5("CONNECT with two session expiries", ProtocolError, "10 len 'MQTT' 05 02 003C [11 00000001 11 00000001] 'c1'"),
        Refused5("CONNECT with a will property among its own", MalformedPacket, "10 len 'MQTT' 05 02 003C [18 00000001] 'c1'"),
        Refused5("CONNECT with a connect property in the will", MalformedPacket, "10 len 'MQTT' 05 06 003C [] 'c1' [11 00000001] 't' ''"),
        Refused5("CONNECT with a wildcard in the will's response topic", ProtocolError, "10 len 'MQTT' 05 06 003C [] 'c1' [08 'a/+'] 't' ''"),
        Refused5("CONNECT with a property cut off by the property length", MalformedPacket, "10 len 'MQTT' 05 02 003C [21 00] 'c1'"),
    ];
}
