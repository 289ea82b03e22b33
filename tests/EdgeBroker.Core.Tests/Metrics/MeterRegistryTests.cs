using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Metrics;

/// <summary>One registry for everything that is told in numbers.</summary>
public sealed class MeterRegistryTests
{
    [Fact]
    public void Numbers_are_seen_by_whoever_listens_to_the_meter_from_publishing_to_disposal()
    {
        long count = 7;
        using var registry = new MeterRegistry();
        registry.Counter("edgebroker.test.early", MeterUnit.Packets, "early", () => count);
        Assert.Empty(Listen());
        registry.Publish();
        registry.Publish();
        registry.Gauge("edgebroker.test.late", MeterUnit.Bytes, "late", () => count * 2);
        registry.Gauge("edgebroker.test.silent", MeterUnit.Bytes, "silent", () => null);
        Assert.Equal(["ObservableCounter edgebroker.test.early {packet} early: 7", "ObservableGauge edgebroker.test.late By late: 14"], Listen());
        count = 8;
        Assert.Contains("ObservableCounter edgebroker.test.early {packet} early: 8", Listen());
        registry.Dispose();
        Assert.Empty(Listen());
    }

    [Fact]
    public void Numbers_of_one_name_are_one_instrument_with_tags()
    {
        using var registry = new MeterRegistry();
        registry.Publish();
        registry.Counter("edgebroker.test.tagged", "{x}", "x", () => 1, tags: new MeterTag("limit", "a"));
        registry.Counter("edgebroker.test.tagged", "{x}", "x", () => 2, tags: new MeterTag("limit", "b"));
        Assert.Equal(["ObservableCounter edgebroker.test.tagged {x} x: 1 limit=a", "ObservableCounter edgebroker.test.tagged {x} x: 2 limit=b"], Listen());
    }

    [Fact]
    public void Whatever_a_broker_tells_has_a_name_a_unit_and_help_and_a_topic_of_its_own_or_a_part_of_a_sum()
    {
        var bench = new Bench(journal: new TestJournal());
        IReadOnlyList<MeterEntry> entries = bench.Broker.Meters.Entries;
        Assert.InRange(entries.Count, 40, 1_000);
        Assert.All(entries, entry =>
        {
            Assert.Matches("^(edgebroker|mqtt)(\\.[a-z]+)+$", entry.Name);
            Assert.Matches("^(By|s|ms|d|\\{[a-z]+})$", entry.Unit);
            Assert.NotEmpty(entry.Help);
            entry.Read();
        });
        string[] topics = [.. entries.SelectMany(entry => entry.SysTopics.Distinct()), .. bench.Broker.Meters.States.Select(state => state.SysTopic)];
        // These are sums.
        Assert.Equal(
            [
                "clients/active", "clients/connected", "clients/total", "messages/received", "messages/sent", "publish/messages/dropped",
                "publish/messages/received", "publish/messages/sent", "store/messages/count",
            ],
            topics.GroupBy(topic => topic).Where(group => group.Count() > 1).Select(group => group.Key).Order());
        Assert.Equal(entries.Count, entries.Select(entry => entry.Name + string.Join(',', entry.Tags)).Distinct().Count());
        // One name, one instrument: what it is must be said alike.
        Assert.All(entries.GroupBy(entry => entry.Name), group => Assert.Single(group.Select(entry => (entry.Kind, entry.Unit, entry.Help)).Distinct()));
    }

    /// <summary>What is published under the names of these tests.</summary>
    private static List<string> Listen()
    {
        List<string> seen = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "EdgeBroker" && instrument.Name.StartsWith("edgebroker.test.", StringComparison.Ordinal))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            string shown = string.Concat(tags.ToArray().Select(tag => $" {tag.Key}={tag.Value}"));
            seen.Add($"{Regex.Replace(instrument.GetType().Name, "`.*", "")} {instrument.Name} {instrument.Unit} {instrument.Description}: {value}{shown}");
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;
    }
}
