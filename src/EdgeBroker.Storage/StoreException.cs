using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage;

/// <summary>The store cannot be used; the message names the cause and the cure, for a technician.</summary>
public sealed class StoreException : Exception
{
    private const int NoEntry = 2;
    private const int NoAccess = 13;
    private const int NotPermitted = 1;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;

    /// <param name="problem">Why.</param>
    /// <param name="message">Cause and cure.</param>
    /// <param name="cause">What failed; null when nothing threw.</param>
    public StoreException(StoreProblem problem, string message, Exception? cause = null)
        : base(message, cause) => Problem = problem;

    /// <summary>Why.</summary>
    public StoreProblem Problem { get; }

    /// <summary>Says what a failure of SQLite means for the store at <paramref name="path"/>.</summary>
    public static StoreException From(SqliteException failure, string path) => failure switch
    {
        { IsCorrupt: true } =>
            new(StoreProblem.Damaged, $"{path} is damaged: {failure.Explanation}; \"edgebroker store verify\" says what is wrong with it", failure),
        { IsFull: true } => Of(StoreProblem.DiskFull, path, failure),
        { IsReadOnly: true } => Of(StoreProblem.ReadOnly, path, failure),
        { IsCannotOpen: true } => Of(StoreProblem.NoPermission, path, failure),
        { IsBusy: true } => new(StoreProblem.InUse, $"{path} is locked by another process; close whatever has it open, such as sqlite3", failure),
        _ => Of(StoreProblem.IoError, path, failure),
    };

    /// <summary>Says what a failure of the file system means for the store at <paramref name="path"/>; null when the exception is none.</summary>
    public static StoreException? From(Exception failure, string path) => failure switch
    {
        StoreException known => known,
        SqliteException sqlite => From(sqlite, path),
        UnauthorizedAccessException => Of(StoreProblem.NoPermission, path, failure),
        DirectoryNotFoundException or FileNotFoundException => Of(StoreProblem.Missing, path, failure),
        IOException io => Of(ProblemOf(io.HResult), path, failure),
        _ => null,
    };

    private static StoreProblem ProblemOf(int error) => error switch
    {
        NoSpace or QuotaExceeded => StoreProblem.DiskFull,
        ReadOnlyFileSystem => StoreProblem.ReadOnly,
        NoAccess or NotPermitted => StoreProblem.NoPermission,
        NoEntry => StoreProblem.Missing,
        _ => StoreProblem.IoError,
    };

    private static StoreException Of(StoreProblem problem, string path, Exception cause) => new(
        problem,
        problem switch
        {
            StoreProblem.DiskFull => $"no room for {path}: free space on its disk, or raise [storage] max_bytes if that is what was reached",
            StoreProblem.ReadOnly =>
                $"{path} cannot be written: its file or disk is read-only; remount the disk for writing, or set [node] data_dir to another one",
            StoreProblem.NoPermission =>
                $"{path} may not be opened: {cause.Message}; give folder and file to the broker's user, or set [node] data_dir to another folder",
            StoreProblem.Missing => $"{path} is not there: {cause.Message}; is [node] data_dir right?",
            _ => $"{path} cannot be read or written: {cause.Message}; check the disk (dmesg), then the file with \"edgebroker store verify\"",
        },
        cause);
}

/// <summary>Why a store cannot be used.</summary>
public enum StoreProblem
{
    /// <summary>Another broker has it.</summary>
    InUse,

    /// <summary>The database is damaged or not the broker's, and it was asked not to touch it.</summary>
    Damaged,

    /// <summary>A newer version of the broker wrote the database, and it was asked not to touch it.</summary>
    Newer,

    /// <summary>No room left.</summary>
    DiskFull,

    /// <summary>The file system is mounted for reading only.</summary>
    ReadOnly,

    /// <summary>The broker's user may not read or write it.</summary>
    NoPermission,

    /// <summary>What is asked for is not there.</summary>
    Missing,

    /// <summary>What was to be made is there already, and it was not asked to replace it.</summary>
    Exists,

    /// <summary>The file system lacks what the database needs.</summary>
    Unsupported,

    /// <summary>What is to be read in is not of the form it must have.</summary>
    Malformed,

    /// <summary>Reading, writing or flushing failed.</summary>
    IoError,
}
