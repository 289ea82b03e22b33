using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace EdgeBroker.Protocol;

/// <summary>The rules for UTF-8 encoded strings (1.5.4).</summary>
public static class Utf8Text
{
    /// <summary>Longest string in bytes: its length is two bytes on the wire.</summary>
    public const int MaxBytes = ushort.MaxValue;

    private const ulong EachByteOne = 0x0101_0101_0101_0101;
    private const ulong EachHighBit = 0x8080_8080_8080_8080;

    /// <summary>
    /// Whether <paramref name="text"/> is well-formed UTF-8, which excludes surrogates and overlong forms, and holds no U+0000
    /// [MQTT-1.5.4-1], [MQTT-1.5.4-2]. A byte order mark is an ordinary character.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> text) => IsPlainAscii(text) || (!text.Contains((byte)0) && Utf8.IsValid(text));

    /// <summary>The beginning of a valid text, of so many bytes at most; no character is cut in two.</summary>
    public static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text, int mostBytes)
    {
        if (text.Length <= mostBytes) return text;
        int end = mostBytes;
        while (end > 0 && (text[end] & 0xC0) == 0x80) end--;
        return text[..end];
    }

    // Nearly all text is short and of ASCII, and for that the two general searches cost more to enter than to run.
    private static bool IsPlainAscii(ReadOnlySpan<byte> text)
    {
        int at = 0;
        ref byte start = ref MemoryMarshal.GetReference(text);
        for (; text.Length - at >= Vector128<byte>.Count; at += Vector128<byte>.Count)
        {
            // As signed bytes those of ASCII but U+0000 are the positive ones.
            if (!Vector128.GreaterThanAll(Vector128.LoadUnsafe(ref start, (nuint)at).AsSByte(), Vector128<sbyte>.Zero)) return false;
        }

        for (; text.Length - at >= sizeof(ulong); at += sizeof(ulong))
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(text[at..]);
            if ((((word - EachByteOne) | word) & EachHighBit) != 0) return false;
        }

        for (; at < text.Length; at++)
        {
            if (text[at] is 0 or > 0x7F) return false;
        }

        return true;
    }
}
