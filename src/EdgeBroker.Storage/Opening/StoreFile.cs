using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Opening;

/// <summary>
/// The store's directory, locked, with its database open for the one who writes. Further connections that only read may be opened at <see cref="Path"/>.
/// One thread at a time.
/// </summary>
public sealed class StoreFile : IDisposable
{
    private readonly StoreLock _lock;
    private readonly ILogger _log;
    private bool _isDamaged;
    private bool _isClosed;

    private StoreFile(StoreLock heldLock, SqliteDatabase database, Guid id, StoreOpening opening, ILogger log)
    {
        _lock = heldLock;
        _log = log;
        Database = database;
        Id = id;
        Opening = opening;
    }

    /// <summary>The connection that writes, set as <see cref="StorePragmas.ForWriter"/> does.</summary>
    public SqliteDatabase Database { get; }

    /// <summary>Which store it is.</summary>
    public Guid Id { get; }

    /// <summary>What happened when it was opened.</summary>
    public StoreOpening Opening { get; }

    /// <summary>The database file; a full path.</summary>
    public string Path => Database.Path;

    /// <summary>Where the database of a data directory lies, whether it is there or not.</summary>
    public static string PathIn(string directory) => new StorePaths(directory).Database;

    /// <summary>How many damaged databases lie beside the one of a data directory.</summary>
    public static int CountSetAside(string directory)
    {
        try
        {
            return new StorePaths(directory).SetAsideFiles().Count(file => StorePaths.IsSetAsideName(file.Name));
        }
        catch (Exception failure) when (failure is StoreException or IOException or UnauthorizedAccessException)
        {
            // The disk it was on is gone, which the journal says in its own way.
            return 0;
        }
    }

    /// <summary>
    /// Locks a directory and opens the database in it. What is missing is made, for the broker's user only. A database that cannot be used is set aside
    /// as <see cref="StorageOptions.OnCorruption"/> says, never deleted.
    /// </summary>
    /// <param name="directory">The data directory; relative paths start at the working directory.</param>
    /// <param name="options">Durability (not Memory), size and policy.</param>
    /// <param name="checks">What rows must satisfy to be rescued.</param>
    /// <param name="log">Where it is told.</param>
    /// <param name="time">Dates the name of what is set aside.</param>
    /// <param name="knownDamage">What reading the database has shown to be wrong with it; null: nothing is known.</param>
    /// <exception cref="StoreException">It cannot be used; says why and what to do.</exception>
    public static StoreFile Open(string directory, StorageOptions options, RowChecks checks, ILogger log, TimeProvider time, string? knownDamage = null) =>
        Open(directory, new StoreSettings(options, StoreSchema.Current, checks, log, time) { KnownDamage = knownDamage });

    internal static StoreFile Open(string directory, StoreSettings settings)
    {
        if (settings.Options.Durability == StoreDurability.Memory) throw new ArgumentException("A store in memory has no file.", nameof(settings));
        StoreLock? heldLock = null;
        string blamed = directory;
        try
        {
            var paths = new StorePaths(directory);
            blamed = paths.Database;
            StoreFiles.CreateDirectory(paths.Directory);
            heldLock = StoreLock.Take(paths.Directory);
            var opener = new StoreOpener(paths, heldLock, settings);
            SqliteDatabase database = opener.Open(out StoreOpening opening);
            return new StoreFile(heldLock, database, opener.StoreId, opening, settings.Log);
        }
        catch (Exception failure)
        {
            heldLock?.Dispose();
            StoreException? explained = StoreException.From(failure, blamed);
            if (explained is null || ReferenceEquals(explained, failure)) throw;
            throw explained;
        }
    }

    /// <summary>
    /// The database turned out to be damaged while in use: the next start looks at every page, whatever the size, and <see cref="Close"/> leaves the files as
    /// they are.
    /// </summary>
    /// <exception cref="IOException">It could not be noted.</exception>
    public void ReportDamage()
    {
        _isDamaged = true;
        Database.CheckpointsOnClose = false;
        _lock.RecordDamaged();
    }

    /// <summary>
    /// Moves everything into the database file, closes it, notes that the end was orderly, and unlocks the directory. Statements prepared on the database must
    /// be disposed before. Failures are logged: nothing that was committed is lost, and the next start checks the file.
    /// </summary>
    public void Close()
    {
        if (_isClosed) return;
        _isClosed = true;
        try
        {
            // A backup that reads meanwhile keeps the WAL alive; then it is simply there at the next start.
            if (!_isDamaged) Database.Checkpoint(CheckpointMode.Truncate);
            Database.Dispose();
            if (!_isDamaged) _lock.RecordStopped();
        }
        catch (Exception failure) when (failure is SqliteException or IOException)
        {
            StoreLog.NotClosed(_log, Path, failure.Message);
        }
        finally
        {
            Database.Dispose();
            _lock.Dispose();
        }
    }

    /// <summary>As <see cref="Close"/>.</summary>
    public void Dispose() => Close();
}
