using System.Globalization;
using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.Disk;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Crash.Tests.Runs;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Xunit.Abstractions;

namespace EdgeBroker.Crash.Tests;

/// <summary>
/// A disk that is full, fails, has become read-only or is slow: nothing is acknowledged that is not kept, publishers wait or are told, the broker says what is
/// the matter, goes on serving what needs no disk, and recovers by itself.
/// </summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    private const string StoreState = "$SYS/broker/store/state";
    private const string WellState = "ok";

    public static TheoryData<DiskFault, Errno> Faults => new()
    {
        { DiskFault.Write, Errno.NoSpace },
        { DiskFault.Write | DiskFault.Sync, Errno.InputOutput },
        { DiskFault.Sync, Errno.InputOutput },
        { DiskFault.All, Errno.ReadOnly },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task The_broker_recovers_by_itself_when_the_disk_does(DiskFault kinds, Errno error)
    {
        using var ready = new ReadyProbe();
        using BrokerUnderTest broker = BrokerUnderTest.Create(StorageProfile.Balanced, ready.Toml);
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: false);
        int port = await broker.StartAsync(shim.Environment);
        await ready.ExpectAsync(200, "\"part\":\"store\",\"status\":\"good\"");
        await using var rig = new QueueRig(QueueRig.NewHistory(() => shim.Position));
        await using Probe watch = await WatchAsync(port);
        await BreakAsync(rig, shim, watch, port, kinds, error);
        await ready.ExpectAsync(503, "\"part\":\"store\",\"status\":\"failing\"");
        // Over HTTP the same is said, and nobody waits for the disk. That there is room on it the broker sees, so it takes even this error for a failing one.
        Assert.Contains("cannot be written", await ready.StoreTroubleAsync(), StringComparison.Ordinal);
        (int status, string said) = await ready.PublishAsync("away/http");
        Assert.Equal(503, status);
        Assert.Contains("problem:store-failing", said, StringComparison.Ordinal);
        shim.Heal();
        await watch.ExpectLatestAsync(StoreState, state => state == WellState);
        await ready.ExpectAsync(200, "\"part\":\"store\",\"status\":\"good\"");
        Assert.Equal(200, (await ready.PublishAsync("live")).Status);
        await rig.MoreAcknowledgedAsync(50);
        Verdict verdict = await rig.SettleAsync();
        AssertKept(rig, verdict);
        Assert.False(broker.Process.HasEnded);
    }

    /// <summary>What was acknowledged before or during the fault is really on the disk: of what was not synced nothing survives here.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Nothing_is_acknowledged_that_the_failing_disk_has_not(DiskFault kinds, Errno error)
    {
        using BrokerUnderTest broker = BrokerUnderTest.Create(StorageProfile.Balanced);
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: true);
        int port = await broker.StartAsync(shim.Environment);
        RunHistory history = QueueRig.NewHistory(() => shim.Position);
        await using (var rig = new QueueRig(history))
        {
            await using Probe watch = await WatchAsync(port);
            await BreakAsync(rig, shim, watch, port, kinds, error);
            rig.BrokerGoes();
            broker.Kill();
        }

        using BrokerUnderTest next = BrokerUnderTest.Create(StorageProfile.Balanced);
        DiskImage.At(shim.ReadLog(), shim.Position, Survival.Nothing, new Random(1)).WriteTo(next.DataDirectory);
        history.Add(EventKind.PowerCut, -1, text: "under a fault");
        await using var after = new QueueRig(history);
        await after.StartAsync(await next.StartAsync());
        AssertKept(after, await after.SettleAsync());
    }

    /// <summary>Linux takes pages for clean after a failed sync: what was written before it must be written again, not synced again.</summary>
    [Fact]
    public async Task A_sync_that_failed_once_is_not_believed_the_second_time()
    {
        using BrokerUnderTest broker = BrokerUnderTest.Create(StorageProfile.Balanced);
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: true);
        int port = await broker.StartAsync(shim.Environment);
        RunHistory history = QueueRig.NewHistory(() => shim.Position);
        await using (var rig = new QueueRig(history))
        {
            await using Probe watch = await WatchAsync(port);
            for (int i = 0; i < 3; i++)
            {
                await BreakAsync(rig, shim, watch, port, DiskFault.Sync, Errno.InputOutput);
                shim.Heal();
                await watch.ExpectLatestAsync(StoreState, state => state == WellState);
                await rig.MoreAcknowledgedAsync(20);
            }

            rig.BrokerGoes();
            broker.Kill();
        }

        DiskLog log = shim.ReadLog();
        Assert.Contains(log.Records, r => r.Kind == DiskRecordKind.Sync && r.B == (long)Errno.InputOutput);
        for (int seed = 0; seed < 4; seed++)
        {
            using BrokerUnderTest next = BrokerUnderTest.Create(StorageProfile.Balanced);
            DiskImage.At(log, shim.Position, Survival.Nothing, new Random(seed)).WriteTo(next.DataDirectory);
            RunHistory known = history.UpTo(shim.Position);
            known.Add(EventKind.PowerCut, -1, text: $"seed {seed}");
            await using var after = new QueueRig(known);
            await after.StartAsync(await next.StartAsync());
            AssertKept(after, await after.SettleAsync());
        }
    }

    /// <summary>The acknowledgement waits for the sync; nothing else does.</summary>
    [Theory]
    [InlineData("strict")]
    [InlineData("balanced")]
    public async Task A_slow_disk_delays_acknowledgements_and_nothing_else(string profile)
    {
        using BrokerUnderTest broker = BrokerUnderTest.Create(StorageProfile.Parse(profile));
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: false);
        int port = await broker.StartAsync(shim.Environment);
        await using var rig = new QueueRig(QueueRig.NewHistory(() => shim.Position));
        await rig.StartAsync(port);
        await rig.FinishPublishingAsync();
        await using Probe publisher = await Probe.ConnectAsync(port, "slow");
        shim.SlowSync(TimeSpan.FromHours(1));
        long delays = shim.Delays;
        await publisher.SendAsync(publisher.Packets.Publish("away/slow", "x", qos: 1, packetId: 9));
        await UntilAsync(() => shim.Delays > delays, "a sync");
        await RoundTripAsync(port);
        Assert.DoesNotContain(publisher.Received, p => p.Type == PacketType.Puback);
        shim.Heal();
        await publisher.ExpectAsync("PUBACK", p => p.Type == PacketType.Puback && p.PacketId == 9 && (int)p.Reason < 0x80);
    }

    /// <summary>Starts the load, breaks the disk, and waits until the broker has noticed and said so, and serves what needs no disk.</summary>
    private static async Task BreakAsync(QueueRig rig, DiskShim shim, Probe watch, int port, DiskFault kinds, Errno error)
    {
        if (rig.History.Count == 0) await rig.StartAsync(port);
        await rig.MoreAcknowledgedAsync(50);
        long faults = shim.Faults;
        shim.Fail(kinds, error);
        await UntilAsync(() => shim.Faults > faults, "a failed operation");
        await watch.ExpectLatestAsync(StoreState, state => state != WellState);
        for (int i = 0; i < 3; i++) await RoundTripAsync(port);
    }

    private static async Task<Probe> WatchAsync(int port)
    {
        Probe watch = await Probe.ConnectAsync(port, "watch");
        await watch.SubscribeAsync(StoreState);
        await watch.ExpectLatestAsync(StoreState, state => state == WellState);
        return watch;
    }

    /// <summary>A message of QoS 0 comes through.</summary>
    private static async Task RoundTripAsync(int port)
    {
        await using Probe subscriber = await Probe.ConnectAsync(port, "live-subscriber");
        await subscriber.SubscribeAsync("live");
        await using Probe publisher = await Probe.ConnectAsync(port, "live-publisher");
        await publisher.SendAsync(publisher.Packets.Publish("live", "still here"));
        await subscriber.ExpectAsync("the message of QoS 0", p => p.Type == PacketType.Publish && p.PayloadText == "still here");
    }

    private void AssertKept(QueueRig rig, Verdict verdict)
    {
        output.WriteLine(verdict.ToString());
        Assert.True(verdict.Violations.Count == 0, verdict.ToString());
        Assert.True(verdict.Owed > 0, verdict.ToString());
        HistoryEvent[] refused = [.. rig.History.Events.Where(e => e.Kind == EventKind.Refused)];
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{refused.Length} refused"));
        Assert.All(refused, e => Assert.Equal(nameof(ReasonCode.QuotaExceeded), e.Text));
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        var poll = TimeSpan.FromMilliseconds(10);
        for (TimeSpan waited = TimeSpan.Zero; !condition(); waited += poll)
        {
            if (waited > Deadline.Timeout) throw new TimeoutException($"waited in vain for {what}");
            await Task.Delay(poll);
        }
    }
}
