using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tests.Opening;

/// <summary>Real files, really damaged: the broker starts, nothing is thrown away, and what is readable is there.</summary>
public sealed class QuarantineTests : IDisposable
{
    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_page_of_zeros_costs_its_own_rows_only()
    {
        _folder.Fill(messages: 2_000);
        _folder.ForgetOrderlyEnd();
        _folder.OverwritePages(_folder.PageOf(200, 200), 1);
        StoreOpening opening = OpenQuarantined();
        Assert.Equal("edgebroker.db.corrupt-20260304-050607", opening.SetAsideAs);
        // 16 messages fill a page.
        SalvagedTable message = Salvaged(opening, "message");
        Assert.InRange(message.Rows, 1_980, 1_999);
        Assert.False(message.IsComplete);
        Assert.Equal(new SalvagedTable("session", 10, 0, true), Salvaged(opening, "session"));
        Assert.Equal(new SalvagedTable("subscription", 10, 0, true), Salvaged(opening, "subscription"));
        Assert.Equal(1, opening.SetAsideCount);
        Assert.Equal(new FileInfo(_folder.SetAside.Single()).Length, opening.SetAsideBytes);
        _folder.Log.AssertSaid(7003);
        _folder.Log.AssertSaid(7004);
        _folder.Log.AssertSaid(7005);
    }

    [Fact]
    public void Between_two_bad_pages_rows_are_lost_and_outside_them_none()
    {
        _folder.Fill(messages: 4_000);
        _folder.ForgetOrderlyEnd();
        foreach (int message in new[] { 100, 150 }) _folder.OverwritePages(_folder.PageOf(message, 200), 1);
        OpenQuarantined();
        using StoreFile store = _folder.Open();
        Assert.Equal(1, store.Database.QueryInt64("SELECT min(id) FROM message"));
        Assert.Equal(4_000, store.Database.QueryInt64("SELECT max(id) FROM message"));
        Assert.InRange(store.Database.QueryInt64("SELECT count(*) FROM message")!.Value, 3_800, 3_999);
    }

    [Fact]
    public void A_long_message_with_a_broken_chain_costs_nothing_else()
    {
        _folder.Fill(messages: 50, payloadBytes: 50_000);
        _folder.ForgetOrderlyEnd();
        // Pages that a payload continues on are full of its byte, behind the number of the next one.
        byte[] bytes = File.ReadAllBytes(_folder.Database);
        int at = bytes.AsSpan().IndexOf(Enumerable.Repeat((byte)26, 4_092).ToArray());
        Assert.Equal(4, at % StorePragmas.PageSizeBytes);
        _folder.OverwritePages(at / StorePragmas.PageSizeBytes + 1, 1, value: 0xFF);
        StoreOpening opening = OpenQuarantined();
        Assert.Equal(new SalvagedTable("message", 49, 1, true), Salvaged(opening, "message"));
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.95)]
    public void Of_a_file_cut_short_the_beginning_is_rescued(double part)
    {
        _folder.Fill(messages: 2_000);
        using (FileStream file = File.OpenWrite(_folder.Database)) file.SetLength((long)(file.Length * part));
        StoreOpening opening = OpenQuarantined();
        Assert.InRange(Salvaged(opening, "message").Rows, 1, 1_999);
        Assert.Equal(10, Salvaged(opening, "session").Rows);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(0, 4096)]
    [InlineData(512, 3584)]
    [InlineData(2048, 2048)]
    public void A_first_page_that_is_torn_costs_nothing(int offset, int length)
    {
        _folder.Fill(messages: 2_000);
        _folder.ForgetOrderlyEnd();
        using (FileStream file = File.OpenWrite(_folder.Database))
        {
            file.Position = offset;
            file.Write(new byte[length]);
        }

        StoreOpening opening = OpenQuarantined();
        Assert.Equal(new SalvagedTable("message", 2_000, 0, true), Salvaged(opening, "message"));
        Assert.Equal(new SalvagedTable("session", 10, 0, true), Salvaged(opening, "session"));
        Assert.Equal(new SalvagedTable("subscription", 10, 0, true), Salvaged(opening, "subscription"));
        Assert.Equal(["edgebroker.db", "edgebroker.db.corrupt-20260304-050607", "edgebroker.lock"], _folder.FileNames);
    }

    [Fact]
    public void A_file_of_something_else_is_kept_and_a_new_store_is_made()
    {
        Directory.CreateDirectory(_folder.Path);
        byte[] garbage = new byte[50_000];
        new Random(1).NextBytes(garbage);
        File.WriteAllBytes(_folder.Database, garbage);
        StoreOpening opening = OpenQuarantined();
        Assert.All(opening.Salvaged, t => Assert.Equal((0, 0, false), (t.Rows, t.Skipped, t.IsComplete)));
        Assert.Equal(garbage, File.ReadAllBytes(_folder.SetAside.Single()));
    }

    [Fact]
    public void Another_program_s_database_is_kept_and_a_new_store_is_made()
    {
        Directory.CreateDirectory(_folder.Path);
        using (SqliteDatabase other = SqliteDatabase.Open(_folder.Database, DatabaseAccess.ReadWriteCreate))
        {
            other.Execute("CREATE TABLE message(id INTEGER PRIMARY KEY, text); INSERT INTO message VALUES(1, 'hello')");
        }

        StoreOpening opening = OpenQuarantined();
        Assert.Contains("application id", opening.Cause, StringComparison.Ordinal);
        Assert.Equal(0, Salvaged(opening, "message").Rows);
    }

    [Theory]
    [InlineData("CREATE INDEX surprise ON message(topic)", "surprise")]
    [InlineData("DROP TABLE delivery", "delivery")]
    [InlineData("ALTER TABLE message ADD COLUMN extra", "message")]
    [InlineData("CREATE TRIGGER t AFTER INSERT ON message BEGIN DELETE FROM message; END", "trigger")]
    [InlineData("PRAGMA user_version=0", "version 0")]
    public void A_schema_that_was_tampered_with_is_not_used_but_its_rows_are(string tampering, string named)
    {
        _folder.Fill(messages: 30);
        using (SqliteDatabase database = SqliteDatabase.Open(_folder.Database, DatabaseAccess.ReadWrite)) database.Execute(tampering);
        StoreOpening opening = OpenQuarantined();
        Assert.Contains(named, opening.Cause, StringComparison.Ordinal);
        Assert.Equal(new SalvagedTable("message", 30, 0, true), Salvaged(opening, "message"));
    }

    [Theory]
    [InlineData(CorruptionPolicy.Quarantine)]
    [InlineData(CorruptionPolicy.Stop)]
    public void A_newer_version_s_store_is_left_alone_whatever_the_policy(CorruptionPolicy policy)
    {
        _folder.Fill(messages: 30);
        using (SqliteDatabase database = SqliteDatabase.Open(_folder.Database, DatabaseAccess.ReadWrite)) database.Execute("PRAGMA user_version=9");
        byte[] before = File.ReadAllBytes(_folder.Database);
        _folder.Options = new StorageOptions { OnCorruption = policy };
        StoreException stopped = Assert.Throws<StoreException>(() => _folder.Open());
        Assert.Equal(StoreProblem.Newer, stopped.Problem);
        Assert.Contains("was written by a newer broker: it is of version 9", stopped.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(_folder.Database));
        Assert.Empty(_folder.SetAside);
    }

    [Fact]
    public void Asked_to_stop_it_touches_nothing()
    {
        _folder.Fill(messages: 30);
        _folder.OverwritePages(1, 1, value: 0x55);
        byte[] before = File.ReadAllBytes(_folder.Database);
        _folder.Options = new StorageOptions { OnCorruption = CorruptionPolicy.Stop };
        for (int i = 0; i < 2; i++)
        {
            StoreException stopped = Assert.Throws<StoreException>(() => _folder.Open());
            Assert.Equal(StoreProblem.Damaged, stopped.Problem);
            Assert.Contains("on_corruption", stopped.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, File.ReadAllBytes(_folder.Database));
        Assert.Empty(_folder.SetAside);
    }

    [Fact]
    public void What_is_set_aside_is_never_overwritten()
    {
        for (int i = 0; i < 3; i++)
        {
            _folder.Fill(messages: 10, sessions: 0);
            _folder.OverwritePages(1, 1, value: 0x55);
            Assert.Equal(i + 1, OpenQuarantined().SetAsideCount);
        }

        Assert.Equal(
            ["edgebroker.db.corrupt-20260304-050607", "edgebroker.db.corrupt-20260304-050607-2", "edgebroker.db.corrupt-20260304-050607-3"],
            _folder.SetAside.Select(Path.GetFileName));
    }

    [Fact]
    public void Rows_that_fail_their_check_are_left_behind_and_counted()
    {
        _folder.Fill(messages: 20);
        using (StoreFile store = _folder.Open())
        {
            store.Database.Execute(
                "UPDATE message SET checksum=8 WHERE id IN (3, 4); UPDATE message SET topic=42 WHERE id=5; UPDATE session SET client_id='' WHERE id=1");
            store.Database.Execute("INSERT INTO received VALUES(2, 1), (2, 0), (3, 70000), (99, 5)");
            store.ReportDamage();
        }

        _folder.Checks = new RowChecks([new(StoreTables.Message, row => row.Int64(7) == 7)]);
        File.WriteAllText(_folder.Lock, "setting-aside edgebroker.db.corrupt-20260101-000000\n1\n");
        StoreOpening opening = OpenQuarantined();
        Assert.Equal(new SalvagedTable("message", 17, 3, true), Salvaged(opening, "message"));
        Assert.Equal(new SalvagedTable("session", 9, 1, true), Salvaged(opening, "session"));
        // The subscription of the session that was left behind, and identifiers that are none or nobody's.
        Assert.Equal(new SalvagedTable("subscription", 9, 1, true), Salvaged(opening, "subscription"));
        Assert.Equal(new SalvagedTable("received", 1, 3, true), Salvaged(opening, "received"));
    }

    [Fact]
    public void No_new_session_gets_the_identifier_of_a_lost_one()
    {
        _folder.Fill(messages: 10, sessions: 10);
        using (StoreFile store = _folder.Open())
        {
            store.Database.Execute("DELETE FROM session WHERE id=10");
            store.Database.Execute("PRAGMA user_version=0");
        }

        OpenQuarantined();
        using StoreFile next = _folder.Open();
        next.Database.Execute("INSERT INTO session(client_id, expiry_seconds, state, ends_at_ms, sent_position) VALUES('new', 0, 0, 0, 0)");
        Assert.Equal(11, next.Database.QueryInt64("SELECT id FROM session WHERE client_id = 'new'"));
    }

    private static SalvagedTable Salvaged(StoreOpening opening, string table) => opening.Salvaged.Single(t => t.Name == table);

    /// <summary>Opens, closes and checks what came of it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(13)]
    public void A_store_whose_identity_cannot_be_read_is_set_aside_however_it_ended(byte value)
    {
        _folder.Fill(messages: 20);
        long root;
        using (StoreFile store = _folder.Open()) root = store.Database.QueryInt64("SELECT rootpage FROM sqlite_schema WHERE name = 'identity'")!.Value;
        _folder.OverwritePages(root, 1, value);
        StoreOpening opening = OpenQuarantined();
        Assert.Equal(20, Salvaged(opening, "message").Rows);
    }

    private StoreOpening OpenQuarantined()
    {
        StoreOpening opening;
        using (StoreFile store = _folder.Open())
        {
            opening = store.Opening;
            Assert.Equal(StoreOpeningKind.Quarantined, opening.Kind);
            Assert.Equal("ok", store.Database.QueryText("PRAGMA integrity_check"));
            Assert.Equal("wal", store.Database.QueryText("PRAGMA journal_mode"));
            // One that was not rescued has been made anew by now.
            foreach (SalvagedTable table in opening.Salvaged.Where(t => t.Name != StoreTables.Identity))
            {
                Assert.Equal(table.Rows, store.Database.QueryInt64($"SELECT count(*) FROM {table.Name}"));
            }
        }

        using (StoreFile again = _folder.Open()) Assert.Equal(StoreOpeningKind.Opened, again.Opening.Kind);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.Database));
        return opening;
    }
}
