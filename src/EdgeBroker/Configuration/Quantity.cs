using System.Globalization;

namespace EdgeBroker.Configuration;

/// <summary>A whole number followed at once by a unit, as in "30s" or "64KB".</summary>
internal static class Quantity
{
    /// <summary>Reads text in the unit's measure; false when it is no number, has no such unit, or does not fit.</summary>
    public static bool TryRead(string text, ReadOnlySpan<(string Unit, long Factor)> units, out long amount)
    {
        amount = 0;
        int digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
        if (!long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number)) return false;
        foreach ((string unit, long factor) in units)
        {
            if (text.AsSpan(digits).SequenceEqual(unit)) return (amount = Multiply(number, factor)) >= 0;
        }

        return false;
    }

    /// <summary>Shows an amount in the largest unit that divides it; units are given from the largest to the smallest.</summary>
    public static string Show(long amount, ReadOnlySpan<(string Unit, long Factor)> units)
    {
        foreach ((string unit, long factor) in units)
        {
            if (amount != 0 && amount % factor == 0) return string.Create(CultureInfo.InvariantCulture, $"{amount / factor}{unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{amount}{units[^1].Unit}");
    }

    /// <summary>
    /// What somebody probably meant who wrote no unit, an unknown one, or one in other letters ("30 sec", 30, "64kb"): the nearest thing that
    /// can be read, in quotes; null when there is no number in it.
    /// </summary>
    public static string? Suggest(string written, ReadOnlySpan<(string Unit, long Factor)> units, string unitWhenNone)
    {
        int digits = 0;
        while (digits < written.Length && char.IsAsciiDigit(written[digits])) digits++;
        if (digits is 0 or > 12) return null;
        string rest = written[digits..].Trim();
        if (rest.Length == 0) return $"\"{written[..digits]}{unitWhenNone}\"";
        foreach ((string unit, _) in units)
        {
            if (rest.Equals(unit, StringComparison.OrdinalIgnoreCase)) return $"\"{written[..digits]}{unit}\"";
        }

        // "sec", "min", "hours", "days", "Mbytes": the first letter tells.
        foreach ((string unit, _) in units)
        {
            if (char.ToLowerInvariant(rest[0]) == char.ToLowerInvariant(unit[0]) && unit != "ms" && rest.Length > 1) return $"\"{written[..digits]}{unit}\"";
        }

        return null;
    }

    private static long Multiply(long number, long factor) => number > long.MaxValue / factor ? -1 : number * factor;
}
