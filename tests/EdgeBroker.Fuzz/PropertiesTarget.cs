using EdgeBroker.Fuzz.Codec;

namespace EdgeBroker.Fuzz;

/// <summary>The bytes as properties of a packet: the first byte chooses the packet, which is otherwise as plain as can be.</summary>
public static class PropertiesTarget
{
    private static readonly byte[] Types = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15];

    public static void Run(byte[] input)
    {
        if (input.Length == 0) return;
        (byte header, byte[] body) = Carry(Types[input[0] % Types.Length], input.AsSpan(1));
        FuzzTarget.CheckPacket(header, body);
    }

    /// <summary>The input that makes <see cref="Run"/> put <paramref name="properties"/> into a packet.</summary>
    public static byte[] Input(int packetType, ReadOnlySpan<byte> properties) => [(byte)Array.IndexOf(Types, (byte)packetType), .. properties];

    /// <summary>A 5.0 packet, by its first byte and body, with these properties and nothing else that could be wrong; type 0 is the will in CONNECT.</summary>
    public static (byte Header, byte[] Body) Carry(int packetType, ReadOnlySpan<byte> properties)
    {
        ReadOnlySpan<byte> block = Packet.Compose(0, properties).AsSpan(1);
        byte header = (byte)((packetType == 0 ? 1 : packetType) * 16 + (packetType is 6 or 8 or 10 ? 2 : 0));
        return (header, packetType switch
        {
            0 => [0, 4, .. "MQTT"u8, 5, 0x06, 0, 0, 0, 0, 0, .. block, 0, 1, (byte)'t', 0, 0],
            1 => [0, 4, .. "MQTT"u8, 5, 0x02, 0, 0, .. block, 0, 0],
            2 => [0, 0, .. block],
            3 => [0, 1, (byte)'t', .. block],
            8 => [0, 1, .. block, 0, 1, (byte)'f', 0],
            9 or 11 => [0, 1, .. block, 0],
            10 => [0, 1, .. block, 0, 1, (byte)'f'],
            14 => [0, .. block],
            15 => [0x18, .. block],
            _ => [0, 1, 0, .. block],
        });
    }
}
