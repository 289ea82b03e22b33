using EdgeBroker.Crash.Tests.Disk;
using EdgeBroker.Crash.Tests.Runs;
using Xunit.Abstractions;

namespace EdgeBroker.Crash.Tests;

/// <summary>An acknowledged message survives a power cut. Short runs; scripts/crash.sh --cuts makes long ones.</summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    private const int MostAttempts = 40;

    // flash-saver commits every few seconds, and each of its QoS 2 messages waits for one or two of these: a cut takes ten times as long.
    [Theory]
    [InlineData("strict", 12)]
    [InlineData("balanced", 12)]
    [InlineData("flash-saver", 3)]
    public async Task What_the_profile_promises_survives_a_power_cut(string profile, int cuts)
    {
        int seed = Random.Shared.Next(1 << 24);
        output.WriteLine($"{profile}: --cuts {cuts} --seed {seed}");
        IReadOnlyList<RunReport> reports = await PowerCutRun.RunAsync(new RunOptions(StorageProfile.Parse(profile), cuts, seed, output.WriteLine));
        Assert.True(reports.All(r => r.IsGood), string.Join('\n', reports));
    }

    /// <summary>
    /// A broker that was killed between a write and its flush finds at its next start what it wrote, and answers for it: a publisher that repeats a message
    /// hears that it is known. So the start flushes first.
    /// </summary>
    [Fact]
    public async Task What_a_killed_broker_wrote_is_flushed_before_it_is_used_again()
    {
        using BrokerUnderTest broker = BrokerUnderTest.Create(StorageProfile.Balanced);
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: true);
        int port = await broker.StartAsync(shim.Environment);
        bool wasUnflushed = false;
        for (int attempt = 1; !wasUnflushed && attempt <= MostAttempts; attempt++)
        {
            await using (var rig = new QueueRig(QueueRig.NewHistory(() => shim.Position, $"client-{attempt}")))
            {
                await rig.StartAsync(port);
                await rig.MoreAcknowledgedAsync(20);
                // At another place of a commit each time.
                shim.KillAt(shim.Operations + 1 + attempt);
                await broker.Process.ExitAsync();
                rig.BrokerGoes();
            }

            shim.KillAt(0);
            byte[] written = Wal(broker, shim, Survival.Everything);
            wasUnflushed = !Wal(broker, shim, Survival.Nothing).AsSpan().StartsWith(written);
            port = await broker.StartAsync(shim.Environment);
            Assert.True(
                Wal(broker, shim, Survival.Nothing).AsSpan().StartsWith(written), $"attempt {attempt}: a power cut now would take what is answered for");
        }

        Assert.True(wasUnflushed, "no kill came between a write and its flush");
    }

    /// <summary>The store's WAL as a power cut would leave it now.</summary>
    private static byte[] Wal(BrokerUnderTest broker, DiskShim shim, Survival survival)
    {
        string directory = Path.Combine(broker.Scratch, "image");
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        DiskImage.At(shim.ReadLog(), shim.Position, survival, new Random(1)).WriteTo(Directory.CreateDirectory(directory).FullName);
        string wal = Path.Combine(directory, "edgebroker.db-wal");
        return File.Exists(wal) ? File.ReadAllBytes(wal) : [];
    }
}
