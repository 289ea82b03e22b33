using EdgeBroker.Core.Limits;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>How much memory the process may have: a size, what the system leaves it, or any amount.</summary>
internal sealed class MemoryLimitKind() : ValueKind<MemoryLimit>("\"auto\", \"none\", or a size from \"32MB\" to \"1024GB\"")
{
    private static readonly (string Unit, long Factor)[] Units =
        [("GB", SizeKind.GB), ("MB", SizeKind.MB), ("KB", SizeKind.KB), ("GiB", SizeKind.GB), ("MiB", SizeKind.MB), ("KiB", SizeKind.KB), ("B", 1)];

    protected override bool TryRead(ValueSyntax syntax, string? text, out MemoryLimit value, ref string? hint)
    {
        value = text == "none" ? MemoryLimit.None : MemoryLimit.Automatic;
        if (text is "none" or "auto") return true;
        if (text is not null && Quantity.TryRead(text, Units, out long bytes))
        {
            value = new MemoryLimit(bytes, false);
            return bytes is >= 32 * SizeKind.MB and <= 1024 * SizeKind.GB;
        }

        string? written = text ?? (syntax as IntegerValueSyntax)?.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
        hint = written is null ? null : Quantity.Suggest(written, Units, "B");
        return false;
    }
}
