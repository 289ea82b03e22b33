using System.Buffers.Binary;

namespace EdgeBroker.Fuzz;

/// <summary>
/// Packets in which one field is as long as it may be, one byte shorter, or says so and is not: made here, since as files they would be megabytes. Lengths at
/// their ends are where sums overflow and answers outgrow what they may be.
/// </summary>
public static class LongestFields
{
    private const int Most = 65_535;

    // Properties that hold a string or bytes, each alone in the packet it belongs to.
    private static readonly byte[] ConnectProperties = [21, 22];
    private static readonly byte[] WillProperties = [3, 8, 9];
    private static readonly byte[] PublishProperties = [3, 8, 9];

    /// <summary>Each with the target it is for; the first byte is as the targets of packets want it.</summary>
    public static IEnumerable<(FuzzTarget Target, byte[] Input)> Inputs()
    {
        foreach (byte[] field in Fields())
        {
            foreach ((string target, byte[] input) in WithField(field)) yield return (FuzzTarget.Named(target), input);
        }
    }

    private static IEnumerable<byte[]> Fields()
    {
        foreach (int length in new[] { Most - 1, Most })
        {
            byte[] field = new byte[2 + length];
            BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)length);
            field.AsSpan(2).Fill((byte)'a');
            yield return field;
            // Levels without end, and letters of four bytes.
            byte[] levels = [.. field];
            levels.AsSpan(2).Fill((byte)'/');
            yield return levels;
            byte[] letters = [.. field];
            for (int i = 2; i + 4 <= letters.Length; i += 4) "\U0001F600"u8.CopyTo(letters.AsSpan(i));
            yield return letters;
        }

        byte[] cut = new byte[Most];
        BinaryPrimitives.WriteUInt16BigEndian(cut, Most);
        cut.AsSpan(2).Fill((byte)'a');
        yield return cut;
    }

    private static IEnumerable<(string Target, byte[] Input)> WithField(byte[] field)
    {
        byte[] mqtt5 = [0, 4, .. "MQTT"u8, 5], mqtt3 = [0, 4, .. "MQTT"u8, 4];
        byte[] id = [0, 1, (byte)'c'], topic = [0, 1, (byte)'t'];
        yield return ("connect", [0x10, .. mqtt5, 0x02, 0, 60, 0, .. field]);
        yield return ("connect", [0x10, .. mqtt3, 0x02, 0, 60, .. field]);
        yield return ("connect", [0x10, .. mqtt5, 0xC6, 0, 60, 0, .. id, 0, .. field, .. field, .. field, .. field]);
        yield return ("connect", [0x10, .. mqtt3, 0xC6, 0, 60, .. id, .. field, .. field, .. field, .. field]);
        foreach (byte property in ConnectProperties) yield return ("connect", [0x10, .. mqtt5, 0x02, 0, 60, .. Block([property, .. field]), .. id]);
        yield return ("connect", [0x10, .. mqtt5, 0x02, 0, 60, .. Block([38, .. field, .. field]), .. id]);
        foreach (byte property in WillProperties)
        {
            yield return ("connect", [0x10, .. mqtt5, 0x06, 0, 60, 0, .. id, .. Block([property, .. field]), .. topic, .. topic]);
        }

        yield return ("publish", [0x30, .. field, 0, 1]);
        yield return ("publish", [0x32, .. field, 0, 1, 0]);
        foreach (byte property in PublishProperties) yield return ("publish", [0x30, .. topic, .. Block([property, .. field])]);
        yield return ("publish", [0x30, .. topic, .. Block([.. Enumerable.Repeat<byte[]>([38, .. field, .. field], 20).SelectMany(one => one)])]);
        yield return ("subscribe", [0x82, 0, 1, 0, .. field, 1]);
        yield return ("subscribe", [0x82, 0, 1, .. field, 1, .. field, 1]);
        yield return ("subscribe", [0x82, 0, 1, 0, .. Enumerable.Repeat<byte[]>([0, 1, (byte)'#', 0], 16_000).SelectMany(one => one)]);
        yield return ("subscribe", [0xA2, 0, 1, 0, .. field]);
        yield return ("acks", [0x40, 0, 1, 0, .. Block([31, .. field])]);
        yield return ("disconnect-auth", [0xE0, 0, .. Block([31, .. field])]);
        yield return ("disconnect-auth", [0xF0, 0x18, .. Block([21, .. field, 22, .. field])]);
        yield return ("connack", [0x20, 0, 0, .. Block([18, .. field, 26, .. field, 28, .. field])]);
    }

    private static byte[] Block(byte[] properties)
    {
        List<byte> length = [];
        for (int rest = properties.Length, more = 1; more > 0; rest >>= 7)
        {
            more = rest >> 7;
            length.Add((byte)((rest & 0x7F) | (more > 0 ? 0x80 : 0)));
        }

        return [.. length, .. properties];
    }
}
