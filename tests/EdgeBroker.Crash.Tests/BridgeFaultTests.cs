using System.Globalization;
using EdgeBroker.Crash.Tests.Disk;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Crash.Tests.Runs;
using Xunit.Abstractions;

namespace EdgeBroker.Crash.Tests;

/// <summary>
/// What a broker with a bridge has acknowledged comes out on the other side, whatever befalls either of them or the link. Short runs; scripts/crash.sh --bridge
/// makes long ones.
/// </summary>
public sealed class BridgeFaultTests(ITestOutputHelper output)
{
    public static TheoryData<string, BridgeFault[]> Runs => new()
    {
        {
            "edgebroker",
            [
                BridgeFault.LocalKilled, BridgeFault.UpstreamEnds, BridgeFault.LocalKilledAtOperation, BridgeFault.BothEnd, BridgeFault.DiskFull,
                BridgeFault.ClockJump,
            ]
        },
        {
            "edgebroker",
            [BridgeFault.Reset, BridgeFault.CutOutward, BridgeFault.CutBack, BridgeFault.Away, BridgeFault.HalfOpen, BridgeFault.Slow, BridgeFault.CutOutward]
        },
        {
            "mosquitto",
            [
                BridgeFault.Away, BridgeFault.UpstreamEnds, BridgeFault.LocalKilled, BridgeFault.CutOutward, BridgeFault.CutBack, BridgeFault.BothEnd,
            ]
        },
    };

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task What_was_acknowledged_comes_out_on_the_other_side(string upstream, BridgeFault[] faults)
    {
        int seed = Random.Shared.Next(1 << 24);
        RunReport report = await BridgeRun.RunAsync(new RunOptions(StorageProfile.Balanced, faults.Length, seed, output.WriteLine), upstream, faults);
        output.WriteLine(report.ToString());
        Assert.True(report.IsGood, report.ToString());
        Assert.True(report.Verdict.Owed > 100, $"too little load: {report}");
    }

    /// <summary>The run finds out a broker that acknowledges what it does not keep.</summary>
    [Fact]
    public async Task A_broker_that_keeps_nothing_is_found_out()
    {
        BridgeFault[] faults = [BridgeFault.BothEnd, BridgeFault.BothEnd, BridgeFault.BothEnd];
        RunReport report = await BridgeRun.RunAsync(new RunOptions(StorageProfile.Memory, faults.Length, 1, output.WriteLine), "edgebroker", faults);
        output.WriteLine(report.ToString());
        Assert.Contains(report.Verdict.Violations, violation => violation.Promise == Promise.NothingIsLost);
        File.Delete(report.HistoryFile!);
    }

    /// <summary>The clock that the run sets is the one that the broker reads.</summary>
    [Fact]
    public async Task The_clock_of_a_broker_jumps_for_it_alone()
    {
        using BrokerUnderTest broker = BrokerUnderTest.Create(StorageProfile.Balanced);
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: false);
        DateTime far = DateTime.UtcNow.AddDays(900);
        shim.SetClock(TimeSpan.FromDays(900));
        await broker.StartAsync(shim.Environment);
        Assert.Contains(far.ToString("yyyy-MM", CultureInfo.InvariantCulture), broker.Said, StringComparison.Ordinal);
    }
}
