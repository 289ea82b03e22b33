using System.Net;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class LoginGuardTests
{
    private static readonly ClientNetwork Guesser = Of("192.0.2.1");
    private static readonly ClientNetwork Other = Of("192.0.2.2");

    [Fact]
    public void By_default_five_may_fail_and_then_each_waits_longer()
    {
        var keeper = new Keeper(new LimitOptions { AuthFailuresPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 5) });
        var waits = new List<long?>();
        for (int i = 0; i < 12; i++)
        {
            long? waitMs = keeper.Limits.Logins.AskWaitMs(Guesser, "anna");
            waits.Add(waitMs);
            keeper.Advance(waitMs!.Value / 1000.0);
            keeper.Limits.Logins.NoteFailure(Guesser, "anna");
        }

        Assert.Equal([0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000], waits);
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Other, "anna"));
    }

    [Fact]
    public void Those_that_wait_stand_in_line_and_a_long_line_takes_no_more()
    {
        var keeper = new Keeper(new LimitOptions { AuthFailuresPerIp = new RateLimit(10, TimeSpan.FromMinutes(1), 1) });
        keeper.Limits.Logins.NoteFailure(Guesser, "anna");
        Assert.Equal([6_000, 12_000, 18_000, null, null], Enumerable.Range(0, 5).Select(_ => keeper.Limits.Logins.AskWaitMs(Guesser, "anna")));
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Guesser, "bert"));
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Other, "bert"));
    }

    [Fact]
    public void A_rate_of_one_an_hour_is_kept_by_refusing()
    {
        var keeper = new Keeper(new LimitOptions { AuthFailuresPerIp = new RateLimit(1, TimeSpan.FromHours(1), 1) });
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Guesser, "anna"));
        keeper.Limits.Logins.NoteFailure(Guesser, "anna");
        Assert.Null(keeper.Limits.Logins.AskWaitMs(Guesser, "anna"));
        keeper.Advance(3_599);
        Assert.Equal(1_000, keeper.Limits.Logins.AskWaitMs(Guesser, "anna"));
    }

    [Fact]
    public void Good_conduct_is_forgiven()
    {
        var keeper = new Keeper(new LimitOptions { AuthFailuresPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 2) });
        for (int i = 0; i < 4; i++) keeper.Limits.Logins.NoteFailure(Guesser, "anna");
        Assert.True(keeper.Limits.Logins.AskWaitMs(Guesser, "anna") > 0);
        keeper.Advance(64);
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Guesser, "anna"));
    }

    [Fact]
    public void On_this_machine_the_user_name_waits_and_not_everybody_behind_the_proxy()
    {
        var keeper = new Keeper(new LimitOptions());
        foreach (ClientNetwork local in new[] { Of("127.0.0.1"), Of("::1"), ClientNetwork.None })
        {
            for (int i = 0; i < 5; i++) keeper.Limits.Logins.NoteFailure(local, "anna");
        }

        Assert.True(keeper.Limits.Logins.AskWaitMs(Of("127.0.0.1"), "anna") is null or > 0);
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Of("127.0.0.1"), "bert"));
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(ClientNetwork.None, "bert"));
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Of("127.0.0.2"), "anna"));
    }

    [Fact]
    public void Without_the_limit_nobody_waits()
    {
        var keeper = new Keeper(new LimitOptions { AuthFailuresPerIp = null });
        for (int i = 0; i < 100; i++) keeper.Limits.Logins.NoteFailure(Guesser, "anna");
        Assert.Equal(0, keeper.Limits.Logins.AskWaitMs(Guesser, "anna"));
    }

    [Fact]
    public void Addresses_without_number_neither_grow_it_nor_push_the_guesser_out()
    {
        var keeper = new Keeper(new LimitOptions());
        for (int i = 0; i < 8; i++) keeper.Limits.Logins.NoteFailure(Guesser, "anna");
        keeper.Limits.Logins.NoteFailure(Of(1), "anna");
        for (int i = 0; i < 100_000; i++) keeper.Limits.Logins.NoteFailure(Of(i), "anna");
        Assert.True(keeper.Limits.Logins.AskWaitMs(Guesser, "anna") is null or > 0);

        static ClientNetwork Of(int i) =>
            ClientNetwork.Of(new IPAddress([0x20, 0x01, 0x0d, 0xb8, 0, (byte)(i >> 16), (byte)(i >> 8), (byte)i, 0, 0, 0, 0, 0, 0, 0, 1]));
    }

    private static ClientNetwork Of(string address) => ClientNetwork.Of(IPAddress.Parse(address));
}
