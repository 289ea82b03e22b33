using System.Globalization;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>So many in a time, as in "100/m"; where bytes are counted, with their unit, as in "1MB/s".</summary>
internal sealed class RateKind(bool ofBytes)
    : ValueKind<RateValue>(ofBytes ? "a rate of bytes, as in \"1MB/s\" or \"64KB/m\"; \"0B/s\": no limit" : "a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit")
{
    // More than any link carries, and few enough to be counted in nanoseconds.
    private const long Most = 1L << 40;

    private static readonly (string Unit, TimeSpan Per)[] Times =
        [("s", TimeSpan.FromSeconds(1)), ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1))];

    private static readonly (string Unit, long Factor)[] Sizes =
        [("GB", SizeKind.GB), ("MB", SizeKind.MB), ("KB", SizeKind.KB), ("GiB", SizeKind.GB), ("MiB", SizeKind.MB), ("KiB", SizeKind.KB), ("B", 1)];

    private static readonly (string Unit, long Factor)[] Plain = [("", 1)];

    protected override bool TryRead(ValueSyntax syntax, string? text, out RateValue value, ref string? hint)
    {
        value = default;
        string? written = text ?? (syntax as IntegerValueSyntax)?.Value.ToString(CultureInfo.InvariantCulture);
        if (written is null) return false;
        int slash = written.IndexOf('/', StringComparison.Ordinal);
        string number = slash < 0 ? written : written[..slash];
        string time = slash < 0 ? "" : written[(slash + 1)..];
        foreach ((string unit, TimeSpan per) in Times)
        {
            if (text is null || time != unit || !Quantity.TryRead(number, ofBytes ? Sizes : Plain, out long amount) || amount > Most) continue;
            value = new RateValue(amount, per, text);
            return true;
        }

        hint = Suggest(number.Trim(), time.Trim());
        return false;
    }

    // "10", "10 / sec", "10/min", "1mb/s": what was probably meant.
    private string? Suggest(string number, string time)
    {
        string unit = "s";
        foreach ((string known, _) in Times)
        {
            if (time.StartsWith(known, StringComparison.OrdinalIgnoreCase)) unit = known;
        }

        if (!ofBytes) return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? $"\"{number}/{unit}\"" : null;
        string? size = Quantity.TryRead(number, Sizes, out _) ? number : Quantity.Suggest(number, Sizes, "B")?.Trim('"');
        return size is null ? null : $"\"{size}/{unit}\"";
    }
}
