using System.Globalization;
using System.Text.Json;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Core.Limits;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration.Schema;

/// <summary>Kinds of values with a unit.</summary>
internal static partial class Kinds
{
    /// <summary>How much memory there may be.</summary>
    public static readonly MemoryLimitKind MemoryLimit = new();

    /// <summary>A part of something.</summary>
    public static readonly FractionKind Fraction = new();

    /// <summary>A size, in bytes.</summary>
    public static SizeKind Size(long min, long max) => new(min, max);

    /// <summary>A duration in whole seconds.</summary>
    public static DurationKind Seconds(long min, long max) => new(TimeSpan.FromSeconds(min), TimeSpan.FromSeconds(max), DurationKind.Second);

    /// <summary>A duration in milliseconds.</summary>
    public static DurationKind Milliseconds(long min, long max) =>
        new(TimeSpan.FromMilliseconds(min), TimeSpan.FromMilliseconds(max), DurationKind.Millisecond);

    /// <summary>So many in a time.</summary>
    public static RateLimitKind RateLimit(string key) => new(key, null, ofBytes: false);

    /// <summary>So many in a time, of a client; what is too much takes a choice.</summary>
    public static RateLimitKind RateLimit(string key, ExceedAction onExceed, bool ofBytes = false) => new(key, onExceed, ofBytes);
}

/// <summary>A whole number followed at once by a unit, as in "30s" or "64KB".</summary>
internal static class Quantity
{
    /// <summary>The units of bytes, from the largest to the smallest.</summary>
    public static readonly (string Unit, long Factor)[] Bytes =
        [("GB", SizeKind.GB), ("MB", SizeKind.MB), ("KB", SizeKind.KB), ("GiB", SizeKind.GB), ("MiB", SizeKind.MB), ("KiB", SizeKind.KB), ("B", 1)];

    /// <summary>A regular expression for an amount in one of these units.</summary>
    public static string PatternOf((string Unit, long Factor)[] units) => $"[0-9]+({string.Join('|', units.Select(unit => unit.Unit))})";

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
            if (char.ToLowerInvariant(rest[0]) == char.ToLowerInvariant(unit[0]) && unit != "ms") return $"\"{written[..digits]}{unit}\"";
        }

        return null;
    }

    /// <summary>What is written, as a string or as a number; null: something else.</summary>
    public static string? Written(ValueSyntax syntax, string? text) => text ?? (syntax as IntegerValueSyntax)?.Value.ToString(CultureInfo.InvariantCulture);

    private static long Multiply(long number, long factor) => number > long.MaxValue / factor ? -1 : number * factor;
}

/// <summary>A number of bytes with its unit, within bounds; 1 KB is 1,024 bytes.</summary>
internal sealed class SizeKind(long min, long max) : StringKind<long>($"a size from \"{ShowBytes(min)}\" to \"{ShowBytes(max)}\"")
{
    public const long KB = 1024;
    public const long MB = 1024 * KB;
    public const long GB = 1024 * MB;

    protected override string Pattern => $"^{Quantity.PatternOf(Quantity.Bytes)}$";

    public static string ShowBytes(long bytes) => Quantity.Show(bytes, Quantity.Bytes);

    protected override string Show(long value) => ShowBytes(value);

    protected override bool TryRead(ValueSyntax syntax, string? text, out long value, ref string? hint)
    {
        value = 0;
        if (text is not null && Quantity.TryRead(text, Quantity.Bytes, out value)) return value >= min && value <= max;
        hint = Quantity.Written(syntax, text) is { } written ? Quantity.Suggest(written, Quantity.Bytes, "B") : null;
        return false;
    }
}

/// <summary>A duration with its unit, within bounds, in steps of <paramref name="step"/>.</summary>
internal sealed class DurationKind(TimeSpan min, TimeSpan max, TimeSpan step)
    : StringKind<TimeSpan>($"a duration from \"{ShowDuration(min)}\" to \"{ShowDuration(max)}\"{(step == Second ? " in whole seconds" : "")}")
{
    /// <summary>The step of durations that MQTT counts in seconds.</summary>
    public static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private static readonly (string Unit, long Factor)[] Units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

    protected override string Pattern => $"^{Quantity.PatternOf(Units)}$";

    protected override string Show(TimeSpan value) => ShowDuration(value);

    protected override bool TryRead(ValueSyntax syntax, string? text, out TimeSpan value, ref string? hint)
    {
        value = default;
        if (text is not null && Quantity.TryRead(text, Units, out long milliseconds))
        {
            // Compared in milliseconds: a TimeSpan cannot hold every long of them.
            if (milliseconds < min.TotalMilliseconds || milliseconds > max.TotalMilliseconds) return false;
            value = TimeSpan.FromMilliseconds(milliseconds);
            return value.Ticks % step.Ticks == 0;
        }

        hint = Quantity.Written(syntax, text) is { } written ? Quantity.Suggest(written, Units, "s") : null;
        return false;
    }

    private static string ShowDuration(TimeSpan duration) => duration == TimeSpan.Zero ? "0s" : Quantity.Show((long)duration.TotalMilliseconds, Units);
}

/// <summary>How much memory the process may have: a size, what the system leaves it, or any amount.</summary>
internal sealed class MemoryLimitKind() : StringKind<MemoryLimit>("\"auto\", \"none\", or a size from \"32MB\" to \"1024GB\"")
{
    protected override string Pattern => $"^(auto|none|{Quantity.PatternOf(Quantity.Bytes)})$";

    protected override string Show(MemoryLimit value) => value.IsAutomatic ? "auto" : value == MemoryLimit.None ? "none" : SizeKind.ShowBytes(value.Bytes);

    protected override bool TryRead(ValueSyntax syntax, string? text, out MemoryLimit value, ref string? hint)
    {
        value = text == "none" ? MemoryLimit.None : MemoryLimit.Automatic;
        if (text is "none" or "auto") return true;
        if (text is not null && Quantity.TryRead(text, Quantity.Bytes, out long bytes))
        {
            value = new MemoryLimit(bytes, false);
            return bytes is >= 32 * SizeKind.MB and <= 1024 * SizeKind.GB;
        }

        hint = Quantity.Written(syntax, text) is { } written ? Quantity.Suggest(written, Quantity.Bytes, "B") : null;
        return false;
    }
}

/// <summary>A rate as written.</summary>
/// <param name="Amount">How many; 0: no limit.</param>
/// <param name="Per">In which time.</param>
/// <param name="Text">As written.</param>
internal readonly record struct RateValue(long Amount, TimeSpan Per, string Text);

/// <summary>So many in a time, as in "100/m"; where bytes are counted, with their unit, as in "1MB/s".</summary>
internal sealed class RateKind(bool ofBytes)
    : StringKind<RateValue>(
        ofBytes ? "a rate of bytes, as in \"1MB/s\" or \"64KB/m\"; \"0B/s\": no limit" : "a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit")
{
    // More than any link carries, and few enough to be counted in nanoseconds.
    private const long Most = 1L << 40;

    private static readonly (string Unit, TimeSpan Per)[] Times =
        [("s", TimeSpan.FromSeconds(1)), ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1))];

    private static readonly (string Unit, long Factor)[] Plain = [("", 1)];

    protected override string Pattern => $"^{Quantity.PatternOf(Amounts)}/({string.Join('|', Times.Select(time => time.Unit))})$";

    private (string Unit, long Factor)[] Amounts => ofBytes ? Quantity.Bytes : Plain;

    protected override string Show(RateValue value) => value.Text;

    protected override bool TryRead(ValueSyntax syntax, string? text, out RateValue value, ref string? hint)
    {
        value = default;
        if (Quantity.Written(syntax, text) is not { } written) return false;
        int slash = written.IndexOf('/', StringComparison.Ordinal);
        string number = slash < 0 ? written : written[..slash];
        string time = slash < 0 ? "" : written[(slash + 1)..];
        foreach ((string unit, TimeSpan per) in Times)
        {
            if (text is null || time != unit || !Quantity.TryRead(number, Amounts, out long amount) || amount > Most) continue;
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
        string? size = Quantity.TryRead(number, Amounts, out _) ? number : Quantity.Suggest(number, Amounts, "B")?.Trim('"');
        return size is null ? null : $"\"{size}/{unit}\"";
    }
}

/// <summary>One rate of <c>[limits]</c> as read.</summary>
internal sealed record RateDraft(ExceedAction OnExceed)
{
    public RateValue Rate { get; init; }

    /// <summary>Null: as many as the rate names.</summary>
    public long? Burst { get; init; }

    /// <summary>What comes of it; null: no limit.</summary>
    public RateLimit? Limit => Rate.Amount == 0 ? null : new RateLimit(Rate.Amount, Rate.Per, Burst ?? Rate.Amount) { OnExceed = OnExceed, Text = Rate.Text };
}

/// <summary>A rate with its burst and, for rates of clients, what becomes of the excess. Null: no limit.</summary>
internal sealed class RateLimitKind : CompositeKind<RateLimit>
{
    private readonly TableSchema<RateDraft> _schema;
    private readonly ExceedAction? _onExceed;
    private readonly bool _ofBytes;

    /// <param name="key">The key, for errors about what is in it.</param>
    /// <param name="onExceed">What becomes of the excess by default; null: there is no choice.</param>
    /// <param name="ofBytes">Whether bytes are counted.</param>
    public RateLimitKind(string key, ExceedAction? onExceed, bool ofBytes)
        : base(
            $"{{ rate = \"{(ofBytes ? "1MB/s" : "100/m")}\", burst = {(ofBytes ? "\"256KB\"" : "20")}{(onExceed is null ? "" : ", on_exceed = \"delay\"")} }}")
    {
        _onExceed = onExceed;
        _ofBytes = ofBytes;
        _schema = new TableSchema<RateDraft>($"[limits.{key}]")
            .Key("rate", new RateKind(ofBytes), o => o.Rate, (o, v) => o with { Rate = v }, Applies.AtOnce, "how many in a time", required: true, example: "");
        const string Burst = "how many at once; by default as many as the rate names";
        if (ofBytes) _schema.Key("burst", Kinds.Size(1, 64 * SizeKind.GB), o => o.Burst, (o, v) => o with { Burst = v }, Applies.AtOnce, Burst);
        else _schema.Key("burst", Kinds.Integer(1, 1_000_000_000), o => (int?)o.Burst, (o, v) => o with { Burst = v }, Applies.AtOnce, Burst);
        if (onExceed is null) return;
        ChoiceKind<ExceedAction> actions = Kinds.Choice(("delay", ExceedAction.Delay), ("drop", ExceedAction.Drop), ("disconnect", ExceedAction.Disconnect));
        _schema.Key("on_exceed", actions, o => o.OnExceed, (o, v) => o with { OnExceed = v }, Applies.AtOnce, "what becomes of the excess");
    }

    public override string ToToml(RateLimit? value)
    {
        var document = new TomlDocument();
        _schema.WriteValues(document, DraftOf(value), new RateDraft(_onExceed ?? default), "", new Dictionary<string, SourcePosition>());
        return document.ToInlineTable();
    }

    public override void WriteJson(Utf8JsonWriter json, RateLimit? value) => _schema.WriteJson(json, DraftOf(value), new RateDraft(_onExceed ?? default));

    public override void WriteSchema(Utf8JsonWriter json) => _schema.WriteSchemaMembers(json, new RateDraft(_onExceed ?? default));

    public override bool TryRead(TomlEntry entry, BindContext context, out RateLimit value)
    {
        value = null!;
        if (entry.Node is not TomlTable table)
        {
            Reject(entry, null, null, context);
            return false;
        }

        value = _schema.Bind(table, new RateDraft(_onExceed ?? default), context, path: null).Limit!;
        return true;
    }

    private RateDraft DraftOf(RateLimit? limit) => limit is null
        ? new RateDraft(_onExceed ?? default) { Rate = new RateValue(0, TimeSpan.FromSeconds(1), _ofBytes ? "0B/s" : "0/s") }
        : new RateDraft(limit.OnExceed) { Rate = new RateValue(limit.Amount, limit.Per, limit.Text), Burst = limit.Burst };
}

/// <summary>A number from 0 to 1.</summary>
internal sealed class FractionKind() : ValueKind<double>("a number from 0 to 1")
{
    public override string ToToml(double value) => value.ToString("0.0##########", CultureInfo.InvariantCulture);

    public override void WriteJson(Utf8JsonWriter json, double value) => json.WriteNumberValue(value);

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "number");
        json.WriteNumber("minimum", 0);
        json.WriteNumber("maximum", 1);
    }

    protected override bool TryRead(ValueSyntax syntax, string? text, out double value, ref string? hint)
    {
        value = syntax switch
        {
            FloatValueSyntax number => number.Value,
            IntegerValueSyntax whole => whole.Value,
            _ => double.NaN,
        };
        return value is >= 0 and <= 1;
    }
}
