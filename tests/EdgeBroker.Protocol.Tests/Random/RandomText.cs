using System.Text;
using CsCheck;

namespace EdgeBroker.Protocol.Tests.Random;

/// <summary>Strings, topic names, filters and bytes at random.</summary>
internal static class RandomText
{
    private static readonly Gen<int> Scalar = Gen.OneOf(Gen.Int[0x20, 0x7E], Gen.Int[1, 0xD7FF], Gen.Int[0xE000, 0x10FFFF]);

    public static Gen<byte[]> Bytes { get; } = Gen.Byte.Array[0, 40];

    public static Gen<byte[]> Text { get; } = Scalar.Array[0, 12].Select(Encode);

    private static readonly Gen<string> Level = Gen.OneOf(Gen.OneOf("", "a", "$SYS", "temperature", "$share"), Scalar.Array[1, 6]
        .Select(scalars => Encoding.UTF8.GetString(Encode([.. scalars.Where(s => s is not ('+' or '#' or '/'))]))));

    public static Gen<byte[]> TopicName { get; } = Level.Array[1, 5].Select(levels => NotEmpty(string.Join('/', levels)));

    public static Gen<byte[]> TopicFilter { get; } = Gen.Select(Gen.OneOf(Level, Gen.Const("+")).Array[1, 5], Gen.Bool, Gen.Bool, (levels, hash, shared) =>
    {
        string filter = string.Join('/', levels) + (hash ? "/#" : "");
        if (filter.Length == 0 || filter.StartsWith("$share/", StringComparison.Ordinal)) filter = "x" + filter;
        return Encoding.UTF8.GetBytes(shared ? $"$share/group/{filter}" : filter);
    });

    private static byte[] NotEmpty(string text) => Encoding.UTF8.GetBytes(text.Length == 0 ? "/" : text);

    private static byte[] Encode(int[] scalars) => Encoding.UTF8.GetBytes(string.Concat(scalars.Select(s => new Rune(s).ToString())));
}
