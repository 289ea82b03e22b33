using System.Globalization;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Schema;

/// <summary>The steps from older versions of the layout to the current one, which is where the last step leads.</summary>
public sealed class SchemaMigrations
{
    private readonly SchemaMigration[] _steps;

    /// <param name="steps">One after the other, none left out.</param>
    /// <exception cref="ArgumentException">A step does not start where the one before it leads.</exception>
    public SchemaMigrations(IReadOnlyList<SchemaMigration> steps)
    {
        _steps = [.. steps];
        for (int i = 1; i < _steps.Length; i++)
        {
            if (_steps[i].From != _steps[i - 1].From + 1) throw new ArgumentException($"No step leads to version {_steps[i].From}.", nameof(steps));
        }
    }

    /// <summary>Whether a way leads from this version to the current one.</summary>
    public bool LeadFrom(long version) => Array.Exists(_steps, s => s.From == version);

    /// <summary>
    /// Brings a database to the current version: first a copy of it on disk, beside it as <c>NAME.v&lt;n&gt;-backup</c>, then all steps in one transaction. A
    /// copy of that name, which an attempt that failed left, is replaced: it holds nothing that is not in the database.
    /// </summary>
    /// <param name="database">A connection that may write.</param>
    /// <param name="version">The version it is of.</param>
    /// <returns>The copy's path.</returns>
    /// <exception cref="SqliteException">Reading, writing or a step failed; the database is as it was.</exception>
    /// <exception cref="ArgumentException">No way leads from this version.</exception>
    /// <exception cref="IOException">The copy could not be put on disk.</exception>
    public string Apply(SqliteDatabase database, long version)
    {
        int first = Array.FindIndex(_steps, s => s.From == version);
        if (first < 0) throw new ArgumentException($"No way leads from version {version}.", nameof(version));
        string backup = string.Create(CultureInfo.InvariantCulture, $"{database.Path}.v{version}-backup");
        string unfinished = backup + ".new";
        StoreFiles.Delete(unfinished);
        StoreFiles.CreatePrivate(unfinished);
        database.BackupTo(unfinished, int.MaxValue, CancellationToken.None);
        StoreFiles.Publish(unfinished, backup, replace: true);
        Run(database, first);
        return backup;
    }

    private void Run(SqliteDatabase database, int first)
    {
        database.Begin();
        try
        {
            for (int i = first; i < _steps.Length; i++) _steps[i].Apply(database);
            database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={_steps[^1].From + 1}"));
            database.Commit();
        }
        catch
        {
            database.Rollback();
            throw;
        }
    }
}

/// <summary>One step, from one version of the layout to the next. Runs inside a transaction, which it neither ends nor leaves.</summary>
/// <param name="From">The version it starts from; it leads to the one after.</param>
/// <param name="Apply">Changes tables and rows. The version number is not its business.</param>
public sealed record SchemaMigration(int From, Action<SqliteDatabase> Apply);
