using EdgeBroker.Testing.Published;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>Damages the broker's database.</summary>
internal static class DamagedDatabase
{
    /// <summary>The database's name in the data directory.</summary>
    public const string Name = "edgebroker.db";

    private const int PageBytes = 4096;

    /// <summary>Damages a database whose broker has stopped.</summary>
    public static async Task MakeAsync(string dataDirectory, Damage damage)
    {
        string path = Path.Combine(dataDirectory, Name);
        long pages = new FileInfo(path).Length / PageBytes;
        if (pages < 40) throw new InvalidOperationException($"{path} has {pages} pages only");
        switch (damage)
        {
            case Damage.Garbage:
                Fill(path, 0, pages * PageBytes, new Random(1));
                break;
            case Damage.FirstPageNull:
                Fill(path, 0, PageBytes, null);
                break;
            case Damage.RootsNull:
                Fill(path, PageBytes, 4 * PageBytes, null);
                break;
            case Damage.MiddlePageNull:
                Fill(path, pages / 2 * PageBytes, PageBytes, null);
                break;
            case Damage.MiddleGarbage:
                Fill(path, pages / 2 * PageBytes, 6 * PageBytes, new Random(1));
                break;
            case Damage.Truncated:
                Truncate(path, pages / 2 * PageBytes);
                break;
            case Damage.TruncatedWithinPage:
                Truncate(path, (pages * PageBytes) - 1000);
                break;
            case Damage.ForeignSchema:
                File.Delete(path);
                await SqlAsync(path, "CREATE TABLE recipes (title TEXT); INSERT INTO recipes VALUES ('soup')");
                break;
            case Damage.WrongColumns:
                await SqlAsync(path, """
                    SELECT 'ALTER TABLE "' || name || '" RENAME COLUMN "' || (SELECT name FROM pragma_table_info(t.name) LIMIT 1) || '" TO "unheard_of"'
                    FROM sqlite_schema t WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                    """, runsResult: true);
                break;
            case Damage.NewerVersion:
                await SqlAsync(path, "PRAGMA user_version = 99999");
                break;
        }
    }

    /// <summary>Overwrites part of a file with random bytes, or with zeros.</summary>
    public static void Fill(string path, long offset, long bytes, Random? random)
    {
        var data = new byte[bytes];
        random?.NextBytes(data);
        using FileStream file = File.OpenWrite(path);
        file.Position = offset;
        file.Write(data);
    }

    /// <summary>Cuts a file off.</summary>
    public static void Truncate(string path, long length)
    {
        using FileStream file = File.OpenWrite(path);
        file.SetLength(length);
    }

    /// <summary>Has Debian's Python run statements on the database; also those which a query makes, on request.</summary>
    private static async Task SqlAsync(string path, string statements, bool runsResult = false)
    {
        const string script = """
            import sqlite3, sys
            connection = sqlite3.connect(sys.argv[1], isolation_level=None)
            if sys.argv[3] == "True":
                for (statement,) in connection.execute(sys.argv[2]).fetchall():
                    connection.execute(statement)
            else:
                connection.executescript(sys.argv[2])
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.close()
            """;
        using ChildProcess python = ChildProcess.Program("/usr/bin/python3", "-c", script, path, statements, runsResult.ToString());
        if (await python.ExitAsync() != 0) throw new InvalidOperationException(python.Said);
    }
}
