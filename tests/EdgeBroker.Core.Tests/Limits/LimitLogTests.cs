using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Tests.Rig;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class LimitLogTests
{
    private readonly LogLines<BrokerEventLog> _lines = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_line_names_key_value_and_client_and_a_flood_of_one_limit_hides_no_other()
    {
        var events = new BrokerEvents(new BrokerEventLog(_lines, _time));
        var limits = new BrokerLimits(new BrokerClock(_time), events);
        limits.Replace(new LimitOptions
        {
            PublishesPerClient = new RateLimit(1000, TimeSpan.FromSeconds(1), 200) { Text = "1000/s" },
            SubscribesPerClient = new RateLimit(100, TimeSpan.FromSeconds(1), 20) { Text = "100/s" },
        });
        for (int i = 0; i < 100; i++) limits.Report(LimitKind.PublishesPerClient, LimitAction.Delayed, "press7");
        limits.Report(LimitKind.SubscribesPerClient, LimitAction.Refused, "press8");
        Assert.Equal(6, _lines.Count);
        Assert.Equal("press7: held up by limits.publishes_per_client (1000/s, burst 200)", _lines[0]);
        Assert.Equal("press8: refused by limits.subscribes_per_client (100/s, burst 20)", _lines[5]);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("press7: 95 more occasions on which a limit was reached within 10 s are not logged one by one", _lines[6]);
        limits.Report(LimitKind.PublishesPerClient, LimitAction.Dropped, "press7");
        Assert.Equal("press7: publish dropped by limits.publishes_per_client (1000/s, burst 200)", _lines[7]);
    }

    [Fact]
    public void Memory_is_told_of_when_a_stage_comes_and_when_it_is_over()
    {
        var limits = new BrokerLimits(new BrokerClock(_time), new BrokerEvents(new BrokerEventLog(_lines, _time)));
        limits.Memory.Update(90 * 1024, 100 * 1024);
        limits.Memory.Update(91 * 1024, 100 * 1024);
        limits.Memory.Update(20 * 1024, 100 * 1024);
        Assert.Equal(
            [
                "memory is short, 90 of 100 KB (limits.max_memory): new connections are refused, and publishers are read slowly",
                "memory is enough again, 20 of 100 KB (limits.max_memory)",
            ],
            _lines);
    }
}
