using System.Runtime.CompilerServices;
using EdgeBroker.Core.Limits;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class NetworkTableTests
{
    private static readonly RateLimit OneASecond = new(1, TimeSpan.FromSeconds(1), 1);

    [Fact]
    public void A_million_networks_take_no_more_memory_than_it_has()
    {
        var table = new NetworkTable();
        Touch(table, 1, 0);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (ulong i = 2; i < 1_000_000; i++) Touch(table, i, 0);
        }));
        int known = 0;
        for (ulong i = 1; i < 1_000_000; i++) known += Unsafe.IsNullRef(ref table.Find(new ClientNetwork(i, 0))) ? 0 : 1;
        Assert.InRange(known, NetworkTable.Capacity / 2, NetworkTable.Capacity);
    }

    [Fact]
    public void Who_has_most_against_it_is_not_forgotten_for_those_who_come_and_go()
    {
        var table = new NetworkTable();
        var culprit = new ClientNetwork(77, 0);
        for (int i = 0; i < 10; i++) table.FindOrAdd(culprit).Bucket.Take(OneASecond, 1, 1_000);
        for (ulong i = 1_000; i < 200_000; i++) Touch(table, i, 1_000);
        Assert.False(Unsafe.IsNullRef(ref table.Find(culprit)));
        Assert.False(table.Find(culprit).Bucket.HasRoom(OneASecond, 5_000));
    }

    [Fact]
    public void An_empty_one_knows_nobody_and_holds_nothing()
    {
        var table = new NetworkTable();
        Assert.True(Unsafe.IsNullRef(ref table.Find(new ClientNetwork(1, 2))));
        Touch(table, 1, 0);
        table.Clear();
        Assert.True(Unsafe.IsNullRef(ref table.Find(new ClientNetwork(1, 0))));
    }

    private static void Touch(NetworkTable table, ulong network, long nowMs) =>
        table.FindOrAdd(new ClientNetwork(network, 0)).Bucket.Take(OneASecond, 1, nowMs);
}
