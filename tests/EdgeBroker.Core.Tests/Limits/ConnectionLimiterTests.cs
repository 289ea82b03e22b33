using System.Net;
using EdgeBroker.Core.Limits;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class ConnectionLimiterTests
{
    private static readonly IPAddress One = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Other = IPAddress.Parse("192.0.2.2");

    [Fact]
    public void Without_limits_everybody_comes_in_and_nothing_stays_behind()
    {
        ConnectionLimiter limiter = new Keeper(new LimitOptions()).Limits.Connections;
        for (int i = 0; i < 1_000; i++) Assert.Equal(Admission.Granted, limiter.Enter(new IPAddress([10, 0, (byte)(i >> 8), (byte)i])));
        Assert.Equal((1_000, 1_000), (limiter.OpenCount, limiter.NetworkCount));
        for (int i = 0; i < 1_000; i++) limiter.Leave(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]));
        Assert.Equal((0, 0), (limiter.OpenCount, limiter.NetworkCount));
    }

    [Fact]
    public void A_network_s_rate_is_its_own()
    {
        var keeper = new Keeper(new LimitOptions { ConnectionsPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 2) });
        ConnectionLimiter limiter = keeper.Limits.Connections;
        Assert.Equal([null, null, LimitKind.ConnectionsPerIp], Enumerable.Range(0, 3).Select(_ => limiter.Enter(One).Limit));
        Assert.Null(limiter.Enter(Other).Limit);
        for (int i = 0; i < 5; i++) Assert.Null(limiter.Enter(null).Limit);
        keeper.Advance(1);
        Assert.Equal([null, LimitKind.ConnectionsPerIp], Enumerable.Range(0, 2).Select(_ => limiter.Enter(One).Limit));
        Assert.Equal(2, keeper.Limits.Counters[LimitKind.ConnectionsPerIp, LimitAction.Refused]);
        Assert.Equal(9, limiter.OpenCount);
    }

    [Fact]
    public void Places_are_taken_and_given_back()
    {
        var keeper = new Keeper(new LimitOptions { MaxConnections = 3, MaxConnectionsPerIp = 2 });
        ConnectionLimiter limiter = keeper.Limits.Connections;
        Assert.Equal([null, null, LimitKind.MaxConnectionsPerIp], Enumerable.Range(0, 3).Select(_ => limiter.Enter(One).Limit));
        Assert.Equal([null, LimitKind.MaxConnections], Enumerable.Range(0, 2).Select(_ => limiter.Enter(Other).Limit));
        Assert.Equal(LimitKind.MaxConnections, limiter.Enter(null).Limit);
        limiter.Leave(One);
        Assert.Null(limiter.Enter(One).Limit);
        Assert.Equal(LimitKind.MaxConnections, limiter.Enter(One).Limit);
    }

    [Fact]
    public void Who_is_refused_hears_why_until_there_are_too_many()
    {
        var keeper = new Keeper(new LimitOptions { MaxConnections = 1 });
        ConnectionLimiter limiter = keeper.Limits.Connections;
        limiter.Enter(One);
        int told = Enumerable.Range(0, 1_000).Count(_ => limiter.Enter(Other).MayHearWhy);
        Assert.Equal(20, told);
        keeper.Advance(1);
        Assert.True(limiter.Enter(Other).MayHearWhy);
    }

    [Fact]
    public void While_memory_is_short_nobody_comes_in()
    {
        var keeper = new Keeper(new LimitOptions());
        keeper.Limits.Memory.Update(85, 100);
        Assert.Equal(LimitKind.MaxMemory, keeper.Limits.Connections.Enter(One).Limit);
        Assert.Equal(LimitKind.MaxMemory, keeper.Limits.Connections.Enter(null).Limit);
        keeper.Limits.Memory.Update(74, 100);
        Assert.Null(keeper.Limits.Connections.Enter(One).Limit);
    }

    [Fact]
    public void Another_rate_begins_anew_and_an_equal_one_does_not()
    {
        var rate = new RateLimit(1, TimeSpan.FromHours(1), 1);
        var keeper = new Keeper(new LimitOptions { ConnectionsPerIp = rate });
        ConnectionLimiter limiter = keeper.Limits.Connections;
        limiter.Enter(One);
        keeper.Limits.Replace(new LimitOptions { ConnectionsPerIp = rate with { }, MaxConnections = 10 });
        Assert.Equal(LimitKind.ConnectionsPerIp, limiter.Enter(One).Limit);
        keeper.Limits.Replace(new LimitOptions { ConnectionsPerIp = rate with { Burst = 2 } });
        Assert.Equal([null, null, LimitKind.ConnectionsPerIp], Enumerable.Range(0, 3).Select(_ => limiter.Enter(One).Limit));
        keeper.Limits.Replace(new LimitOptions());
        Assert.Null(limiter.Enter(One).Limit);
    }

    [Fact]
    public void Entering_and_leaving_allocates_nothing_once_a_network_is_known()
    {
        ConnectionLimiter limiter =
            new Keeper(new LimitOptions { ConnectionsPerIp = new RateLimit(1_000_000, TimeSpan.FromSeconds(1), 1_000_000) }).Limits.Connections;
        limiter.Enter(One);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                limiter.Enter(One);
                limiter.Leave(One);
            }
        }));
    }
}
