using System.Globalization;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A duration with its unit, within bounds, in steps of <paramref name="step"/>.</summary>
internal sealed class DurationKind(TimeSpan min, TimeSpan max, TimeSpan step)
    : ValueKind<TimeSpan>($"a duration from \"{Show(min)}\" to \"{Show(max)}\"{(step == Second ? " in whole seconds" : "")}")
{
    /// <summary>The step of durations that MQTT counts in seconds.</summary>
    public static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private static ReadOnlySpan<(string Unit, long Factor)> Units => UnitTable;

    private static readonly (string Unit, long Factor)[] UnitTable =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

    public static string Show(TimeSpan duration) =>
        duration == TimeSpan.Zero ? "0s" : Quantity.Show((long)duration.TotalMilliseconds, Units);

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

        string? written = text ?? (syntax as IntegerValueSyntax)?.Value.ToString(CultureInfo.InvariantCulture);
        hint = written is null ? null : Quantity.Suggest(written, Units, "s");
        return false;
    }
}
