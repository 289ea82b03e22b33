using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Tests.Rig;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Events;

public sealed class BrokerEventLogTests
{
    private readonly LogLines<BrokerEventLog> _lines = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Every_reason_for_a_drop_has_words_of_its_own()
    {
        var events = new BrokerEventLog(_lines, _time);
        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            events.MessagesDropped(new DroppedEvent("away", reason, 3));
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(Enum.GetValues<DropReason>().Length, _lines.Distinct().Count());
        Assert.All(_lines, line => Assert.StartsWith("3 message(s) for away dropped: ", line, StringComparison.Ordinal));
        Assert.Throws<ArgumentOutOfRangeException>(() => events.MessagesDropped(new DroppedEvent("away", (DropReason)99, 1)));
    }

    [Theory]
    [InlineData(DropReason.SlowClient, "mqtt.max_outbound_bytes")]
    [InlineData(DropReason.QueueFull, "mqtt.max_queued_messages")]
    [InlineData(DropReason.QueueFull, "mqtt.max_queued_bytes")]
    [InlineData(DropReason.StoreFull, "storage.max_bytes")]
    [InlineData(DropReason.StoreDamaged, "storage.on_corruption")]
    public void A_drop_that_a_key_decides_about_names_the_key(DropReason reason, string key)
    {
        new BrokerEventLog(_lines, _time).MessagesDropped(new DroppedEvent("away", reason, 1));
        Assert.Contains(key, Assert.Single(_lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_action_of_a_limit_and_every_stage_of_memory_has_words_of_its_own()
    {
        var events = new BrokerEvents(new BrokerEventLog(_lines, _time));
        var limits = new BrokerLimits(new BrokerClock(_time), events);
        foreach (LimitAction action in Enum.GetValues<LimitAction>()) limits.Report(LimitKind.MaxMemory, action, "c");
        foreach (MemoryStage stage in Enum.GetValues<MemoryStage>()) events.MemoryStageChanged(new MemoryStageEvent(stage, 1024, 2048));
        Assert.Equal(Enum.GetValues<LimitAction>().Length + Enum.GetValues<MemoryStage>().Length, _lines.Distinct().Count());
    }
}
