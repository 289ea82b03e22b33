using System.Globalization;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace EdgeBroker.Storage.Schema;

/// <summary>A version of the store's layout: makes it, and recognises it.</summary>
/// <param name="version">The file's <c>user_version</c>; 1 or more.</param>
/// <param name="tables">Its tables.</param>
/// <param name="migrations">The way from older versions to this one.</param>
public sealed class StoreSchema(int version, IReadOnlyList<StoreTable> tables, SchemaMigrations migrations)
{
    /// <summary>Says in the file's header whose it is: "EBKR".</summary>
    public const int ApplicationId = 0x45424B52;

    /// <summary>The one this broker works with.</summary>
    public static StoreSchema Current { get; } = new(1, StoreTables.All, new SchemaMigrations([]));

    /// <summary>The file's <c>user_version</c>.</summary>
    public int Version { get; } = version;

    /// <summary>Its tables.</summary>
    public IReadOnlyList<StoreTable> Tables { get; } = tables;

    /// <summary>The way from older versions to this one.</summary>
    public SchemaMigrations Migrations { get; } = migrations;

    /// <summary>Makes the tables, in an empty database and in one transaction.</summary>
    /// <exception cref="SqliteException">It could not be written.</exception>
    public void Create(SqliteDatabase database)
    {
        database.Begin();
        foreach (StoreTable table in Tables) database.Execute(table.Sql);
        database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id={ApplicationId}; PRAGMA user_version={Version}"));
        database.Commit();
    }

    /// <summary>Compares a database with this schema. That of an older version is not looked at: its migration will find out.</summary>
    /// <exception cref="SqliteException">It could not be read; IsCorrupt when it is damaged or no database.</exception>
    public SchemaVerdict Inspect(SqliteDatabase database)
    {
        long application = database.QueryInt64("PRAGMA application_id") ?? 0;
        long version = database.QueryInt64("PRAGMA user_version") ?? 0;
        if (application != ApplicationId) return new SchemaVerdict(SchemaState.Wrong, version, $"its application id is {application}, not the broker's");
        if (version > Version)
        {
            return new SchemaVerdict(SchemaState.Newer, version, $"it is of version {version}, and this broker knows versions up to {Version}");
        }

        if (version < 1) return new SchemaVerdict(SchemaState.Wrong, version, $"it says it is of version {version}, which never was");
        if (version < Version) return new SchemaVerdict(SchemaState.Older, version);
        string? problem;
        try
        {
            problem = Difference(database);
        }
        catch (SqliteException failure) when (failure.IsSchemaError)
        {
            problem = failure.Explanation;
        }

        return problem is null ? new SchemaVerdict(SchemaState.Current, version) : new SchemaVerdict(SchemaState.Wrong, version, problem);
    }

    private string? Difference(SqliteDatabase database)
    {
        var missing = Tables.ToDictionary(t => t.Name, t => t.Sql, StringComparer.Ordinal);
        // Names that begin with sqlite_ are SQLite's own: indexes of keys, statistics, the last AUTOINCREMENT.
        using SqliteCommand command = database.Command(
            "SELECT ifnull(type, ''), ifnull(name, ''), ifnull(sql, '') FROM sqlite_schema WHERE substr(name, 1, 7) <> 'sqlite_'");
        using SqliteDataReader objects = command.ExecuteReader();
        string? problem = null;
        while (objects.Read())
        {
            string name = objects.GetString(1);
            if (objects.GetString(0) != "table" || !missing.Remove(name, out string? sql)) problem ??= $"it holds an unknown {objects.GetString(0)} \"{name}\"";
            else if (objects.GetString(2) != sql) problem ??= $"its table \"{name}\" is not made as this version makes it";
        }

        return problem ?? (missing.Count > 0 ? $"it lacks the table \"{missing.Keys.First()}\"" : null);
    }
}

/// <summary>What was found in a database's schema.</summary>
/// <param name="State">How it compares.</param>
/// <param name="Version">Its version, which is the file's <c>user_version</c>.</param>
/// <param name="Problem">What is not as it should be; null when nothing is.</param>
public readonly record struct SchemaVerdict(SchemaState State, long Version, string? Problem = null);

/// <summary>How a database's schema compares with this broker's.</summary>
public enum SchemaState
{
    /// <summary>It is this broker's.</summary>
    Current,

    /// <summary>An older version's: migrations lead from there to here.</summary>
    Older,

    /// <summary>A newer version's.</summary>
    Newer,

    /// <summary>Not the broker's, or not as any version left it.</summary>
    Wrong,
}
