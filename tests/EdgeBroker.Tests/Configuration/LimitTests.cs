using EdgeBroker.Core.Limits;

namespace EdgeBroker.Tests.Configuration;

/// <summary>The table [limits].</summary>
public sealed class LimitTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Every_key_is_read()
    {
        using var given = new Given("""
            [limits]
            connections_per_ip = { rate = "100/m", burst = 20 }
            publishes_per_client = { rate = "1000/s", burst = 200, on_exceed = "disconnect" }
            bytes_per_client = { rate = "1MB/s", burst = "64KB", on_exceed = "drop" }
            subscribes_per_client = { rate = "100/s", burst = 20, on_exceed = "delay" }
            auth_failures_per_ip = { rate = "3/h" }
            connect_timeout = "5s"
            max_connections = 20_000
            max_connections_per_ip = 50
            max_memory = "256MB"
            max_sessions = 5
            max_retained = 6
            max_retained_bytes = "7MB"
            max_unauthenticated_bytes = "8MB"
            """);
        var limits = given.Valid().Limits;
        Assert.Equal(new RateLimit(100, Minute, 20) { Text = "100/m" }, limits.ConnectionsPerIp);
        Assert.Equal(new RateLimit(1000, Second, 200) { Text = "1000/s", OnExceed = ExceedAction.Disconnect }, limits.PublishesPerClient);
        Assert.Equal(new RateLimit(1024 * 1024, Second, 64 * 1024) { Text = "1MB/s", OnExceed = ExceedAction.Drop }, limits.BytesPerClient);
        Assert.Equal(new RateLimit(100, Second, 20) { Text = "100/s", OnExceed = ExceedAction.Delay }, limits.SubscribesPerClient);
        Assert.Equal(new RateLimit(3, TimeSpan.FromHours(1), 3) { Text = "3/h" }, limits.AuthFailuresPerIp);
        Assert.Equal((20_000, 50), (limits.MaxConnections, limits.MaxConnectionsPerIp));
        Assert.Equal(new MemoryLimit(256L * 1024 * 1024, false), limits.MaxMemory);
        Assert.Equal((5, 6, 7L * 1024 * 1024), (limits.MaxSessions, limits.MaxRetained, limits.MaxRetainedBytes));
        Assert.Equal(8 * 1024 * 1024, limits.MaxUnauthenticatedBytes);
        Assert.Equal(TimeSpan.FromSeconds(5), given.Valid().Mqtt.ConnectTimeout);
    }

    [Fact]
    public void By_default_only_failed_logins_and_what_the_system_says_count()
    {
        using var given = new Given("");
        Assert.Equal(
            new LimitOptions { AuthFailuresPerIp = new RateLimit(10, Minute, 5) { Text = "10/m" }, MaxMemory = MemoryLimit.Automatic }, given.Valid().Limits);
    }

    [Fact]
    public void Excess_is_delayed_unless_said_and_filters_are_refused()
    {
        using var given = new Given(
            "[limits]\npublishes_per_client = { rate = \"5/s\" }\nbytes_per_client = { rate = \"64KB/s\" }\nsubscribes_per_client = { rate = \"5/s\" }\n");
        var limits = given.Valid().Limits;
        Assert.Equal((ExceedAction.Delay, 5L), (limits.PublishesPerClient!.OnExceed, limits.PublishesPerClient.Burst));
        Assert.Equal((ExceedAction.Delay, 65_536L), (limits.BytesPerClient!.OnExceed, limits.BytesPerClient.Burst));
        Assert.Equal(ExceedAction.Drop, limits.SubscribesPerClient!.OnExceed);
    }

    [Fact]
    public void Zero_is_no_limit()
    {
        using var given = new Given("[limits]\nauth_failures_per_ip = { rate = \"0/m\" }\nbytes_per_client = { rate = \"0B/s\" }\nmax_memory = \"none\"\n");
        Assert.Equal(new LimitOptions { AuthFailuresPerIp = null, MaxMemory = MemoryLimit.None }, given.Valid().Limits);
    }

    [Fact]
    public void A_rate_may_be_a_table_of_its_own()
    {
        using var given = new Given("[limits.publishes_per_client]\nrate = \"10/s\"\nburst = 5\n");
        Assert.Equal(new RateLimit(10, Second, 5) { Text = "10/s" }, given.Valid().Limits.PublishesPerClient);
    }

    [Theory]
    [InlineData("connections_per_ip = \"100/m\"", "2:22: \"connections_per_ip\" expects { rate = \"100/m\", burst = 20 }; found \"100/m\"")]
    [InlineData("publishes_per_client = 100", "2:24: \"publishes_per_client\" expects { rate = \"100/m\", burst = 20, on_exceed = \"delay\" }; found 100")]
    [InlineData(
        "connections_per_ip = { burst = 20 }",
        "2:22: [limits.connections_per_ip] needs the key \"rate\": a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit")]
    [InlineData(
        "connections_per_ip = { rate = \"100\" }",
        "2:31: \"rate\" expects a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit; found \"100\"; did you mean \"100/s\"?")]
    [InlineData(
        "connections_per_ip = { rate = 100 }",
        "2:31: \"rate\" expects a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit; found 100; did you mean \"100/s\"?")]
    [InlineData(
        "connections_per_ip = { rate = \"100/min\" }",
        "2:31: \"rate\" expects a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit; found \"100/min\"; did you mean \"100/m\"?")]
    [InlineData(
        "connections_per_ip = { rate = \"-1/s\" }", "2:31: \"rate\" expects a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit; found \"-1/s\"")]
    [InlineData(
        "connections_per_ip = { rate = \"9999999999999999999/s\" }",
        "2:31: \"rate\" expects a rate, as in \"100/s\", \"10/m\" or \"5/h\"; \"0/s\": no limit; found \"9999999999999999999/s\"")]
    [InlineData(
        "bytes_per_client = { rate = \"1mb/s\" }",
        "2:29: \"rate\" expects a rate of bytes, as in \"1MB/s\" or \"64KB/m\"; \"0B/s\": no limit; found \"1mb/s\"; did you mean \"1MB/s\"?")]
    [InlineData(
        "bytes_per_client = { rate = \"1MB/s\", burst = 10 }", "2:46: \"burst\" expects a size from \"1B\" to \"64GB\"; found 10; did you mean \"10B\"?")]
    [InlineData("publishes_per_client = { rate = \"1/s\", burst = 0 }", "2:48: \"burst\" expects a whole number from 1 to 1000000000; found 0")]
    [InlineData(
        "publishes_per_client = { rate = \"1/s\", on_exceed = \"dorp\" }",
        "2:52: \"on_exceed\" expects \"delay\", \"drop\" or \"disconnect\"; found \"dorp\"; did you mean \"drop\"?")]
    [InlineData("auth_failures_per_ip = { rate = \"1/s\", on_exceed = \"drop\" }", "2:40: unknown key \"on_exceed\" in [limits.auth_failures_per_ip]")]
    [InlineData("publish_per_client = { rate = \"1/s\" }", "2:1: unknown key \"publish_per_client\" in [limits]; did you mean \"publishes_per_client\"?")]
    [InlineData("max_memory = \"16MB\"", "2:14: \"max_memory\" expects \"auto\", \"none\", or a size from \"32MB\" to \"1024GB\"; found \"16MB\"")]
    [InlineData(
        "max_memory = 256", "2:14: \"max_memory\" expects \"auto\", \"none\", or a size from \"32MB\" to \"1024GB\"; found 256; did you mean \"256B\"?")]
    [InlineData("max_connections = 0", "2:19: \"max_connections\" expects a whole number from 1 to 1000000; found 0")]
    public void What_cannot_be_is_told(string line, string expected)
    {
        using var given = new Given("[limits]\n" + line + "\n");
        Assert.Equal("broker.toml:" + expected, Assert.Single(given.Errors()));
    }
}
