using EdgeBroker.Storage.Opening;

namespace EdgeBroker.Storage.Tests.Opening;

/// <summary>What a power cut leaves at any moment, the moments of a rescue included.</summary>
public sealed class CrashTests : IDisposable
{
    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(5_000)]
    [InlineData(100_000)]
    public void A_WAL_cut_short_keeps_what_was_committed_before(int walBytes)
    {
        using StoreFolder crashed = WithWal();
        using (FileStream wal = File.OpenWrite(crashed.Wal)) wal.SetLength(walBytes);
        using StoreFile store = crashed.Open();
        Assert.Equal(StoreOpeningKind.Opened, store.Opening.Kind);
        // Ten commits of a hundred each, the first already in the database file.
        long count = store.Database.QueryInt64("SELECT count(*) FROM message")!.Value;
        Assert.Equal(0, count % 100);
        Assert.InRange(count, 100, 900);
    }

    [Fact]
    public void A_WAL_of_garbage_is_not_believed()
    {
        using StoreFolder crashed = WithWal();
        byte[] garbage = new byte[200_000];
        new Random(2).NextBytes(garbage);
        File.WriteAllBytes(crashed.Wal, garbage);
        using StoreFile store = crashed.Open();
        Assert.Equal(100, store.Database.QueryInt64("SELECT count(*) FROM message"));
    }

    [Fact]
    public void A_WAL_with_a_bad_byte_ends_before_it()
    {
        using StoreFolder crashed = WithWal();
        byte[] wal = File.ReadAllBytes(crashed.Wal);
        wal[wal.Length / 2] ^= 1;
        File.WriteAllBytes(crashed.Wal, wal);
        using StoreFile store = crashed.Open();
        Assert.InRange(store.Database.QueryInt64("SELECT count(*) FROM message")!.Value, 100, 900);
        Assert.Equal("ok", store.Database.QueryText("PRAGMA integrity_check"));
    }

    [Fact]
    public void A_WAL_without_its_database_is_kept()
    {
        using StoreFolder crashed = WithWal();
        byte[] wal = File.ReadAllBytes(crashed.Wal);
        File.Delete(crashed.Database);
        using StoreFile store = crashed.Open();
        Assert.Equal(StoreOpeningKind.Created, store.Opening.Kind);
        Assert.Equal(wal, File.ReadAllBytes(Directory.GetFiles(crashed.Path, "*.corrupt-*-wal").Single()));
        crashed.Log.AssertSaid(7011);
    }

    [Fact]
    public void A_database_cut_to_nothing_is_kept_with_its_WAL()
    {
        using StoreFolder crashed = WithWal();
        byte[] wal = File.ReadAllBytes(crashed.Wal);
        File.WriteAllBytes(crashed.Database, []);
        using StoreFile store = crashed.Open();
        Assert.Equal(StoreOpeningKind.Quarantined, store.Opening.Kind);
        Assert.Equal(wal, File.ReadAllBytes(crashed.SetAside.Single() + "-wal"));
        // The pages that only the database file had are lost: the first messages'.
        Assert.InRange(store.Database.QueryInt64("SELECT count(*) FROM message")!.Value, 850, 999);
    }

    [Fact]
    public void A_creation_that_was_interrupted_is_begun_again()
    {
        Directory.CreateDirectory(_folder.Path);
        File.WriteAllText(_folder.Database + ".new", "half a page");
        File.WriteAllText(_folder.Database + ".new-journal", "half a page");
        using StoreFile store = _folder.Open();
        Assert.Equal(StoreOpeningKind.Created, store.Opening.Kind);
        Assert.Equal(
            ["edgebroker.db", "edgebroker.lock"],
            Directory.GetFiles(_folder.Path).Select(f => Path.GetFileName(f)!)
                .Where(f => !f.Contains("db-", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_empty_file_is_no_database_to_be_set_aside()
    {
        Directory.CreateDirectory(_folder.Path);
        File.WriteAllText(_folder.Database, "");
        using StoreFile store = _folder.Open();
        Assert.Equal(StoreOpeningKind.Created, store.Opening.Kind);
        Assert.Empty(_folder.SetAside);
    }

    /// <summary>The same rows come out wherever a rescue is interrupted: it is noted, moved, its WAL moved, half built, or built.</summary>
    [Theory]
    [InlineData("noted")]
    [InlineData("moved")]
    [InlineData("WAL moved")]
    [InlineData("half built")]
    public void A_rescue_that_was_interrupted_goes_on(string moment)
    {
        using StoreFolder crashed = WithWal();
        const string Name = "edgebroker.db.corrupt-20250101-000000";
        string setAside = Path.Combine(crashed.Path, Name);
        File.WriteAllText(crashed.Lock, $"setting-aside {Name}\n1\n");
        if (moment is not "noted") File.Move(crashed.Database, setAside);
        if (moment is "WAL moved" or "half built") File.Move(crashed.Wal, setAside + "-wal");
        if (moment is "half built") File.WriteAllText(crashed.Database + ".new", "half a page");
        using (StoreFile store = crashed.Open())
        {
            Assert.Equal(StoreOpeningKind.Quarantined, store.Opening.Kind);
            Assert.Equal(Name, store.Opening.SetAsideAs);
            Assert.Equal(1_000, store.Database.QueryInt64("SELECT count(*) FROM message"));
        }

        Assert.True(File.Exists(setAside));
        Assert.True(File.Exists(setAside + "-wal"));
        using StoreFile next = crashed.Open();
        Assert.Equal(StoreOpeningKind.Opened, next.Opening.Kind);
    }

    [Fact]
    public void A_rescue_that_was_interrupted_at_its_very_end_is_not_done_twice()
    {
        using StoreFolder crashed = WithWal();
        const string Name = "edgebroker.db.corrupt-20250101-000000";
        File.WriteAllText(Path.Combine(crashed.Path, Name), "what was damaged");
        File.WriteAllText(crashed.Lock, $"setting-aside {Name}\n1\n");
        using StoreFile store = crashed.Open();
        Assert.Equal(1_000, store.Database.QueryInt64("SELECT count(*) FROM message"));
        Assert.Equal("what was damaged", File.ReadAllText(crashed.SetAside.Single()));
    }

    /// <summary>Whatever is wrong with the bytes, the broker starts, and on a sound database.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_damage_never_keeps_the_broker_from_starting(int seed)
    {
        using StoreFolder origin = WithWal(payloadBytes: seed % 2 == 0 ? 60 : 6_000);
        var random = new Random(seed);
        for (int i = 0; i < 25; i++)
        {
            using StoreFolder crashed = origin.CopyAsCrashed();
            Damage(crashed.Database, random);
            if (random.Next(2) == 0) Damage(crashed.Wal, random);
            using StoreFile store = crashed.Open();
            Assert.Equal("ok", store.Database.QueryText("PRAGMA quick_check"));
            Assert.InRange(store.Database.QueryInt64("SELECT count(*) FROM message")!.Value, 0, 1_000);
            Assert.Equal(store.Opening.Kind == StoreOpeningKind.Quarantined ? 1 : 0, crashed.SetAside.Length);
        }
    }

    private static void Damage(string path, Random random)
    {
        byte[] bytes = File.ReadAllBytes(path);
        switch (random.Next(4))
        {
            case 0:
                for (int i = random.Next(1, 50); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                break;
            case 1:
                random.NextBytes(bytes.AsSpan(random.Next(bytes.Length / 4_096) * 4_096, 4_096));
                break;
            case 2:
                bytes.AsSpan(random.Next(bytes.Length)).Clear();
                break;
            default:
                bytes = bytes[..random.Next(1, bytes.Length)];
                break;
        }

        File.WriteAllBytes(path, bytes);
    }

    /// <summary>A hundred messages in the database file, and nine hundred in nine commits in the WAL.</summary>
    private StoreFolder WithWal(int payloadBytes = 200)
    {
        _folder.Fill(messages: 100, sessions: 0, payloadBytes);
        using StoreFile living = _folder.Open();
        for (int i = 0; i < 9; i++) StoreFolder.Add(living.Database, messages: 100, sessions: 0, payloadBytes);
        return _folder.CopyAsCrashed();
    }
}
