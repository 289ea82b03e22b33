using EdgeBroker.Crash.Tests.Runs;
using Xunit.Abstractions;

namespace EdgeBroker.Crash.Tests;

/// <summary>An acknowledged message survives a power cut. Short runs; scripts/crash.sh --cuts makes long ones.</summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    private const int Cuts = 12;

    [Theory]
    [InlineData("strict")]
    [InlineData("balanced")]
    [InlineData("flash-saver")]
    public async Task What_the_profile_promises_survives_a_power_cut(string profile)
    {
        int seed = Random.Shared.Next(1 << 24);
        output.WriteLine($"{profile}: --cuts {Cuts} --seed {seed}");
        IReadOnlyList<RunReport> reports = await PowerCutRun.RunAsync(new RunOptions(StorageProfile.Parse(profile), Cuts, seed, output.WriteLine));
        Assert.True(reports.All(r => r.IsGood), string.Join('\n', reports));
    }
}
