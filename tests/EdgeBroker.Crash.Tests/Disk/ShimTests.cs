using System.Diagnostics;
using System.Globalization;
using EdgeBroker.Testing.Published;
using Xunit.Abstractions;

namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>The shim and the disk laid out from its log, tried on programs whose promises are known: Python's file functions and SQLite.</summary>
public sealed class ShimTests(ITestOutputHelper output) : IDisposable
{
    private const int Commits = 300;
    private const int Cuts = 60;

    private readonly string _scratch = Directory.CreateTempSubdirectory("edgebroker-shim-").FullName;

    private string DataDirectory => Directory.CreateDirectory(Path.Combine(_scratch, "data")).FullName;

    public void Dispose() => Directory.Delete(_scratch, recursive: true);

    [Fact]
    public async Task The_log_holds_everything_that_was_done_to_files()
    {
        using DiskShim shim = await DiskShim.CreateAsync(DataDirectory, _scratch, records: true);
        await SayAsync(shim, "files");
        DiskLog log = shim.ReadLog();
        Assert.True(log.Records.Count > 400, $"{log.Records.Count} records");
        Assert.Empty(DiskImage.At(log, shim.Position, Survival.Everything, new Random(1)).Differences(DataDirectory));
        // And the comparison can fail.
        Assert.NotEmpty(DiskImage.At(log, log.Records[^2].End / 2, Survival.Everything, new Random(1)).Differences(DataDirectory));
    }

    [Fact]
    public async Task The_log_of_SQLite_is_whole()
    {
        (DiskShim shim, _) = await CommitAsync("journal_mode=wal,synchronous=full,wal_autocheckpoint=50");
        using (shim) Assert.Empty(DiskImage.At(shim.ReadLog(), shim.Position, Survival.Everything, new Random(1)).Differences(DataDirectory));
    }

    [Theory]
    [InlineData("journal_mode=wal,synchronous=full,wal_autocheckpoint=50")]
    [InlineData("journal_mode=delete,synchronous=extra")]
    public async Task A_synced_commit_survives_every_cut(string pragmas)
    {
        (int damaged, int lossy) = await CutAsync(pragmas);
        Assert.Equal((0, 0), (damaged, lossy));
    }

    /// <summary>With a rollback journal, FULL does not sync the directory out of which the journal was removed, which is what commits.</summary>
    [Theory]
    [InlineData("journal_mode=wal,synchronous=normal,wal_autocheckpoint=50")]
    [InlineData("journal_mode=delete,synchronous=full")]
    public async Task A_commit_that_is_not_synced_may_be_lost_but_harms_nothing(string pragmas)
    {
        (int damaged, int lossy) = await CutAsync(pragmas);
        Assert.Equal(0, damaged);
        Assert.NotEqual(0, lossy);
    }

    [Fact]
    public async Task A_database_that_never_syncs_is_damaged()
    {
        (int damaged, _) = await CutAsync("journal_mode=delete,synchronous=off");
        Assert.NotEqual(0, damaged);
    }

    [Fact]
    public async Task What_shall_fail_fails_and_heals()
    {
        using DiskShim shim = await DiskShim.CreateAsync(DataDirectory, _scratch, records: true);
        shim.Fail(DiskFault.Sync, Errno.InputOutput);
        using (ChildProcess failing = Start(shim, DataDirectory, "sqlite", "journal_mode=wal,synchronous=full", "3"))
        {
            Assert.NotEqual(0, await failing.ExitAsync());
            Assert.Contains("disk I/O error", failing.Said, StringComparison.Ordinal);
        }

        Assert.NotEqual(0, shim.Faults);
        shim.Fail(DiskFault.Write, Errno.NoSpace);
        using (ChildProcess full = Start(shim, DataDirectory, "sqlite", "journal_mode=wal,synchronous=full", "3"))
        {
            Assert.NotEqual(0, await full.ExitAsync());
            Assert.Contains("full", full.Said, StringComparison.Ordinal);
        }

        shim.Heal();
        shim.SlowSync(TimeSpan.FromMilliseconds(200));
        var clock = Stopwatch.StartNew();
        using ChildProcess healed = Start(shim, DataDirectory, "sqlite", "journal_mode=wal,synchronous=full", "3");
        await healed.LineAsync(line => line == "committed 3");
        Assert.True(clock.Elapsed > TimeSpan.FromMilliseconds(600), $"{clock.Elapsed}");
        Assert.NotEqual(0, shim.Delays);
    }

    [Fact]
    public async Task A_program_dies_at_the_chosen_operation()
    {
        using DiskShim shim = await DiskShim.CreateAsync(DataDirectory, _scratch, records: true);
        shim.KillAt(100);
        using (ChildProcess killed = Start(shim, DataDirectory, "sqlite", "journal_mode=wal,synchronous=full", "300"))
        {
            Assert.Equal(128 + 9, await killed.ExitAsync());
        }

        Assert.True(shim.Killed);
        Assert.Equal(100, shim.Operations);
        Assert.Empty(DiskImage.At(shim.ReadLog(), shim.Position, Survival.Everything, new Random(1)).Differences(DataDirectory));
    }

    /// <summary>Cuts the power at many points of a program's run, and counts databases that are damaged or lack what was said to be committed.</summary>
    private async Task<(int Damaged, int Lossy)> CutAsync(string pragmas)
    {
        (DiskShim shim, List<long> committedAt) = await CommitAsync(pragmas);
        using (shim)
        {
            DiskLog log = shim.ReadLog();
            int seed = System.Random.Shared.Next();
            output.WriteLine($"{log.Records.Count} records, seed {seed}");
            var random = new Random(seed);
            int damaged = 0;
            int lossy = 0;
            for (int i = 0; i < Cuts; i++)
            {
                long position = log.Records[random.Next(log.Records.Count)].End;
                int committed = committedAt.Count(at => at <= position);
                if (committed == 0) continue;
                string directory = Directory.CreateDirectory(Path.Combine(_scratch, $"cut-{i}")).FullName;
                DiskImage.At(log, position, Enum.GetValues<Survival>()[random.Next(4)], random).WriteTo(directory);
                string said = await SayAsync(null, directory, "check");
                string[] words = said.Split(' ');
                if (words[0] != "ok") damaged++;
                else if (int.Parse(words[1], CultureInfo.InvariantCulture) < committed || words[1] != words[2]) lossy++;
                if (words[0] != "ok") output.WriteLine($"cut at {position}: {said}");
            }

            return (damaged, lossy);
        }
    }

    private async Task<(DiskShim Shim, List<long> CommittedAt)> CommitAsync(string pragmas)
    {
        DiskShim shim = await DiskShim.CreateAsync(DataDirectory, _scratch, records: true);
        using ChildProcess writer = Start(shim, DataDirectory, keepsInput: true, "sqlite", pragmas, Commits.ToString(CultureInfo.InvariantCulture));
        var committedAt = new List<long>();
        for (int i = 1; i <= Commits; i++)
        {
            string line = $"committed {i}";
            await writer.TakeLineAsync(said => said == line);
            committedAt.Add(shim.Position);
            writer.Say("go on");
        }

        Assert.Equal(0, await writer.ExitAsync());
        return (shim, committedAt);
    }

    private Task<string> SayAsync(DiskShim shim, string verb) => SayAsync(shim, DataDirectory, verb);

    private static async Task<string> SayAsync(DiskShim? shim, string directory, string verb)
    {
        using ChildProcess process = Start(shim, directory, verb);
        Assert.True(await process.ExitAsync() == 0, process.Said);
        return process.Said;
    }

    private static ChildProcess Start(DiskShim? shim, string directory, params string[] arguments) => Start(shim, directory, keepsInput: false, arguments);

    private static ChildProcess Start(DiskShim? shim, string directory, bool keepsInput, params string[] arguments)
    {
        // Debian's Python, which setup installs, whichever other is first on the PATH.
        string writer = Path.Combine(RepositoryRoot.Find(), "tests", "EdgeBroker.Crash.Tests", "Shim", "writer.py");
        var start = new ProcessStartInfo("/usr/bin/python3", ["-B", writer, .. arguments]) { WorkingDirectory = directory };
        foreach ((string name, string value) in shim?.Environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new ChildProcess(start, keepsInput);
    }
}
