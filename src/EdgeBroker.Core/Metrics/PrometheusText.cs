using System.Buffers;
using System.Globalization;
using System.Text;

namespace EdgeBroker.Core.Metrics;

/// <summary>
/// Writes what is registered as Prometheus reads it: in its text format 0.0.4, or as OpenMetrics 1.0. Dots become underscores, what counts ends in
/// <c>_total</c>, and times are in seconds.
/// </summary>
public static class PrometheusText
{
    /// <summary>The content type of the text format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The content type of OpenMetrics.</summary>
    public const string OpenMetricsContentType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// <summary>Whether a client that accepts this wants OpenMetrics.</summary>
    public static bool IsOpenMetrics(string? accept) => accept?.Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Writes everything that has something to tell.</summary>
    public static void Write(MeterRegistry meters, IBufferWriter<byte> output, bool isOpenMetrics)
    {
        meters.NoteRead();
        var text = new StringBuilder();
        foreach (IGrouping<string, MeterEntry> group in meters.Entries.GroupBy(entry => entry.Name)) WriteNumbers(text, group, isOpenMetrics);
        foreach (IGrouping<string, HistogramMeter> group in meters.Histograms.GroupBy(histogram => histogram.Name))
        {
            WriteHead(text, NameOf(group.First()), "histogram", group.First().Help);
            foreach (HistogramMeter histogram in group) WriteHistogram(text, histogram);
        }

        if (isOpenMetrics) text.Append("# EOF\n");
        Encoding.UTF8.GetBytes(text.ToString(), output);
    }

    /// <summary>The name it has there.</summary>
    public static string NameOf(MeterEntry entry) => NameOf(entry.Name, entry.Unit) + (entry.Kind == MeterKind.Counter ? "_total" : "");

    /// <summary>The name it has there.</summary>
    public static string NameOf(HistogramMeter histogram) => NameOf(histogram.Name, histogram.Unit);

    // Without the ending of what counts.
    private static string NameOf(string name, string unit)
    {
        string plain = Cut(Cut(name, ".total"), ".ms").Replace('.', '_');
        string ending = unit switch { MeterUnit.Bytes => "bytes", MeterUnit.Seconds or MeterUnit.Milliseconds => "seconds", _ => "" };
        return ending.Length == 0 || plain.Split('_').Contains(ending) ? plain : $"{plain}_{ending}";
    }

    private static string Cut(string name, string ending) => name.EndsWith(ending, StringComparison.Ordinal) ? name[..^ending.Length] : name;

    private static void WriteNumbers(StringBuilder text, IGrouping<string, MeterEntry> group, bool isOpenMetrics)
    {
        MeterEntry first = group.First();
        bool isHeaded = false;
        foreach (MeterEntry entry in group)
        {
            if (entry.Read() is not { } value) continue;
            if (!isHeaded)
            {
                // In OpenMetrics a family is named without the ending.
                string family = isOpenMetrics ? NameOf(first.Name, first.Unit) : NameOf(first);
                WriteHead(text, family, first.Kind == MeterKind.Counter ? "counter" : "gauge", first.Help);
                isHeaded = true;
            }

            text.Append(NameOf(first));
            WriteTags(text, entry.Tags);
            text.Append(' ').Append(Number(value, entry.Unit)).Append('\n');
        }
    }

    private static void WriteHistogram(StringBuilder text, HistogramMeter histogram)
    {
        string name = NameOf(histogram);
        long[] counts = histogram.Counts();
        long sum = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            sum += counts[i];
            string bound = i < histogram.Bounds.Count ? Number(histogram.Bounds[i], histogram.Unit) : "+Inf";
            WriteValue("_bucket", [.. histogram.Tags, new MeterTag("le", bound)], sum.ToString(CultureInfo.InvariantCulture));
        }

        WriteValue("_sum", histogram.Tags, Number(histogram.Sum, histogram.Unit));
        WriteValue("_count", histogram.Tags, sum.ToString(CultureInfo.InvariantCulture));

        void WriteValue(string ending, IReadOnlyList<MeterTag> tags, string value)
        {
            text.Append(name).Append(ending);
            WriteTags(text, tags);
            text.Append(' ').Append(value).Append('\n');
        }
    }

    private static void WriteHead(StringBuilder text, string name, string type, string help)
    {
        text.Append("# HELP ").Append(name).Append(' ');
        Escape(text, help, quote: false);
        text.Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    private static void WriteTags(StringBuilder text, IReadOnlyList<MeterTag> tags)
    {
        if (tags.Count == 0) return;
        for (int i = 0; i < tags.Count; i++)
        {
            text.Append(i == 0 ? '{' : ',').Append(tags[i].Key.Replace('.', '_')).Append("=\"");
            Escape(text, tags[i].Value, quote: true);
            text.Append('"');
        }

        text.Append('}');
    }

    private static void Escape(StringBuilder text, string value, bool quote)
    {
        foreach (char letter in value)
        {
            if (letter == '\n') text.Append("\\n");
            else if (letter == '\\' || (quote && letter == '"')) text.Append('\\').Append(letter);
            else text.Append(letter);
        }
    }

    private static string Number(double value, string unit) =>
        (unit == MeterUnit.Milliseconds ? value / 1000 : value).ToString("R", CultureInfo.InvariantCulture);
}
