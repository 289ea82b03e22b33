using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace EdgeBroker.Cli.PubSub;

/// <summary>One part of an output format: a literal, or a sequence with its field width.</summary>
/// <param name="Kind">The sequence's letter, <c>@</c> for a strftime letter, <c>L</c> for literal text.</param>
/// <param name="Literal">The text, or the strftime letter.</param>
internal sealed record OutputPiece(char Kind, string Literal)
{
    private const string ZeroPaddable = "AEFlmSXx";
    private const string Truncatable = "CIRt";

    public byte[] LiteralBytes { get; } = Encoding.UTF8.GetBytes(Literal);

    public bool IsZeroPadded { get; init; }

    public bool IsLeftAligned { get; init; }

    public int Width { get; init; }

    public int? Precision { get; init; }

    /// <summary>Writes a value with the field's width; widths count characters, not bytes.</summary>
    public void WritePadded(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        if (Precision is { } most && Truncatable.Contains(Kind, StringComparison.Ordinal)) value = Truncate(value, most);
        // Counting is for the padded only: a plain payload goes out as it is.
        int padding = Width == 0 ? 0 : Math.Max(0, Width - CountCharacters(value));
        byte pad = IsZeroPadded && ZeroPaddable.Contains(Kind, StringComparison.Ordinal) ? (byte)'0' : (byte)' ';
        if (!IsLeftAligned) Fill(output, pad, padding);
        output.Write(value);
        if (IsLeftAligned) Fill(output, (byte)' ', padding);
    }

    /// <summary>Writes a payload that is an IEEE number in the machine's order; any other payload as it is.</summary>
    public void WriteNumber(IBufferWriter<byte> output, ReadOnlySpan<byte> payload, int size)
    {
        if (payload.Length != size)
        {
            WritePadded(output, payload);
            return;
        }

        double number = size == sizeof(float) ? BinaryPrimitives.ReadSingleLittleEndian(payload) : BinaryPrimitives.ReadDoubleLittleEndian(payload);
        string text = number.ToString("F" + (Precision ?? 6).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        if (IsZeroPadded && double.IsFinite(number)) text = number < 0 ? "-" + text[1..].PadLeft(Width - 1, '0') : text.PadLeft(Width, '0');
        WritePadded(output, Encoding.ASCII.GetBytes(text));
    }

    private static bool StartsCharacter(byte b) => (b & 0xC0) != 0x80;

    private static int CountCharacters(ReadOnlySpan<byte> text)
    {
        int count = 0;
        foreach (byte b in text)
        {
            if (StartsCharacter(b)) count++;
        }

        return count;
    }

    private static ReadOnlySpan<byte> Truncate(ReadOnlySpan<byte> text, int most)
    {
        int count = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (StartsCharacter(text[i]) && ++count > most) return text[..i];
        }

        return text;
    }

    private static void Fill(IBufferWriter<byte> output, byte pad, int count)
    {
        output.GetSpan(count)[..count].Fill(pad);
        output.Advance(count);
    }
}
