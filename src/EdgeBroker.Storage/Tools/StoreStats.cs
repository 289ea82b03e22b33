using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>Counts what a store holds, beside a broker that runs or without one.</summary>
public static class StoreStats
{
    /// <summary>Counts the database at <paramref name="path"/>.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static StoreStatistics Run(string path)
    {
        try
        {
            using SqliteDatabase database = StoreReader.Open(path);
            database.Execute("BEGIN");
            StoreStatistics statistics = Count(database);
            database.Rollback();
            return statistics;
        }
        catch (SqliteException failure)
        {
            throw StoreException.From(failure, path);
        }
    }

    private static StoreStatistics Count(SqliteDatabase database)
    {
        SchemaVerdict verdict = StoreSchema.Current.Inspect(database);
        var wal = new FileInfo(database.Path + "-wal");
        FileInfo[] setAside = new StorePaths(Path.GetDirectoryName(database.Path)!).SetAsideFiles();
        return new StoreStatistics
        {
            Version = verdict.Version,
            Tables = verdict.State == SchemaState.Current ? [.. StoreTables.All.Select(t => Count(database, t))] : [],
            PageSizeBytes = database.QueryInt64("PRAGMA page_size") ?? 0,
            Pages = database.QueryInt64("PRAGMA page_count") ?? 0,
            FreePages = database.QueryInt64("PRAGMA freelist_count") ?? 0,
            FileBytes = new FileInfo(database.Path).Length,
            WalBytes = wal.Exists ? wal.Length : 0,
            SetAsideCount = setAside.Count(f => StorePaths.IsSetAsideName(f.Name)),
            SetAsideBytes = setAside.Sum(f => f.Length),
        };
    }

    private static TableStatistics Count(SqliteDatabase database, StoreTable table)
    {
        // octet_length of a long value reads its header only, not the pages it fills.
        string bytes = string.Join(
            '+',
            table.Columns.Where(c => c.Type is SqliteColumnType.Blob or SqliteColumnType.Text)
                .Select(c => $"ifnull(octet_length({c.Name}),0)").DefaultIfEmpty("0"));
        using SqliteCommand command = database.Command($"SELECT count(*), ifnull(sum({bytes}),0) FROM {table.Name}");
        using SqliteDataReader count = command.ExecuteReader();
        count.Read();
        return new TableStatistics(table.Name, count.GetInt64(0), count.GetInt64(1));
    }
}

/// <summary>What a store holds and takes, all at one moment.</summary>
public sealed record StoreStatistics
{
    /// <summary>The layout's version.</summary>
    public required long Version { get; init; }

    /// <summary>Table by table; empty when the layout is not this broker's.</summary>
    public required IReadOnlyList<TableStatistics> Tables { get; init; }

    /// <summary>Bytes of a page.</summary>
    public required long PageSizeBytes { get; init; }

    /// <summary>Pages of the database, those still in the WAL included.</summary>
    public required long Pages { get; init; }

    /// <summary>Pages that are free to be used again.</summary>
    public required long FreePages { get; init; }

    /// <summary>Bytes of the database file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Bytes of the WAL; 0 without one.</summary>
    public required long WalBytes { get; init; }

    /// <summary>How many damaged databases lie beside it, set aside.</summary>
    public required int SetAsideCount { get; init; }

    /// <summary>What they take, in bytes.</summary>
    public required long SetAsideBytes { get; init; }
}

/// <summary>What a table holds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="ContentBytes">Bytes of their texts and blobs.</param>
public sealed record TableStatistics(string Name, long Rows, long ContentBytes);
