using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeBroker.Architecture.Tests;

/// <summary>A log event's id names it for good: in its project's own range, and once.</summary>
public sealed partial class LogEventTests
{
    private static readonly Dictionary<string, (int First, int Last)> Ranges = new(StringComparer.Ordinal)
    {
        ["EdgeBroker.Transport"] = (1000, 1999),
        ["EdgeBroker.Core"] = (2000, 2999),
        ["EdgeBroker.Mqtt"] = (3000, 3999),
        ["EdgeBroker.Client"] = (4000, 4999),
        ["EdgeBroker.Http"] = (5000, 5999),
        ["EdgeBroker.Security"] = (6000, 6999),
        ["EdgeBroker.Storage"] = (7000, 7999),
        ["EdgeBroker.Coap"] = (8000, 8999),
        ["EdgeBroker"] = (9000, 9999),
        ["EdgeBroker.Cluster"] = (10000, 10999),
        ["EdgeBroker.Webhooks"] = (12000, 12999),
        ["EdgeBroker.Telemetry"] = (13000, 13999),
        ["EdgeBroker.Bridge"] = (14000, 14999),
    };

    private static readonly List<(Project Project, int Id, string Place)> Events = [.. Find()];

    [Fact]
    public void Every_event_lies_in_its_project_s_range()
    {
        var strays = Events.Where(e => !Ranges.TryGetValue(e.Project.Name, out (int First, int Last) range) || e.Id < range.First || e.Id > range.Last);
        Rule.NothingBreaks(strays.Select(e => $"{e.Place}: event {e.Id} in {e.Project}"));
    }

    [Fact]
    public void No_id_names_two_events()
    {
        var twice = Events.GroupBy(e => e.Id).Where(g => g.Count() > 1);
        Rule.NothingBreaks(twice.Select(g => $"event {g.Key}: {string.Join(", ", g.Select(e => e.Place))}"));
    }

    [Fact]
    public void Every_log_message_has_an_id()
    {
        // Attributes that this test cannot read would pass unseen.
        int attributes = Repository.Products.SelectMany(p => Repository.FilesIn(p.Folder, "*.cs"))
            .Sum(file => AnyMessage().Count(File.ReadAllText(file)));
        Assert.Equal(attributes, Events.Count);
        Assert.NotEmpty(Events);
    }

    private static IEnumerable<(Project Project, int Id, string Place)> Find()
    {
        foreach (Project project in Repository.Products)
        {
            foreach (string file in Repository.FilesIn(project.Folder, "*.cs"))
            {
                string text = File.ReadAllText(file);
                foreach (Match match in Message().Matches(text))
                {
                    int line = text.AsSpan(0, match.Index).Count('\n') + 1;
                    yield return (project, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), $"{Repository.Relative(file)}:{line}");
                }
            }
        }
    }

    [GeneratedRegex(@"\[LoggerMessage\(")]
    private static partial Regex AnyMessage();

    /// <summary>The id comes first, named or not.</summary>
    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*|eventId:\s*)?(\d+)\s*,")]
    private static partial Regex Message();
}
