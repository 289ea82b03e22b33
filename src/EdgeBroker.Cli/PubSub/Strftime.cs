using System.Globalization;

namespace EdgeBroker.Cli.PubSub;

/// <summary>The letters of strftime(3), in the C locale, and <c>N</c> for nanoseconds.</summary>
internal static class Strftime
{
    public static string Iso8601(DateTimeOffset t) => Say(t, "yyyy-MM-dd'T'HH:mm:ss") + Offset(t);

    public static string Iso8601Micro(DateTimeOffset t) => Say(t, "yyyy-MM-dd'T'HH:mm:ss.ffffff") + Offset(t);

    public static string UnixNanoseconds(DateTimeOffset t) => $"{t.ToUnixTimeSeconds()}.{Nanoseconds(t)}";

    public static string Format(char letter, DateTimeOffset t) => letter switch
    {
        '@' or '%' => letter.ToString(),
        'N' => Nanoseconds(t),
        'Y' => Say(t, "yyyy"),
        'G' => Number(ISOWeek.GetYear(t.DateTime), 4),
        'g' => Number(ISOWeek.GetYear(t.DateTime) % 100, 2),
        'V' => Number(ISOWeek.GetWeekOfYear(t.DateTime), 2),
        'C' => Number(t.Year / 100, 2),
        'y' => Say(t, "yy"),
        'm' => Say(t, "MM"),
        'd' => Say(t, "dd"),
        'e' => Blank(t.Day),
        'H' => Say(t, "HH"),
        'I' => Say(t, "hh"),
        'k' => Blank(t.Hour),
        'l' => Blank(t.Hour % 12 == 0 ? 12 : t.Hour % 12),
        'M' => Say(t, "mm"),
        'S' => Say(t, "ss"),
        'p' => t.Hour < 12 ? "AM" : "PM",
        'P' => t.Hour < 12 ? "am" : "pm",
        'a' => Say(t, "ddd"),
        'A' => Say(t, "dddd"),
        'b' or 'h' => Say(t, "MMM"),
        'B' => Say(t, "MMMM"),
        'j' => Number(t.DayOfYear, 3),
        'u' => Number(t.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)t.DayOfWeek, 1),
        'w' => Number((int)t.DayOfWeek, 1),
        'U' => Number((t.DayOfYear + 6 - (int)t.DayOfWeek) / 7, 2),
        'W' => Number((t.DayOfYear + 6 - (((int)t.DayOfWeek + 6) % 7)) / 7, 2),
        's' => t.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        'z' => Offset(t),
        'Z' => t.Offset == TimeSpan.Zero ? "UTC" : Offset(t),
        'F' => Say(t, "yyyy-MM-dd"),
        'T' or 'X' => Say(t, "HH:mm:ss"),
        'R' => Say(t, "HH:mm"),
        'r' => Say(t, "hh:mm:ss ") + (t.Hour < 12 ? "AM" : "PM"),
        'D' or 'x' => Say(t, "MM'/'dd'/'yy"),
        'c' => $"{Say(t, "ddd MMM")} {Blank(t.Day)} {Say(t, "HH:mm:ss yyyy")}",
        'n' => "\n",
        't' => "\t",
        _ => "@" + letter,
    };

    private static string Say(DateTimeOffset t, string format) => t.ToString(format, CultureInfo.InvariantCulture);

    private static string Number(int value, int digits) => value.ToString("D" + digits, CultureInfo.InvariantCulture);

    private static string Blank(int value) => value.ToString(CultureInfo.InvariantCulture).PadLeft(2);

    private static string Nanoseconds(DateTimeOffset t) => Number((int)(t.Ticks % TimeSpan.TicksPerSecond) * 100, 9);

    private static string Offset(DateTimeOffset t) => (t.Offset < TimeSpan.Zero ? "-" : "+") + t.Offset.ToString("hhmm", CultureInfo.InvariantCulture);
}
