using System.Globalization;

namespace EdgeBroker.Cli;

/// <summary>Numbers as people read them.</summary>
internal static class Shown
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>A length of time by its two largest units: <c>2 d 3 h</c>.</summary>
    public static string Duration(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Max(0, seconds));
        if (time.TotalDays >= 1) return string.Create(CultureInfo.InvariantCulture, $"{time.Days} d {time.Hours} h");
        if (time.TotalHours >= 1) return string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes} min");
        if (time.TotalMinutes >= 1) return string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s");
        return string.Create(CultureInfo.InvariantCulture, $"{time.Seconds} s");
    }

    /// <summary>Bytes in the largest unit that leaves something before the point.</summary>
    public static string Bytes(double bytes)
    {
        int unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 || bytes >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>A plain number.</summary>
    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>How many a second.</summary>
    public static string Rate(double perSecond) => perSecond.ToString(perSecond < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + "/s";
}
