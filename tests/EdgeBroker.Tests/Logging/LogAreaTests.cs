using EdgeBroker.Core.Management;
using EdgeBroker.Logging;
using EdgeBroker.Tests.Reloading;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Logging;

/// <summary>How much the log says, by area, while the broker runs.</summary>
public sealed class LogAreaTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void An_area_has_the_level_of_all_until_it_gets_its_own()
    {
        using var areas = new LogAreas(_time) { Configured = LogLevel.Information };
        LogArea core = areas.Of("EdgeBroker.Core.Events.BrokerEventLog");
        LogArea mqtt = areas.Of("EdgeBroker.Mqtt.Connections.Handshake");
        Assert.Same(core, areas.Of("EdgeBroker.Core.Broker"));
        Assert.Equal(("core", "mqtt", "broker", "framework"), (core.Name, mqtt.Name, areas.Of("EdgeBroker").Name, areas.Of("Microsoft.AspNetCore").Name));

        Assert.True(areas.Set("core", LogLevel.Debug, null));
        Assert.Equal((LogLevel.Debug, LogLevel.Information), (core.Level, mqtt.Level));
        Assert.True(areas.Set(ILogLevels.All, LogLevel.Error, null));
        Assert.Equal((LogLevel.Debug, LogLevel.Error), (core.Level, mqtt.Level));
        Assert.Equal(LogLevel.Error, areas.Of("EdgeBroker.Http.WebServer").Level);
        Assert.True(areas.Set("core", null, null));
        Assert.Equal((LogLevel.Error, LogLevel.Error), (core.Level, mqtt.Level));
        Assert.True(areas.Set(ILogLevels.All, null, null));
        areas.Configured = LogLevel.Warning;
        Assert.Equal((LogLevel.Warning, LogLevel.Warning), (core.Level, mqtt.Level));
        Assert.False(areas.Set("corre", LogLevel.Debug, null));
    }

    [Fact]
    public void A_level_for_a_while_goes_by_itself_and_a_later_one_has_its_own_time()
    {
        using var areas = new LogAreas(_time) { Configured = LogLevel.Information };
        LogArea core = areas.Of("EdgeBroker.Core");
        areas.Set("core", LogLevel.Debug, TimeSpan.FromMinutes(10));
        Assert.Equal(_time.GetUtcNow().AddMinutes(10), areas.Levels().Single(one => one.Area == "core").Until);
        _time.Advance(TimeSpan.FromMinutes(9));
        areas.Set("core", LogLevel.Error, TimeSpan.FromMinutes(10));
        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(LogLevel.Error, core.Level);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(LogLevel.Information, core.Level);
        Assert.False(areas.Levels().Single(one => one.Area == "core").IsOwn);
    }

    [Fact]
    public async Task The_verb_changes_it_in_a_running_broker()
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync("[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:0\"\n");
        Assert.DoesNotContain("session of a ended", broker.Log, StringComparison.Ordinal);
        Assert.Contains("debug (its own)", Verb(0, "log-level", "core", "debug", "--for", "600"), StringComparison.Ordinal);
        await (await broker.ConnectAsync("a")).DisconnectAsync();
        await EdgeBroker.Testing.Deadline.Until(() => broker.Log.Contains("session of a ended", StringComparison.Ordinal), "a line at level debug");
        Assert.Contains("log level of core: debug, for 600 s", broker.Log, StringComparison.Ordinal);
        string json = Verb(0, "log-level", "--json");
        Assert.Contains("""{"area":"all","level":"info","own":false}""", json, StringComparison.Ordinal);
        Assert.Contains("\"area\":\"core\",\"level\":\"debug\",\"own\":true,\"until\":", json, StringComparison.Ordinal);
        Assert.DoesNotContain("debug", Verb(0, "log-level", "core", "default"), StringComparison.Ordinal);
        Assert.Contains("the log has no area \"corre\"; there are all", Verb(1, "log-level", "corre", "debug"), StringComparison.Ordinal);
        Assert.Contains("LEVEL is one of", Verb(64, "log-level", "core", "loud"), StringComparison.Ordinal);

        string Verb(int expected, params string[] arguments)
        {
            using var said = new StringWriter();
            int exit = broker.Run(said, said, [.. arguments, "-c", "broker.toml"]);
            Assert.True(exit == expected, said.ToString());
            return said.ToString();
        }
    }
}
