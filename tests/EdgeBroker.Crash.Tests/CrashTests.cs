using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Crash.Tests.Runs;
using Xunit.Abstractions;

namespace EdgeBroker.Crash.Tests;

/// <summary>An acknowledged message survives kill -9. Short runs; scripts/crash.sh makes long ones.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Rounds = 12;

    // Its first rounds kill under load, so that there is something to lose.
    private const int LoadBeforeKills = 37;

    public static TheoryData<string> Durable => new("strict", "balanced");

    [Theory]
    [MemberData(nameof(Durable))]
    public async Task An_acknowledged_message_survives_kill(string profile)
    {
        RunReport report = await CrashRun.RunAsync(Options(StorageProfile.Parse(profile), Rounds));
        output.WriteLine(report.ToString());
        Assert.True(report.IsGood, report.ToString());
        Assert.True(report.Verdict.Acknowledged > Rounds * 20, $"too little load: {report}");
    }

    /// <summary>The clients and the judge are right about a broker that loses nothing...</summary>
    [Fact]
    public async Task Lost_connections_lose_nothing()
    {
        RunReport report = await ConnectionLossRun.RunAsync(Options(StorageProfile.Unset, Rounds));
        output.WriteLine(report.ToString());
        Assert.True(report.IsGood, report.ToString());
        Assert.True(report.Verdict.Acknowledged > Rounds * 20, $"too little load: {report}");
    }

    /// <summary>...and about one that does.</summary>
    [Fact]
    public async Task A_broker_that_keeps_nothing_is_found_out()
    {
        RunReport report = await CrashRun.RunAsync(Options(StorageProfile.Memory, count: 4, seed: LoadBeforeKills));
        output.WriteLine(report.ToString());
        Promise[] broken = [.. report.Verdict.Violations.Select(v => v.Promise).Distinct()];
        Assert.Contains(Promise.NothingIsLost, broken);
        Assert.Contains(Promise.SessionPresent, broken);
        Assert.Contains(Promise.Retained, broken);
        Assert.True(File.Exists(report.HistoryFile));
        File.Delete(report.HistoryFile);
    }

    private RunOptions Options(StorageProfile profile, int count, int? seed = null)
    {
        seed ??= Random.Shared.Next(1 << 24);
        output.WriteLine($"{profile}: --rounds {count} --seed {seed}");
        return new RunOptions(profile, count, seed.Value, output.WriteLine);
    }
}
