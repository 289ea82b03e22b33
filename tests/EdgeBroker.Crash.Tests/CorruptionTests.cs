using System.Globalization;
using System.Text.RegularExpressions;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Crash.Tests.Runs;
using Xunit.Abstractions;

namespace EdgeBroker.Crash.Tests;

/// <summary>
/// A database that is damaged: the broker starts all the same, sets the file aside under a dated name, says so, takes over what can still be read and keeps
/// what comes from then on. With <c>on_corruption = "stop"</c> it touches nothing and says why it does not start.
/// </summary>
public sealed partial class CorruptionTests(ITestOutputHelper output) : IDisposable
{
    private const int Messages = 1500;
    private const int Unusable = 78;
    private const int HeaderBytes = 100;

    private readonly List<BrokerUnderTest> _brokers = [];

    /// <summary>Each damage, and how much of the queue must be saved, in percent: what is not damaged.</summary>
    public static TheoryData<Damage, int> Damages => new()
    {
        { Damage.Garbage, 0 },
        { Damage.FirstPageNull, 0 },
        { Damage.RootsNull, 0 },
        { Damage.MiddlePageNull, 50 },
        { Damage.MiddleGarbage, 50 },
        { Damage.Truncated, 0 },
        { Damage.TruncatedWithinPage, 50 },
        { Damage.ForeignSchema, 0 },
        { Damage.WrongColumns, 0 },
    };

    public void Dispose()
    {
        foreach (BrokerUnderTest broker in _brokers) broker.Dispose();
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_database_is_set_aside_and_the_broker_starts(Damage damage, int savedPercent)
    {
        (BrokerUnderTest broker, RunHistory history) = await FilledAsync("", killed: false);
        await DamagedDatabase.MakeAsync(broker.DataDirectory, damage);
        byte[] damaged = await File.ReadAllBytesAsync(Path.Combine(broker.DataDirectory, DamagedDatabase.Name));
        await AssertServesAsync(broker, history, savedPercent);
        string aside = SetAside(broker);
        Assert.True(broker.FirstStartSaid.Contains(aside, StringComparison.Ordinal), $"{aside} is not mentioned:\n{broker.FirstStartSaid}");
        // One that was in use until the damage was met has gone on changing.
        if (broker.FirstStartSaid.Contains("restarting with a new store", StringComparison.Ordinal)) return;
        // What SQLite itself may do to the header of a file it opens is no loss.
        byte[] kept = await File.ReadAllBytesAsync(Path.Combine(broker.DataDirectory, aside));
        Assert.True(damaged.AsSpan(HeaderBytes).SequenceEqual(kept.AsSpan(HeaderBytes)), $"{aside} is not what was found");
    }

    /// <summary>
    /// What is left of a log that was cut off or overwritten cannot be told from one that was never longer: the broker starts with what is there.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_log_costs_what_is_behind_the_damage(bool truncated)
    {
        (BrokerUnderTest broker, RunHistory history) = await FilledAsync("", killed: true);
        string log = Path.Combine(broker.DataDirectory, $"{DamagedDatabase.Name}-wal");
        long bytes = new FileInfo(log).Length;
        Assert.True(bytes > 100_000, $"the log has {bytes} bytes");
        if (truncated) DamagedDatabase.Truncate(log, (bytes / 2) + 100);
        else DamagedDatabase.Fill(log, bytes / 2, bytes / 4, new Random(1));
        await AssertServesAsync(broker, history, savedPercent: 0);
    }

    [Fact]
    public async Task A_log_that_is_garbage_does_not_keep_the_broker_from_starting()
    {
        (BrokerUnderTest broker, RunHistory history) = await FilledAsync("", killed: true);
        string log = Path.Combine(broker.DataDirectory, $"{DamagedDatabase.Name}-wal");
        DamagedDatabase.Fill(log, 0, new FileInfo(log).Length, new Random(1));
        await AssertServesAsync(broker, history, savedPercent: 0);
    }

    [Theory]
    [InlineData(Damage.Garbage, "stop")]
    [InlineData(Damage.RootsNull, "stop")]
    [InlineData(Damage.ForeignSchema, "stop")]
    [InlineData(Damage.NewerVersion, "stop")]
    [InlineData(Damage.NewerVersion, "quarantine")]
    public async Task Told_to_stop_or_older_than_the_store_it_touches_nothing_and_says_why(Damage damage, string policy)
    {
        (BrokerUnderTest broker, _) = await FilledAsync($"on_corruption = \"{policy}\"\n", killed: false);
        await DamagedDatabase.MakeAsync(broker.DataDirectory, damage);
        string path = Path.Combine(broker.DataDirectory, DamagedDatabase.Name);
        byte[] before = await File.ReadAllBytesAsync(path);
        broker.Launch();
        Assert.Equal(Unusable, await broker.Process.ExitAsync());
        Assert.Contains(DamagedDatabase.Name, broker.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("listening for MQTT", broker.Said, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(path));
    }

    /// <summary>A broker that has stopped, with a queue in its database.</summary>
    private async Task<(BrokerUnderTest Broker, RunHistory History)> FilledAsync(string storage, bool killed)
    {
        BrokerUnderTest broker = BrokerUnderTest.Create(StorageProfile.Balanced, storage);
        _brokers.Add(broker);
        RunHistory history = QueueRig.NewHistory(() => 0);
        await using var rig = new QueueRig(history);
        await rig.StartAsync(await broker.StartAsync());
        await rig.MoreAcknowledgedAsync(Messages);
        await rig.FinishPublishingAsync();
        rig.BrokerGoes();
        if (killed)
        {
            broker.Kill();
        }
        else
        {
            broker.Process.Terminate();
            Assert.Equal(0, await broker.Process.ExitAsync());
        }

        return (broker, history);
    }

    /// <summary>Starts it on what it finds; checks what it saved, and that it keeps messages again.</summary>
    private async Task AssertServesAsync(BrokerUnderTest broker, RunHistory history, int savedPercent)
    {
        int sent = history.Messages.Count;
        await using (var rig = new QueueRig(history))
        {
            await rig.StartAsync(await broker.StartAsync());
            await rig.SettleAsync();
            rig.BrokerGoes();
        }

        int saved = history.Events.Where(e => e.Kind == EventKind.Delivered && e.Message < sent).Select(e => e.Message).Distinct().Count();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{saved} of {sent} saved"));
        Assert.True(saved * 100 >= sent * savedPercent, $"{saved} of {sent} saved");
        // What was lost may be lost; what came must be right.
        Promise[] forgiven = [Promise.NothingIsLost, Promise.SessionPresent];
        Violation[] wrong = [.. Judge.Of(history).Violations.Where(v => !forgiven.Contains(v.Promise))];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong.Take(20)));
        broker.KeepWhatItSaid();
        await AssertKeepsAsync(broker);
    }

    private static async Task AssertKeepsAsync(BrokerUnderTest broker)
    {
        broker.Process.Terminate();
        Assert.Equal(0, await broker.Process.ExitAsync());
        // Other clients: what the first ones acknowledged just before damage was met in use may be delivered once more.
        RunHistory fresh = QueueRig.NewHistory(() => 0, "anew");
        await using var rig = new QueueRig(fresh);
        await rig.StartAsync(await broker.StartAsync());
        await rig.MoreAcknowledgedAsync(50);
        await rig.FinishPublishingAsync();
        rig.BrokerGoes();
        broker.Kill();
        await using var after = new QueueRig(fresh);
        await after.StartAsync(await broker.StartAsync());
        Verdict verdict = await after.SettleAsync();
        Assert.True(verdict.Violations.Count == 0 && verdict.Owed > 0, $"{verdict}\nafter it was damaged it said:\n{broker.FirstStartSaid}");
    }

    private static string SetAside(BrokerUnderTest broker)
    {
        string[] files = [.. Directory.GetFiles(broker.DataDirectory).Select(path => Path.GetFileName(path))];
        string[] aside =
        [
            .. files.Where(
                name => Dated().IsMatch(name) && !name.EndsWith("-wal", StringComparison.Ordinal) && !name.EndsWith("-shm", StringComparison.Ordinal)),
        ];
        Assert.True(aside.Length == 1, $"set aside: {string.Join(", ", aside)}; there are {string.Join(", ", files)}");
        return aside[0];
    }

    [GeneratedRegex(@"^edgebroker\..*20\d\d-?[01]\d-?[0-3]\d")]
    private static partial Regex Dated();
}
