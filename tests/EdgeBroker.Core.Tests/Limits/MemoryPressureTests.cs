using EdgeBroker.Core.Limits;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class MemoryPressureTests
{
    [Fact]
    public void Stages_come_with_use_and_go_later_than_they_came()
    {
        var keeper = new Keeper(new LimitOptions());
        (long Used, MemoryStage Stage)[] course =
        [
            (0, MemoryStage.Normal), (79, MemoryStage.Normal), (80, MemoryStage.Refusing), (76, MemoryStage.Refusing), (87, MemoryStage.Refusing),
            (88, MemoryStage.Pausing),
            (84, MemoryStage.Pausing), (82, MemoryStage.Refusing), (94, MemoryStage.Dropping), (89, MemoryStage.Dropping), (88, MemoryStage.Pausing),
            (200, MemoryStage.Dropping),
            (10, MemoryStage.Normal),
        ];
        foreach ((long used, MemoryStage stage) in course)
        {
            keeper.Limits.Memory.Update(used, 100);
            Assert.Equal(stage, keeper.Limits.Memory.Stage);
        }

        Assert.Equal(
            ["Refusing", "Pausing", "Refusing", "Dropping", "Pausing", "Dropping", "Normal"],
            keeper.Events.All.Where(one => one.Kind == BrokerEventKind.MemoryStage).Select(one => one.Text));
    }

    [Fact]
    public void Without_a_limit_there_is_no_pressure()
    {
        var keeper = new Keeper(new LimitOptions());
        keeper.Limits.Memory.Update(99, 100);
        Assert.Equal(MemoryStage.Dropping, keeper.Limits.Memory.Stage);
        keeper.Limits.Memory.Update(long.MaxValue / 2, 0);
        Assert.Equal(MemoryStage.Normal, keeper.Limits.Memory.Stage);
    }

    [Fact]
    public void Connections_look_at_packets_only_while_something_concerns_them()
    {
        var keeper = new Keeper(new LimitOptions { MaxConnections = 1, ConnectionsPerIp = new RateLimit(1, TimeSpan.FromSeconds(1), 1) });
        Assert.Null(keeper.Limits.Active);
        keeper.Limits.Memory.Update(81, 100);
        Assert.Null(keeper.Limits.Active);
        keeper.Limits.Memory.Update(90, 100);
        Assert.Equal(MemoryStage.Pausing, keeper.Limits.Active!.Memory);
        keeper.Limits.Memory.Update(95, 100);
        Assert.Equal(16 * 1024, keeper.Limits.MostQoS0OutputBytes);
        keeper.Limits.Memory.Update(10, 100);
        Assert.Null(keeper.Limits.Active);
        Assert.Equal(int.MaxValue, keeper.Limits.MostQoS0OutputBytes);
        keeper.Limits.Replace(new LimitOptions { PublishesPerClient = new RateLimit(1, TimeSpan.FromSeconds(1), 1) });
        Assert.NotNull(keeper.Limits.Active);
        keeper.Limits.Replace(new LimitOptions());
        Assert.Null(keeper.Limits.Active);
    }
}
