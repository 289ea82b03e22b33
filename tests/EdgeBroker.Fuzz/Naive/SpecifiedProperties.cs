namespace EdgeBroker.Fuzz.Naive;

/// <summary>Table 2-4 of MQTT 5.0: identifier, type of the value, packets. Packet 0 stands for the will in CONNECT.</summary>
public static class SpecifiedProperties
{
    private static readonly string[] Names =
        [
            "Will", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ",
            "PINGRESP", "DISCONNECT", "AUTH",
        ];

    private static readonly Dictionary<int, (string Type, string[] Packets)> Rows = new()
    {
        [0x01] = ("byte", ["PUBLISH", "Will"]),
        [0x02] = ("four", ["PUBLISH", "Will"]),
        [0x03] = ("text", ["PUBLISH", "Will"]),
        [0x08] = ("text", ["PUBLISH", "Will"]),
        [0x09] = ("binary", ["PUBLISH", "Will"]),
        [0x0B] = ("variable", ["PUBLISH", "SUBSCRIBE"]),
        [0x11] = ("four", ["CONNECT", "CONNACK", "DISCONNECT"]),
        [0x12] = ("text", ["CONNACK"]),
        [0x13] = ("two", ["CONNACK"]),
        [0x15] = ("text", ["CONNECT", "CONNACK", "AUTH"]),
        [0x16] = ("binary", ["CONNECT", "CONNACK", "AUTH"]),
        [0x17] = ("byte", ["CONNECT"]),
        [0x18] = ("four", ["Will"]),
        [0x19] = ("byte", ["CONNECT"]),
        [0x1A] = ("text", ["CONNACK"]),
        [0x1C] = ("text", ["CONNACK", "DISCONNECT"]),
        [0x1F] = ("text", ["CONNACK", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBACK", "UNSUBACK", "DISCONNECT", "AUTH"]),
        [0x21] = ("two", ["CONNECT", "CONNACK"]),
        [0x22] = ("two", ["CONNECT", "CONNACK"]),
        [0x23] = ("two", ["PUBLISH"]),
        [0x24] = ("byte", ["CONNACK"]),
        [0x25] = ("byte", ["CONNACK"]),
        [0x26] = ("pair", [.. Names.Where(name => name is not ("PINGREQ" or "PINGRESP"))]),
        [0x27] = ("four", ["CONNECT", "CONNACK"]),
        [0x28] = ("byte", ["CONNACK"]),
        [0x29] = ("byte", ["CONNACK"]),
        [0x2A] = ("byte", ["CONNACK"]),
    };

    /// <summary>Every identifier that exists.</summary>
    public static IEnumerable<int> Identifiers => Rows.Keys;

    /// <summary>The packets that have properties, by type number; 0 is the will.</summary>
    public static IEnumerable<int> Packets => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15];

    /// <summary>byte, two, four, variable, text, pair or binary; null when there is no such identifier.</summary>
    public static string? TypeOf(int id) => Rows.TryGetValue(id, out (string Type, string[] Packets) row) ? row.Type : null;

    public static bool IsAllowed(int id, int packetType) =>
        Rows.TryGetValue(id, out (string Type, string[] Packets) row) && row.Packets.Contains(Names[packetType]);

    public static string NameOf(int packetType) => Names[packetType];
}
