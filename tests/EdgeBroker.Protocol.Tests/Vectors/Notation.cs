using System.Text;

namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>
/// Bytes written down readably: <c>0A FF</c> hexadecimal; <c>'text'</c> an MQTT string with its two bytes of length; <c>`text`</c> its characters alone;
/// <c>{ }</c> two bytes of length and what is inside; <c>[ ]</c> a property length and what is inside; <c>len</c> the remaining length of all that follows.
/// </summary>
internal static class Notation
{
    public static byte[] Bytes(string notation)
    {
        int position = 0;
        return Sequence(notation, ref position, '\0');
    }

    private static byte[] Sequence(string notation, ref int position, char end)
    {
        var bytes = new List<byte>();
        while (position < notation.Length)
        {
            char c = notation[position++];
            if (c == end) return [.. bytes];
            switch (c)
            {
                case ' ': break;
                case '\'': bytes.AddRange(Prefixed(Quoted(notation, ref position, c))); break;
                case '`': bytes.AddRange(Quoted(notation, ref position, c)); break;
                case '{': bytes.AddRange(Prefixed(Sequence(notation, ref position, '}'))); break;
                case '[': bytes.AddRange(WithVariableLength(Sequence(notation, ref position, ']'))); break;
                case 'l':
                    position += "en".Length;
                    bytes.AddRange(WithVariableLength(Sequence(notation, ref position, end)));
                    return [.. bytes];
                default:
                    bytes.Add(Convert.ToByte(notation.Substring(position - 1, 2), 16));
                    position++;
                    break;
            }
        }

        return end == '\0' ? [.. bytes] : throw new FormatException($"{end} is missing in {notation}");
    }

    private static byte[] Quoted(string notation, ref int position, char quote)
    {
        int start = position;
        position = notation.IndexOf(quote, start) + 1;
        return Encoding.UTF8.GetBytes(notation[start..(position - 1)]);
    }

    private static byte[] Prefixed(byte[] content) => [(byte)(content.Length >> 8), (byte)content.Length, .. content];

    private static byte[] WithVariableLength(byte[] content)
    {
        var bytes = new List<byte>();
        int rest = content.Length;
        for (; rest > 127; rest /= 128) bytes.Add((byte)(128 + (rest % 128)));
        return [.. bytes, (byte)rest, .. content];
    }
}
