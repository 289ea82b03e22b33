using System.Text;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Retained;

/// <summary>Retained values with stamps: the newest wins wherever it comes from.</summary>
public sealed class RetainedStampTests
{
    private readonly Bench _bench = new();
    private readonly Stamps _stamps = new();

    public RetainedStampTests() => _bench.Broker.Stamps = _stamps;

    [Fact]
    public void An_older_value_changes_nothing_and_an_equal_one_is_known()
    {
        Assert.True(Merge("a", "second", 20));
        Assert.False(Merge("a", "first", 10));
        Assert.False(Merge("a", "second", 20));
        Assert.Equal("second", Value("a"));
        Assert.True(Merge("a", "third", 30));
        Assert.Equal("third", Value("a"));
    }

    [Fact]
    public void A_deletion_is_remembered_until_it_is_forgotten()
    {
        _bench.Publish("a", "value", retain: true);
        _bench.Publish("a", "", retain: true);
        Assert.Null(Value("a"));
        Assert.False(Merge("a", "older", 1));
        Message tombstone = _bench.Broker.Retained.Look("a"u8)!;
        Assert.True(tombstone.IsTombstone);
        _bench.Broker.Retained.Forget(tombstone);
        Assert.True(Merge("a", "older", 1));
    }

    [Fact]
    public void A_publish_takes_effect_after_all_that_was_merged()
    {
        Merge("a", "theirs", 500);
        _stamps.Last = 500;
        _bench.Publish("a", "ours", retain: true);
        Assert.Equal("ours", Value("a"));
    }

    [Fact]
    public void Without_stamps_a_retained_message_is_held()
    {
        _stamps.AreUsedUp = true;
        PublishOutcome outcome = _bench.Publish("a", "value", QoS.AtLeastOnce, retain: true);
        Assert.True(outcome.IsHeld);
        Assert.Null(Value("a"));
        // Others go on.
        Assert.False(_bench.Publish("a", "value", QoS.AtLeastOnce).IsHeld);
    }

    [Fact]
    public void What_changed_after_a_place_in_the_order_is_read_with_tombstones()
    {
        _bench.Publish("a", "1", retain: true);
        _bench.Publish("b", "2", retain: true);
        long place = _bench.Broker.Retained.LastOrdinal;
        _bench.Publish("a", "", retain: true);
        _bench.Publish("c/d", "3", retain: true);
        _bench.Publish("$other", "4", retain: true);
        using RetainedReader reader = _bench.Broker.Retained.ReadSince(place);
        List<string> read = [];
        while (reader.TryTake(out Message? row)) read.Add($"{Encoding.UTF8.GetString(row.Topic)}={Encoding.UTF8.GetString(row.Payload)}");
        Assert.True(reader.IsDone);
        Assert.Equal(["$other=4", "a=", "c/d=3"], read.Order(StringComparer.Ordinal));
        Assert.Equal(_bench.Broker.Retained.LastOrdinal, reader.Through);
    }

    private bool Merge(string topic, string payload, long stamp) => _bench.Broker.MergeRetained(
        new Message { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), Retain = true, Stamp = new Stamp(stamp) });

    private string? Value(string topic) =>
        _bench.Broker.FindRetained(Encoding.UTF8.GetBytes(topic)) is { } message ? Encoding.UTF8.GetString(message.Payload) : null;

    private sealed class Stamps : IStampSource
    {
        public long Last { get; set; } = 100;

        public bool AreUsedUp { get; set; }

        public bool TryNext(out Stamp stamp)
        {
            stamp = AreUsedUp ? Stamp.None : new Stamp(++Last);
            return !AreUsedUp;
        }
    }
}
