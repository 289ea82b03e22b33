using System.Globalization;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Testing.Published;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>SQLite as it is linked into the published executables, on a store that another process has open.</summary>
public sealed class StoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public static TheoryData<string> Rids => new(PublishedBinary.Rids);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task A_store_is_copied_and_the_copy_is_found_sound(string rid)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "broker.toml"), "[node]\ndata_dir = \"data\"\n");
        await File.WriteAllTextAsync(Path.Combine(_directory, "copy.toml"), "[node]\ndata_dir = \"copy\"\n");
        using StoreFile store =
            StoreFile.Open(Path.Combine(_directory, "data"), new StorageOptions(), RowChecks.None, NullLogger.Instance, TimeProvider.System);
        long checksum = Checksum.OfMessage(0, "a"u8, [], new byte[100_000], Stamp.None);
        store.Database.Execute(
            string.Create(CultureInfo.InvariantCulture, $"INSERT INTO message VALUES(1, 0, NULL, x'61', x'', zeroblob(100000), NULL, {checksum})"));
        Directory.CreateDirectory(Path.Combine(_directory, "copy"));
        await Succeeds(rid, "bytes, checked", "backup", "copy/edgebroker.db", "-c", "broker.toml");
        foreach (string configuration in new[] { "broker.toml", "copy.toml" })
        {
            await Succeeds(rid, "is sound, 2 rows", "store", "verify", "-c", configuration);
            await Succeeds(rid, "100001", "store", "stats", "-c", configuration);
        }
    }

    private async Task Succeeds(string rid, string says, params string[] arguments)
    {
        using ChildProcess process = PublishedBinary.Of(rid).Start(_directory, arguments);
        Assert.True(await process.ExitAsync() == 0, process.Said);
        Assert.Contains(says, process.Said, StringComparison.Ordinal);
    }
}
