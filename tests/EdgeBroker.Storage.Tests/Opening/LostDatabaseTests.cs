using System.Diagnostics;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Storage.Files;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Storage.Tools;

namespace EdgeBroker.Storage.Tests.Opening;

/// <summary>Databases that were emptied, removed, or lie elsewhere; and what sessions have lost.</summary>
public sealed class LostDatabaseTests : IDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly TemporaryDirectory _elsewhere = new();

    public void Dispose()
    {
        _elsewhere.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true, "it is empty (0 bytes)")]
    [InlineData(false, "it is gone")]
    public void One_that_is_empty_or_gone_is_told_of_and_with_stop_ends_the_start(bool isEmptied, string cause)
    {
        _folder.Fill(messages: 10);
        if (isEmptied) File.WriteAllBytes(_folder.Database, []);
        else File.Delete(_folder.Database);
        StorageOptions usual = _folder.Options;
        _folder.Options = new StorageOptions { OnCorruption = CorruptionPolicy.Stop };
        StoreException stopped = Assert.Throws<StoreException>(() => _folder.Open());
        Assert.Equal(StoreProblem.Damaged, stopped.Problem);
        Assert.Contains(cause, stopped.Message, StringComparison.Ordinal);
        Assert.Contains("edgebroker restore", stopped.Message, StringComparison.Ordinal);
        Assert.Equal(isEmptied, File.Exists(_folder.Database));

        _folder.Options = usual;
        using StoreFile store = _folder.Open();
        Assert.Equal(StoreOpeningKind.Created, store.Opening.Kind);
        Assert.StartsWith(cause, store.Opening.Cause, StringComparison.Ordinal);
        _folder.Log.AssertSaid(7009);
    }

    [Fact]
    public void A_first_start_is_no_loss()
    {
        using StoreFile store = _folder.Open();
        Assert.Null(store.Opening.Cause);
        _folder.Log.AssertSaid(7002);
    }

    [Fact]
    public void A_link_to_another_disk_is_followed_for_all_that_is_done_with_the_database()
    {
        string real = LinkTo("plant.db");
        _folder.Fill(messages: 200);
        Assert.Equal(real, _folder.Database);
        Assert.NotNull(new FileInfo(Path.Combine(_folder.Path, "edgebroker.db")).LinkTarget);
        Assert.True(new FileInfo(real).Length > 10_000);
        _folder.ForgetOrderlyEnd();
        _folder.OverwritePages(1, 1, value: 0x55);
        using StoreFile store = _folder.Open();
        Assert.Equal(StoreOpeningKind.Quarantined, store.Opening.Kind);
        // Beside the real one, not on the other disk.
        Assert.True(File.Exists(Path.Combine(_elsewhere.Path, store.Opening.SetAsideAs!)));
        Assert.NotNull(new FileInfo(Path.Combine(_folder.Path, "edgebroker.db")).LinkTarget);
        Assert.Equal(1, StoreFile.CountSetAside(_folder.Path));
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_a_clear_stop()
    {
        File.Delete(LinkTo("stick.db"));
        StoreException stopped = Assert.Throws<StoreException>(
            () => StoreFile.Open(_folder.Path, new StorageOptions(), RowChecks.None, _folder.Log, _folder.Time));
        Assert.Equal(StoreProblem.Missing, stopped.Problem);
        Assert.Contains("is a link to", stopped.Message, StringComparison.Ordinal);
        Assert.Contains("mount the disk", stopped.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_elsewhere.Path));
    }

    [Fact]
    public void Nobody_waits_for_messages_that_are_gone_and_what_each_session_lost_is_said()
    {
        _folder.Fill(messages: 4, sessions: 2);
        using (StoreFile store = _folder.Open())
        {
            AddDeliveries(store.Database);
            Assert.True(StoreVerify.Run(_folder.Database, RowChecks.None).IsSound);
            store.Database.Execute("DELETE FROM message WHERE id IN (2, 4)");
        }

        Assert.Equal(
            ["delivery: 2 message(s) that sessions wait for are not there"], StoreVerify.Run(_folder.Database, RowChecks.None).Problems);
        using (SqliteDatabase database = SqliteDatabase.Open(_folder.Database, DatabaseAccess.ReadWrite)) database.Execute("PRAGMA user_version=0");
        using (StoreFile rescued = _folder.Open())
        {
            Assert.Equal([new LostDeliveries("client-0", 2), new LostDeliveries("client-1", 1)], rescued.Opening.LostDeliveries);
            Assert.Contains(
                _folder.Log.Entries, entry => entry.Text == "client-0: 2 message(s) that waited are lost; the damaged database does not hold them any more");
            Assert.Equal([2, 0, 1, 0], ReceiversOf(rescued.Database));
        }

        Assert.True(StoreVerify.Run(_folder.Database, RowChecks.None).IsSound);
    }

    [RootFact]
    public void What_root_makes_in_a_service_s_directory_belongs_to_the_service()
    {
        const uint Nobody = 65_534;
        Directory.CreateDirectory(_folder.Path);
        using (Process chown = Process.Start("chown", [$"{Nobody}:{Nobody}", _folder.Path])) chown.WaitForExit();
        _folder.Fill(messages: 0, sessions: 3);
        Assert.All(Directory.GetFiles(_folder.Path), file => Assert.Equal((Nobody, Nobody), FileOwner.Of(file)));
        string copy = _elsewhere.File("copy.db");
        StoreBackup.Run(_folder.Database, copy, replace: false, CancellationToken.None);
        StoreRestore.Run(copy, _folder.Path, _folder.Time, CancellationToken.None, out string? setAsideAs);
        Assert.Equal("edgebroker.db.replaced-20260304-050607", setAsideAs);
        Assert.All(Directory.GetFiles(_folder.Path), file => Assert.Equal((Nobody, Nobody), FileOwner.Of(file)));
    }

    [Fact]
    public void A_copy_is_restored_and_what_was_there_is_kept()
    {
        _folder.Fill(messages: 0, sessions: 20);
        string copy = _elsewhere.File("copy.db");
        StoreBackup.Run(_folder.Database, copy, replace: false, CancellationToken.None);
        using (StoreFile store = _folder.Open())
        {
            store.Database.Execute("DELETE FROM session WHERE id > 5");
            StoreException busy = Assert.Throws<StoreException>(() => Restore(copy));
            Assert.Equal(StoreProblem.InUse, busy.Problem);
        }

        Assert.Equal("edgebroker.db.replaced-20260304-050607", Restore(copy));
        using (StoreFile restored = _folder.Open())
        {
            Assert.Equal(StoreOpeningKind.Opened, restored.Opening.Kind);
            Assert.Equal(20, restored.Database.QueryInt64("SELECT count(*) FROM session"));
        }

        using (FileStream damaged = File.OpenWrite(copy)) damaged.SetLength(5_000);
        Assert.Equal(StoreProblem.Damaged, Assert.Throws<StoreException>(() => Restore(copy)).Problem);
        Assert.Equal(StoreProblem.Missing, Assert.Throws<StoreException>(() => Restore(_elsewhere.File("none.db"))).Problem);
        using StoreFile still = _folder.Open();
        Assert.Equal(20, still.Database.QueryInt64("SELECT count(*) FROM session"));

        string? Restore(string file)
        {
            StoreRestore.Run(file, _folder.Path, _folder.Time, CancellationToken.None, out string? setAsideAs);
            return setAsideAs;
        }
    }

    private string LinkTo(string name)
    {
        string real = _elsewhere.File(name);
        Directory.CreateDirectory(_folder.Path);
        File.WriteAllBytes(real, []);
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "edgebroker.db"), real);
        return real;
    }

    // Messages 1 to 4: the first for both, the second for both, the third for the first one, the fourth for the first one.
    private static void AddDeliveries(SqliteDatabase database)
    {
        var blob = new BlobWriter();
        foreach (int[] sessions in (int[][])[[1, 2], [1, 2], [1], [1]])
        {
            Receivers.WriteMessage(blob, new WaitingMessage(sessions.Length, 10, long.MaxValue, 0));
            foreach (int session in sessions) Receivers.Write(blob, new Receiver(session, 7, DeliveryOptions.AtLeastOnce, null, null));
        }

        using SqliteStatement insert = database.Prepare("INSERT INTO delivery VALUES(1, ?1)");
        insert.Bind(1, blob.ToArray());
        insert.Run();
    }

    private static List<int> ReceiversOf(SqliteDatabase database)
    {
        var found = new List<int>();
        using SqliteStatement rows = database.Prepare("SELECT receivers FROM delivery");
        Assert.True(rows.Step());
        var blob = new BlobReader(rows.Blob(0));
        while (Receivers.TryReadMessage(ref blob, out WaitingMessage message))
        {
            found.Add(message.Receivers);
            for (int i = 0; i < message.Receivers; i++) Assert.True(Receivers.TryRead(ref blob, out _));
        }

        return found;
    }
}
