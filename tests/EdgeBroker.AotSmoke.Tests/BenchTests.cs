using System.Globalization;
using System.Text.Json;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>The published executable's load generator against the published broker: every scenario, briefly; nothing is lost, repeated or reordered.</summary>
public sealed class BenchTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(4);

    // Emulated, a client may take its time between connecting and saying who it is.
    private const string Patient = "[limits]\nconnect_timeout = \"2m\"\n";

    private static readonly string[] Scenarios =
    [
        "fan-in --messages 2000",
        "fan-out --messages 50",
        "fan-in --messages 20000 --beside 3",
        "pairs --messages 2000 --publishers 10",
        "pairs -q 1 --messages 2000 --publishers 10",
        "pairs -q 2 --messages 1000 --publishers 10",
        "pairs -q 1 -V 5 --properties --messages 2000 --publishers 10 --payload 3000",
        "pairs -q 1 -V 5 --properties --aliases --messages 2000 --publishers 10",
        "fan-out -V 5 --aliases --messages 50",
        "wild --messages 1000 --filters 1000 --topics 5000",
        "shared -q 1 --messages 2000",
        "retain --retained 1000 --subscribers 2",
        "latency --publishers 10 --messages 500 --rate 1000",
        "connect --connections 100 --subscribe --hold 0",
    ];

    public static TheoryData<string, string> Runs
    {
        get
        {
            var runs = new TheoryData<string, string>();
            foreach (string rid in PublishedBinary.Rids)
            {
                foreach (string scenario in Scenarios) runs.Add(rid, scenario);
            }

            return runs;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Nothing_is_lost_repeated_or_reordered(string rid, string scenario)
    {
        using PublishedBroker broker = await PublishedBroker.StartAsync(Patient);
        JsonElement result = await RunAsync(rid, broker, scenario);
        Assert.True(result.GetProperty("ok").GetBoolean());
        Assert.Equal(0, Number(result, "connections_lost"));
        Assert.True(Number(result, "done") > 0);
        Assert.True(Number(result, "broker_rss") > 0);
        if (scenario.Contains("--beside", StringComparison.Ordinal)) Assert.True(Number(result, "beside_done") > 0);
        if (scenario.StartsWith("connect", StringComparison.Ordinal)) return;
        Assert.Equal((0, 0, 0), (Number(result, "lost"), Number(result, "duplicated"), Number(result, "reordered")));
        Assert.Equal(Number(result, "expected"), Number(result, "received"));
    }

    [Fact]
    public async Task Retained_messages_are_gone_afterwards()
    {
        using PublishedBroker broker = await PublishedBroker.StartAsync();
        await RunAsync(PublishedBinary.HostRid, broker, "retain --retained 10");
        using var subscriber =
            ChildProcess.Program("mosquitto_sub", ["-h", "127.0.0.1", "-p", Show(broker.Port), "-t", "bench/#", "-C", "1", "--retained-only", "-W", "1"]);
        Assert.Equal(27, await subscriber.ExitAsync());
    }

    private static async Task<JsonElement> RunAsync(string rid, PublishedBroker broker, string scenario)
    {
        string pid = Show(broker.Process.Id);
        using ChildProcess bench = PublishedBinary.Of(rid).Start(
            Path.GetTempPath(),
            ["bench", .. scenario.Split(' '), "--timeout", "30", "-h", "127.0.0.1", "-p", Show(broker.Port), "--broker-pid", pid, "--json"]);
        int exit = await bench.ExitAsync(Timeout);
        Assert.True(exit == 0, bench.Said);
        return JsonDocument.Parse(bench.Said).RootElement;
    }

    private static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    private static string Show(int number) => number.ToString(CultureInfo.InvariantCulture);
}
