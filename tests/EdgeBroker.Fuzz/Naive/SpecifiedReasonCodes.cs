namespace EdgeBroker.Fuzz.Naive;

/// <summary>The reason code tables of MQTT 5.0, packet by packet (3.2.2.2, 3.4.2.1 to 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1, 3.15.2.1, and 2.4).</summary>
public static class SpecifiedReasonCodes
{
    private const string Publication = "00 10 80 83 87 90 91 97 99";
    private const string Release = "00 92";

    // 8C stands in the overview (2.4) for DISCONNECT though not in the packet's own table.
    private const string ServerDisconnect = "00 80 81 82 83 87 89 8B 8C 8D 8E 8F 90 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0 A1 A2";
    private const string ClientDisconnect = "00 04 80 81 82 83 90 93 94 95 96 97 98 99";

    /// <summary>The codes of a packet by its type number; null for packets without reason codes.</summary>
    public static int[]? Of(int packetType) => packetType switch
    {
        2 => Parse("00 80 81 82 83 84 85 86 87 88 89 8A 8C 90 95 97 99 9A 9B 9C 9D 9F"),
        4 or 5 => Parse(Publication),
        6 or 7 => Parse(Release),
        9 => Parse("00 01 02 80 83 87 8F 91 97 9E A1 A2"),
        11 => Parse("00 11 80 83 87 8F 91"),
        14 => [.. Parse(ServerDisconnect).Union(Parse(ClientDisconnect))],
        15 => Parse("00 18 19"),
        _ => null,
    };

    /// <summary>The codes a client may send in DISCONNECT.</summary>
    public static int[] OfClientDisconnect => Parse(ClientDisconnect);

    private static int[] Parse(string codes) => [.. codes.Split(' ').Select(c => Convert.ToInt32(c, 16))];
}
