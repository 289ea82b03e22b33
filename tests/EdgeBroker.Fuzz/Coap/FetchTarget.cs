using System.Globalization;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Fuzz.Codec;

namespace EdgeBroker.Fuzz.Coap;

/// <summary>The bytes as the body of a FETCH: read just where a second reader, written down from RFC 8949, 3, finds an array of texts, as the same.</summary>
internal static class FetchTarget
{
    private const int Most = 64;

    public static void Run(byte[] input)
    {
        bool isRead = CborTextArray.TryRead(input, Most, out List<byte[]> texts);
        List<string>? expected = Read(Convert.ToHexString(input));
        if (isRead != expected is not null) throw new DisagreementException(isRead ? "Only the parser accepts" : "Only the oracle accepts", input);
        if (isRead && !texts.Select(Convert.ToHexString).SequenceEqual(expected!)) throw new DisagreementException("Other texts", input);
    }

    private static List<string>? Read(string hex)
    {
        if (Head(ref hex, "89") is not { } count || count > Most) return null;
        var texts = new List<string>();
        while (texts.Count < (int)count)
        {
            if (Head(ref hex, "67") is not { } length || length * 2 > hex.Length) return null;
            texts.Add(hex[..(int)(length * 2)]);
            hex = hex[(int)(length * 2)..];
        }

        return hex.Length == 0 ? texts : null;
    }

    // The first digit says the type, with the highest bit of what follows in it: so a type has two digits. Of eight bytes and of no length none is taken.
    private static long? Head(ref string hex, string digits)
    {
        if (hex.Length < 2 || !digits.Contains(hex[0], StringComparison.Ordinal)) return null;
        long low = Number(hex[..2]) % 32;
        int more = low < 24 ? 0 : low == 24 ? 2 : low == 25 ? 4 : low == 26 ? 8 : int.MaxValue;
        if (hex.Length - 2 < more) return null;
        long value = more == 0 ? low : Number(hex[2..(2 + more)]);
        hex = hex[(2 + more)..];
        return value;
    }

    private static long Number(string hex) => long.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
