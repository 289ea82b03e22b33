using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Opening;

/// <summary>The way to an open database, whatever lies in the directory; safe to be interrupted anywhere and begun again.</summary>
internal sealed class StoreOpener(StorePaths paths, StoreLock heldLock, StoreSettings settings)
{
    // A reader such as a backup may hold a lock for a moment.
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Which store it is; once it is open.</summary>
    public Guid StoreId { get; private set; }

    private ILogger Log => settings.Log;

    public SqliteDatabase Open(out StoreOpening opening)
    {
        if (heldLock.UnfinishedQuarantine is { } name && StorePaths.IsSetAsideName(name))
        {
            StoreLog.Resuming(Log, name);
            return ReplaceDatabase(name, "setting it aside was interrupted", out opening);
        }

        if (!HasDatabase(out string? lost)) return Create(lost, out opening);

        return TryUse(out SqliteDatabase? database, out StoreOpening? used, out Defect? defect)
            ? Used(database!, opening = used!)
            : SetAside(defect!, out opening);
    }

    /// <summary>An empty file holds nothing, unless a WAL lies beside it.</summary>
    /// <param name="lost">What has become of a database that was here once; null: there was none.</param>
    private bool HasDatabase(out string? lost)
    {
        lost = null;
        var file = new FileInfo(paths.Database);
        if (file.Exists && (file.Length > 0 || new FileInfo(paths.Wal) is { Exists: true, Length: > 0 })) return true;
        // A database gets its name when it is whole, so an empty one was emptied.
        if (file.Exists) lost = "it is empty (0 bytes)";
        else if (heldLock.HasLived) lost = "it is gone, although a broker has used it";
        return false;
    }

    private SqliteDatabase Create(string? lost, out StoreOpening opening)
    {
        if (lost is not null && settings.Options.OnCorruption == CorruptionPolicy.Stop)
        {
            throw new StoreException(
                StoreProblem.Damaged,
                $"{paths.Database} cannot be used: {lost}; restore a backup (\"edgebroker restore\"), or, to begin with an empty store, "
                    + $"remove {Path.Combine(paths.Directory, StoreLock.Name)} and the empty file");
        }

        if (lost is not null && File.Exists(paths.Database)) StoreFiles.Delete(paths.Database);
        SetStrayWalAside();
        Build(setAside: null);
        if (lost is null) StoreLog.Created(Log, paths.Database);
        else StoreLog.Lost(Log, paths.Database, lost);
        opening = Describe(new StoreOpening { Kind = StoreOpeningKind.Created, Cause = lost });
        return OpenSound();
    }

    private SqliteDatabase Used(SqliteDatabase database, StoreOpening opening)
    {
        heldLock.RecordRunning();
        StoreLog.Opened(Log, paths.Database, new FileInfo(paths.Database).Length);
        if (opening.SetAsideCount > 0) StoreLog.SetAside(Log, opening.SetAsideCount, paths.Folder, opening.SetAsideBytes);
        return database;
    }

    private bool TryUse(out SqliteDatabase? database, out StoreOpening? opening, out Defect? defect)
    {
        opening = null;
        defect = null;
        database = null;
        // To be seen before SQLite does, which would delete the WAL of an empty file.
        if (new FileInfo(paths.Database).Length == 0)
        {
            defect = new Defect("it is empty, although its WAL is not", IsNewer: false);
            return false;
        }

        // A power cut may tear the page that a checkpoint was adding; then the WAL still has it. Without a WAL the end is missing, and no check of SQLite's
        // tells.
        if (new FileInfo(paths.Database).Length % StorePragmas.PageSizeBytes != 0 && new FileInfo(paths.Wal) is not { Exists: true, Length: > 0 })
        {
            defect = new Defect("its length is no whole number of pages", IsNewer: false);
            return false;
        }

        FlushWhatWasLeft();
        database = SqliteDatabase.Open(paths.Database, DatabaseAccess.ReadWrite, BusyTimeout);
        // Should it be of no use, nothing may be moved from the WAL into it.
        database.CheckpointsOnClose = false;
        try
        {
            defect = Examine(database, out long? migratedFrom);
            if (defect is null)
            {
                StorePragmas.ForWriter(database, settings.Options);
                StoreId = StoreIdentity.Take(database);
                database.CheckpointsOnClose = true;
                opening = Describe(new StoreOpening { Kind = StoreOpeningKind.Opened, MigratedFrom = migratedFrom });
                return true;
            }
        }
        catch (SqliteException e) when (e.IsCorrupt)
        {
            defect = new Defect(e.Explanation, IsNewer: false);
        }
        catch
        {
            database.Dispose();
            throw;
        }

        database.Dispose();
        database = null;
        return false;
    }

    /// <summary>
    /// A process that was killed may have written to its WAL what it had not flushed. It is read back, and a publisher that repeats a message is told that we
    /// have it: from then on a power cut must not take it.
    /// </summary>
    private void FlushWhatWasLeft()
    {
        if (heldLock.EndedCleanly || !File.Exists(paths.Wal)) return;
        StoreFiles.FlushFile(paths.Wal);
        StoreFiles.FlushDirectory(paths.Folder);
    }

    /// <summary>What is wrong with a database; null when nothing is, and it is of the current version.</summary>
    private Defect? Examine(SqliteDatabase database, out long? migratedFrom)
    {
        migratedFrom = null;
        StorePragmas.ForReader(database);
        SchemaVerdict verdict = settings.Schema.Inspect(database);
        if (verdict.State == SchemaState.Newer) return new Defect(verdict.Problem!, IsNewer: true);
        if (verdict.State == SchemaState.Wrong) return new Defect(verdict.Problem!, IsNewer: false);
        if ((settings.KnownDamage ?? CheckPages(database)) is { } damage) return new Defect(damage, IsNewer: false);
        if (verdict.State == SchemaState.Current) return null;
        if (!settings.Schema.Migrations.LeadFrom(verdict.Version))
        {
            return new Defect($"it is of version {verdict.Version}, from which no way leads to this broker's", IsNewer: false);
        }

        migratedFrom = verdict.Version;
        string backup = settings.Schema.Migrations.Apply(database, verdict.Version);
        StoreLog.Migrated(Log, paths.Database, verdict.Version, settings.Schema.Version, backup);
        verdict = settings.Schema.Inspect(database);
        return verdict.State == SchemaState.Current ? null : new Defect($"after its migration {verdict.Problem}", IsNewer: false);
    }

    /// <summary>Looks at every page after an end that was not orderly: what power cuts and worn cards do shows then.</summary>
    private string? CheckPages(SqliteDatabase database)
    {
        if (heldLock.EndedCleanly) return null;
        long size = new FileInfo(paths.Database).Length;
        if (size > settings.LargestCheckedBytes && !heldLock.WasDamaged)
        {
            StoreLog.NotChecked(Log, size);
            return null;
        }

        StoreLog.Checking(Log, size);
        string? found = database.QueryText("PRAGMA quick_check(1)");
        return found == "ok" ? null : found ?? "the check of its pages found no answer";
    }

    private SqliteDatabase SetAside(Defect defect, out StoreOpening opening)
    {
        if (defect.IsNewer)
        {
            // Nothing is wrong with it: setting it aside would take what it holds from those it is for.
            throw new StoreException(
                StoreProblem.Newer,
                $"{paths.Database} was written by a newer broker: {defect.Cause}; install that version again, or restore a backup from before the update "
                    + "(\"edgebroker restore\")");
        }

        if (settings.Options.OnCorruption == CorruptionPolicy.Stop)
        {
            throw new StoreException(
                StoreProblem.Damaged,
                $"{paths.Database} cannot be used: {defect.Cause}; restore a backup (\"edgebroker restore\") or remove the file, "
                    + "or set [storage] on_corruption = \"quarantine\" to set it aside and start");
        }

        string name = paths.NewSetAsideName(settings.Time.GetUtcNow());
        // From here on a start that finds this goes on where we were: the old database is rescued once, and fully.
        heldLock.RecordSettingAside(name);
        return ReplaceDatabase(name, defect.Cause, out opening);
    }

    private SqliteDatabase ReplaceDatabase(string name, string cause, out StoreOpening opening)
    {
        string setAside = paths.SetAside(name);
        // What lies under the name already was moved before an interruption; a database in its place is then the new one, and whole.
        bool isReplaced = File.Exists(setAside) && File.Exists(paths.Database);
        if (!isReplaced) StoreFiles.MoveDatabase(paths.Database, setAside);
        Salvaged salvaged = isReplaced ? Salvaged.Nothing : Build(setAside);
        IReadOnlyList<SalvagedTable> tables = salvaged.Tables;
        opening = Describe(new StoreOpening
        {
            Kind = StoreOpeningKind.Quarantined,
            Cause = cause,
            SetAsideAs = name,
            Salvaged = tables,
            LostDeliveries = salvaged.LostDeliveries,
        });
        StoreLog.Quarantined(Log, paths.Database, cause, name, tables.Sum(t => t.Rows), tables.Sum(t => t.Skipped));
        foreach (SalvagedTable table in tables.Where(t => t.Skipped > 0 || !t.IsComplete))
        {
            StoreLog.Salvaged(Log, table.Name, table.Rows, table.Skipped, table.IsComplete ? "" : ", and nobody knows how many on pages that cannot be read");
        }

        foreach (LostDeliveries lost in opening.LostDeliveries) StoreLog.DeliveriesLost(Log, lost.ClientId ?? "other sessions", lost.Count);

        StoreLog.SetAside(Log, opening.SetAsideCount, paths.Folder, opening.SetAsideBytes);
        return OpenSound();
    }

    private void SetStrayWalAside()
    {
        if (!File.Exists(paths.Wal)) return;
        string name = paths.NewSetAsideName(settings.Time.GetUtcNow());
        StoreFiles.MoveDatabase(paths.Database, paths.SetAside(name));
        StoreLog.StrayWal(Log, name + "-wal");
    }

    /// <summary>Makes a database beside, and gives it its name once it is whole and on disk.</summary>
    private Salvaged Build(string? setAside)
    {
        StoreFiles.Delete(paths.Unfinished);
        try
        {
            Salvaged tables = BuildUnfinished(setAside);
            StoreFiles.Publish(paths.Unfinished, paths.Database, replace: false);
            return tables;
        }
        catch
        {
            // Whoever has to make room should not have to look for this.
            StoreFiles.Delete(paths.Unfinished);
            throw;
        }
    }

    private Salvaged BuildUnfinished(string? setAside)
    {
        StoreFiles.CreatePrivate(paths.Unfinished);
        using SqliteDatabase database = SqliteDatabase.Open(paths.Unfinished, DatabaseAccess.ReadWrite, BusyTimeout);
        // Nobody else sees it, and an interruption throws it away: flushing once at the end is enough.
        database.Execute("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF");
        StorePragmas.BeforeFirstTable(database);
        settings.Schema.Create(database);
        Salvaged tables = setAside is null ? Salvaged.Nothing : Salvage.Run(setAside, database, settings.Schema, settings.Checks);
        StoreIdentity.Take(database);
        StorePragmas.UseWal(database);
        return tables;
    }

    /// <summary>Opens what was just built.</summary>
    private SqliteDatabase OpenSound()
    {
        SqliteDatabase database = SqliteDatabase.Open(paths.Database, DatabaseAccess.ReadWrite, BusyTimeout);
        try
        {
            StorePragmas.ForWriter(database, settings.Options);
            StoreId = StoreIdentity.Take(database);
            heldLock.RecordRunning();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private StoreOpening Describe(StoreOpening opening)
    {
        FileInfo[] files = paths.SetAsideFiles();
        return opening with
        {
            SetAsideCount = files.Count(f => StorePaths.IsSetAsideName(f.Name)),
            SetAsideBytes = files.Sum(f => f.Length),
        };
    }

    private sealed record Defect(string Cause, bool IsNewer);
}
