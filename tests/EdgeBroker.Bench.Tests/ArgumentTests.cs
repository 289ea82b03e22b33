using EdgeBroker.Cli.Options;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench.Tests;

public sealed class ArgumentTests
{
    [Theory]
    [InlineData("", "SCENARIO is missing")]
    [InlineData("fanin", "there are fan-in, fan-out, pairs, wild, shared, connect, retain, store, latency; did you mean fan-in?")]
    [InlineData("pairs wild", "unexpected \"wild\"; taken are SCENARIO")]
    [InlineData("pairs --publsihers 3", "did you mean --publishers?")]
    [InlineData("pairs -q 3", "-q 3: give a whole number from 0 to 2")]
    [InlineData("pairs --payload 23", "from 24 to")]
    [InlineData("pairs --publishers 0", "from 1 to")]
    [InlineData("pairs -V 31", "give 311 or 5")]
    [InlineData("pairs -p 0", "from 1 to 65535")]
    [InlineData("pairs --duration 0", "give seconds from 0.1 to 900")]
    [InlineData("pairs --duration x", "give seconds from 0.1 to 900")]
    [InlineData("pairs --window 4", "--batch 8: a publisher cannot write more at once than its --window of 4")]
    [InlineData("pairs --properties", "add -V 5")]
    [InlineData("pairs --aliases", "add -V 5")]
    [InlineData("wild -V 5 --aliases", "keeps to one topic")]
    [InlineData("pairs -P secret", "add -u")]
    [InlineData("retain --rate 10", "--rate paces messages")]
    [InlineData("store -q 0", "which QoS 0 has none of")]
    [InlineData("store --subscribers 2", "has one subscriber")]
    [InlineData("pairs --retain", "--retain belongs to store")]
    [InlineData("wild --filters 50", "each of the 100 subscribers needs one")]
    [InlineData("pairs --beside 0", "from 1 to")]
    [InlineData("pairs --broker-pid", "--broker-pid needs a value")]
    public void A_wrong_command_line_says_what_to_write(string arguments, string expected)
    {
        var exception = Assert.Throws<UsageException>(() => Read(arguments));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_scenario_has_a_name_and_defaults_that_are_valid()
    {
        foreach (Scenario scenario in Enum.GetValues<Scenario>())
        {
            string name = BenchArguments.NameOf(scenario);
            BenchOptions options = Read(name);
            Assert.Equal(scenario, options.Scenario);
            Assert.Equal(BenchOptions.DefaultsOf(scenario), options);
            Assert.Contains($"\n  {name,-10}", HelpText.Of(BenchCommand.Command), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Options_mean_what_their_names_say()
    {
        BenchOptions options = Read(
            "--window 99 fan-out -h ::1 -p1884 --protocol-version=5 -q2 -u me -P secret --payload 100 --publishers 2 --subscribers 7 --window 20 "
            + "--batch 4 --duration 1.5 --warm-up 0 --rate 30 --timeout 2 --properties --aliases --beside=20 --broker-pid 42 --json");
        Assert.Equal(
            new BenchOptions
            {
                Scenario = Scenario.FanOut,
                Address = "[::1]:1884",
                Version = ProtocolVersion.V5,
                QoS = QoS.ExactlyOnce,
                UserName = "me",
                Password = "secret",
                PayloadBytes = 100,
                Publishers = 2,
                Subscribers = 7,
                Window = 20,
                Batch = 4,
                Duration = TimeSpan.FromSeconds(1.5),
                WarmUp = TimeSpan.Zero,
                RatePerSecond = 30,
                Timeout = TimeSpan.FromSeconds(2),
                WithProperties = true,
                WithAliases = true,
                Beside = 20,
                BrokerPid = 42,
                Json = true,
            },
            options);
        Assert.False(options.IsClosedLoop);
    }

    [Fact]
    public void Pairs_have_as_many_subscribers_as_publishers() =>
        Assert.Equal((3, 3), (Read("pairs --publishers 3").Publishers, Read("pairs --publishers 3 --subscribers 9").Subscribers));

    [Fact]
    public void A_unix_socket_stands_instead_of_host_and_port() =>
        Assert.Equal("unix:/run/mqtt.sock", Read("pairs --unix /run/mqtt.sock -h elsewhere").Address);

    [Fact]
    public void Help_is_asked_for_anywhere() => Assert.True(BenchCommand.Command.Read(["pairs", "--help"]).WantsHelp);

    private static BenchOptions Read(string arguments) =>
        BenchArguments.ToOptions(BenchCommand.Command.Read(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
}
