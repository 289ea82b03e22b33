using EdgeBroker.Cli.Options;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Cli.Tests.Storage;

/// <summary>The verbs that look after the store, from words on the command line to output and exit code.</summary>
public sealed class StoreVerbsTests : IDisposable
{
    private readonly Terminal _terminal = new();

    private string Data => _terminal.PathOf("data");

    public void Dispose() => _terminal.Dispose();

    [Theory]
    [InlineData("backup", "copy.db", "-c", "broker.toml")]
    [InlineData("backup", "--config=broker.toml", "copy.db")]
    public void A_running_broker_s_store_is_copied(params string[] arguments)
    {
        using StoreFile store = Make();
        string copy = Path.Combine(_terminal.Folder, "copy.db");
        Assert.Equal(0, Run(arguments));
        Assert.Equal($"{copy}: {new FileInfo(copy).Length} bytes, checked\n", _terminal.Out);
        Assert.Equal(1, Run(arguments));
        Assert.Contains("is there already", _terminal.Error, StringComparison.Ordinal);
        Assert.Contains("--force", _terminal.Error, StringComparison.Ordinal);
        Assert.Equal(0, Run([.. arguments, "--force"]));
        using SqliteDatabase opened = SqliteDatabase.Open(copy, DatabaseAccess.ReadOnly);
        Assert.Equal(7, opened.QueryInt64("SELECT age_ms FROM clock"));
    }

    [Fact]
    public void A_store_is_looked_at_while_the_broker_runs()
    {
        using StoreFile store = Make();
        Assert.Equal(0, Run("store", "verify", "-c", "broker.toml"));
        Assert.Equal($"{store.Path} is sound, 2 rows\n", _terminal.Out);
        Assert.Equal(0, Run("store", "stats", "-c", "broker.toml"));
        Assert.Matches(@"clock +1 +0\n", _terminal.Out);
        Assert.Matches(@"database \d+ bytes, WAL [1-9]\d* bytes", _terminal.Out);
        Assert.Empty(_terminal.Error);
    }

    [Fact]
    public void A_store_is_exported_beside_the_broker_and_imported_without_it()
    {
        const string Lines = "{\"type\":\"store\",\"version\":1,\"age_ms\":7,\"wall_ms\":7}\n{\"type\":\"end\"}\n";
        string file = Path.Combine(_terminal.Folder, "out.jsonl");
        using (Make())
        {
            Assert.Equal(0, Run("store", "export", "-c", "broker.toml"));
            Assert.Equal(Lines, _terminal.Data);
            Assert.Empty(_terminal.Out);
            Assert.Equal(0, Run("store", "export", "out.jsonl", "-c", "broker.toml"));
            Assert.Equal($"{file}: 0 sessions, 0 subscriptions, 0 waiting messages, 0 retained messages\n", _terminal.Out);
            Assert.Equal(Lines, File.ReadAllText(file));
            Assert.Equal(1, Run("store", "export", "out.jsonl", "-c", "broker.toml"));
            Assert.Contains("is there already", _terminal.Error, StringComparison.Ordinal);
            Assert.Equal(1, Run("store", "import", "out.jsonl", "-c", "broker.toml"));
            Assert.Contains("another broker", _terminal.Error, StringComparison.Ordinal);
        }

        using (StoreFile store = StoreFile.Open(Data, new StorageOptions(), RowChecks.None, NullLogger.Instance, TimeProvider.System))
        {
            store.Database.Execute("INSERT INTO received VALUES(1, 1)");
        }

        Assert.Equal(1, Run("store", "import", "-c", "broker.toml", "out.jsonl"));
        Assert.Contains("(--force)", _terminal.Error, StringComparison.Ordinal);
        Assert.True(Run("store", "import", "-c", "broker.toml", "out.jsonl", "--force") == 0, _terminal.Error);
        Assert.Contains("the store that was there is now edgebroker.db.replaced-", _terminal.Out, StringComparison.Ordinal);
        Assert.Equal(0, Run("store", "verify", "-c", "broker.toml"));
        Assert.EndsWith("is sound, 1 rows\n", _terminal.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_copy_is_restored_into_the_directory_that_is_named()
    {
        Make().Close();
        Assert.Equal(0, Run("backup", "copy.db", "--data-dir", "data"));
        Assert.Equal(0, Run("restore", "copy.db", "--data-dir", "data"));
        Assert.StartsWith("the store that was there is now edgebroker.db.replaced-", _terminal.Out, StringComparison.Ordinal);
        Assert.EndsWith("checked; start the broker\n", _terminal.Out, StringComparison.Ordinal);
        Assert.Equal(64, Run("restore", "copy.db", "--data-dir", "data", "-c", "broker.toml"));
        Assert.Equal(1, Run("restore", "none.db", "--data-dir", "data"));
        Assert.Contains("name a copy made by \"edgebroker backup\"", _terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Brokers_that_run_are_found_by_their_sockets()
    {
        Assert.Equal(
            ["/var/lib/edgebroker", "/srv/plant 2"],
            DataFolder.RunningIn(
            [
                "Num       RefCount Protocol Flags    Type St Inode Path",
                "0000000000000000: 00000002 00000000 00010000 0001 01 10467 /var/lib/edgebroker/edgebroker.sock",
                "0000000000000000: 00000003 00000000 00000000 0001 03 10468 /var/lib/edgebroker/edgebroker.sock",
                "0000000000000000: 00000002 00000000 00010000 0001 01 10469 /srv/plant 2/edgebroker.sock",
                "0000000000000000: 00000002 00000000 00010000 0001 01 10470 @/hidden/edgebroker.sock",
                "0000000000000000: 00000002 00000000 00010000 0001 01 10471",
            ]));
    }

    [Fact]
    public void Programs_read_the_same_as_people()
    {
        using StoreFile store = Make();
        string copy = Path.Combine(_terminal.Folder, "copy.db");
        Assert.Equal(0, Run("backup", "copy.db", "--config=broker.toml", "--json"));
        Assert.Equal($$"""{"file":"{{copy}}","bytes":{{new FileInfo(copy).Length}}}""" + "\n", _terminal.Out);
        Assert.Equal(0, Run("store", "verify", "-cbroker.toml", "--json"));
        Assert.Equal($$"""{"store":"{{store.Path}}","sound":true,"rows":2,"problems":[]}""" + "\n", _terminal.Out);
        Assert.Equal(0, Run("store", "stats", "-cbroker.toml", "--json"));
        Assert.Contains("""{"name":"clock","rows":1,"content_bytes":0}""", _terminal.Out, StringComparison.Ordinal);
        Assert.Equal(0, Run("store", "export", "-cbroker.toml", "out.jsonl", "--json"));
        Assert.Contains("\"holds\":{\"sessions\":0,\"subscriptions\":0,\"messages\":0,\"retained\":0}", _terminal.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_store_fails_the_check_and_says_what_to_do()
    {
        Make().Close();
        using (FileStream file = File.OpenWrite(StoreFile.PathIn(Data))) file.Write(new byte[200]);
        Assert.Equal(1, Run("store", "verify", "-c", "broker.toml"));
        Assert.Contains("problem: file is not a database", _terminal.Out, StringComparison.Ordinal);
        Assert.Contains("restore a backup", _terminal.Out, StringComparison.Ordinal);
        Assert.Equal(1, Run("store", "stats", "-c", "broker.toml"));
        Assert.Equal(1, Run("backup", "copy.db", "-c", "broker.toml"));
        Assert.False(File.Exists(Path.Combine(_terminal.Folder, "copy.db")));
    }

    [Theory]
    [InlineData("store", "verify")]
    [InlineData("store", "stats")]
    [InlineData("store", "export")]
    [InlineData("store", "export", "out.jsonl")]
    [InlineData("backup", "copy.db")]
    public void Without_a_store_there_is_nothing_to_do(params string[] arguments)
    {
        Assert.Equal(1, Run([.. arguments, "-c", "broker.toml"]));
        Assert.Contains("edgebroker.db is not there", _terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FILE is missing", "backup")]
    [InlineData("FILE is missing", "backup", "-c", "broker.toml")]
    [InlineData("unexpected \"b.db\"", "backup", "a.db", "b.db")]
    [InlineData("there is no option --fast", "backup", "a.db", "--fast")]
    [InlineData("a command is missing: verify, stats, export, import", "store")]
    [InlineData("there is no command \"explode\"", "store", "explode")]
    [InlineData("unexpected \"x\"; only options are taken", "store", "verify", "x")]
    [InlineData("FILE is missing", "store", "import", "-c", "broker.toml")]
    [InlineData("there is no option --force", "store", "export", "a", "--force")]
    [InlineData("unexpected \"b\"", "store", "export", "a", "b")]
    [InlineData("--json tells of the export, which fills stdout itself; name a FILE", "store", "export", "--json", "-c", "broker.toml")]
    public void Wrong_usage_is_answered_with_the_right_one(string problem, params string[] arguments)
    {
        Assert.Equal(64, Run(arguments));
        Assert.Contains(problem, _terminal.Error, StringComparison.Ordinal);
        Assert.Contains($"usage: edgebroker {arguments[0]}", _terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("backup", "copy.db")]
    [InlineData("store", "stats")]
    public void A_wrong_configuration_is_told_apart(params string[] arguments)
    {
        _terminal.Settings = new BrokerSettings { DataDirectory = Data, Errors = ["broker.toml:2:1: no such key"] };
        Assert.Equal(78, Run([.. arguments, "-c", "broker.toml"]));
        Assert.Equal("broker.toml:2:1: no such key\n", _terminal.Error);
    }

    private StoreFile Make()
    {
        StoreFile store = StoreFile.Open(Data, new StorageOptions(), RowChecks.None, NullLogger.Instance, TimeProvider.System);
        store.Database.Execute("INSERT INTO clock VALUES(1, 7, 7, 0)");
        return store;
    }

    private int Run(params string[] arguments) => _terminal.Run(arguments);
}
