using System.Globalization;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A number of bytes with its unit, within bounds; 1 KB is 1,024 bytes.</summary>
internal sealed class SizeKind(long min, long max) : ValueKind<long>($"a size from \"{Show(min)}\" to \"{Show(max)}\"")
{
    public const long KB = 1024;
    public const long MB = 1024 * KB;
    public const long GB = 1024 * MB;

    private static ReadOnlySpan<(string Unit, long Factor)> Units => UnitTable;

    private static readonly (string Unit, long Factor)[] UnitTable =
        [("GB", GB), ("MB", MB), ("KB", KB), ("GiB", GB), ("MiB", MB), ("KiB", KB), ("B", 1)];

    public static string Show(long bytes) => Quantity.Show(bytes, Units);

    protected override bool TryRead(ValueSyntax syntax, string? text, out long value, ref string? hint)
    {
        value = 0;
        if (text is not null && Quantity.TryRead(text, Units, out value)) return value >= min && value <= max;
        string? written = text ?? (syntax as IntegerValueSyntax)?.Value.ToString(CultureInfo.InvariantCulture);
        hint = written is null ? null : Quantity.Suggest(written, Units, "B");
        return false;
    }
}
