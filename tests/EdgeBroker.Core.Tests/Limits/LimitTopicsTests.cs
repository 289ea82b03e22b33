using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class LimitTopicsTests
{
    [Fact]
    public void What_limits_did_is_counted_under_SYS()
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.FromSeconds(10) });
        bench.Broker.Limits.Report(LimitKind.PublishesPerClient, LimitAction.Delayed, "c");
        bench.Broker.Limits.Report(LimitKind.PublishesPerClient, LimitAction.Delayed, "c");
        bench.Broker.Limits.Report(LimitKind.SubscribesPerClient, LimitAction.Refused, "c");
        bench.Broker.Limits.Memory.Update(90, 100);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/broker/limits/#");
        client.Pump();
        Assert.Equal(
            ["max_memory/limit=100", "max_memory/stage=pausing", "max_memory/used=90", "publishes_per_client/delayed=2", "subscribes_per_client/refused=1"],
            client.Sent.Zip(client.Payloads, (packet, payload) => $"{packet.Topic["$SYS/broker/limits/".Length..]}={payload}").Order());
    }

    [Fact]
    public void Every_limit_has_a_name_and_a_word_for_the_client()
    {
        foreach (LimitKind limit in Enum.GetValues<LimitKind>()) Assert.True(BrokerLimits.ReasonOf(limit) >= Protocol.ReasonCode.UnspecifiedError);
        Assert.Equal(Enum.GetValues<LimitKind>().Length, Enum.GetValues<LimitKind>().Select(BrokerLimits.KeyOf).Distinct().Count());
    }
}
