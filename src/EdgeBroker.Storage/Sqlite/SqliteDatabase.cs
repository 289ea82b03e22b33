using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace EdgeBroker.Storage.Sqlite;

/// <summary>
/// One connection to one database file. One thread at a time. SQLite's own mutex is kept all the same: the garbage collector may free a forgotten statement
/// while the connection works. <see cref="Microsoft.Data.Sqlite"/> opens it and runs what is run once; transactions and what is prepared to be run many times
/// go to SQLite itself, by its handle.
/// </summary>
public sealed class SqliteDatabase : IDisposable
{
    private const int NoCheckpointOnClose = 1006; // SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE

    private const int CacheWriteStatus = 9; // SQLITE_DBSTATUS_CACHE_WRITE

    // Commands try again every 150 ms while the database is busy. It is SQLite that waits, as long as the caller said; this is the least they know.
    private const int CommandTimeoutSeconds = 1;

    private readonly SqliteConnection _connection;
    private readonly sqlite3 _handle;
    private bool _checkpointsOnClose = true;
    private SqliteStatement? _begin;
    private SqliteStatement? _commit;
    private SqliteStatement? _rollback;

    private SqliteDatabase(SqliteConnection connection, string path)
    {
        _connection = connection;
        _handle = connection.Handle!;
        Path = path;
    }

    /// <summary>The database file; a full path.</summary>
    public string Path { get; }

    /// <summary>How many rows the last INSERT, UPDATE or DELETE changed.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>Pages this connection has handed to the operating system, into the WAL that is; since it was opened.</summary>
    public long PagesWritten
    {
        get
        {
            raw.sqlite3_db_status(_handle, CacheWriteStatus, out int pages, out _, 0);
            return (uint)pages;
        }
    }

    /// <summary>
    /// Whether <see cref="Begin"/> is waiting for its <see cref="Commit"/>. SQLite itself rolls back after some failures (FULL, IOERR, NOMEM).
    /// </summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Whether closing the last connection moves the WAL's pages into the database file; true at first. Off, both files stay as they are.</summary>
    /// <exception cref="SqliteException">It could not be set.</exception>
    public bool CheckpointsOnClose
    {
        get => _checkpointsOnClose;
        set
        {
            int code = raw.sqlite3_db_config(_handle, NoCheckpointOnClose, value ? 0 : 1, out _);
            if (code != raw.SQLITE_OK) throw SqliteFailure.Of(_handle, code, "setting of checkpoints on close");
            _checkpointsOnClose = value;
        }
    }

    /// <summary>Opens <paramref name="path"/>. Little is read until the first statement: only that one finds out whether the file is a database.</summary>
    /// <param name="path">Of the file; relative ones start at the working directory. No name has a meaning of its own, not even ":memory:".</param>
    /// <param name="access">What the connection may do.</param>
    /// <param name="busyTimeout">How long to wait for another connection's lock; zero or more.</param>
    /// <exception cref="SqliteException">The file cannot be opened.</exception>
    public static SqliteDatabase Open(string path, DatabaseAccess access, TimeSpan busyTimeout = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path.Contains('\0')) throw new ArgumentException("A path holds no NUL.", nameof(path));
        SqliteLibrary.Load();
        string fullPath = System.IO.Path.GetFullPath(path);
        var settings = new SqliteConnectionStringBuilder
        {
            DataSource = access == DatabaseAccess.Immutable ? ImmutableUri(fullPath) : fullPath,
            Mode = access switch
            {
                DatabaseAccess.ReadWriteCreate => SqliteOpenMode.ReadWriteCreate,
                DatabaseAccess.ReadWrite => SqliteOpenMode.ReadWrite,
                _ => SqliteOpenMode.ReadOnly,
            },
            // A pooled connection would keep the file, which may have to be set aside.
            Pooling = false,
            DefaultTimeout = CommandTimeoutSeconds,
        };
        var connection = new SqliteConnection(settings.ConnectionString);
        try
        {
            connection.Open();
        }
        catch (SqliteException failure)
        {
            connection.Dispose();
            throw SqliteFailure.Of(failure.SqliteExtendedErrorCode, failure.Explanation, fullPath);
        }

        raw.sqlite3_busy_timeout(connection.Handle!, (int)busyTimeout.TotalMilliseconds);
        return new SqliteDatabase(connection, fullPath);
    }

    /// <summary>A command, to be run once.</summary>
    public SqliteCommand Command(string sql)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    /// <summary>Runs statements that need no parameters and whose rows nobody wants.</summary>
    /// <exception cref="SqliteException">A statement failed; those before it are done.</exception>
    public void Execute(string sql)
    {
        using SqliteCommand command = Command(sql);
        command.ExecuteNonQuery();
    }

    /// <summary>Prepares one statement, to be kept and run many times.</summary>
    /// <exception cref="SqliteException">It is no valid SQL for this schema, or the schema cannot be read.</exception>
    public SqliteStatement Prepare(string sql)
    {
        int code = raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out sqlite3_stmt statement, out string tail);
        if (code != raw.SQLITE_OK) throw SqliteFailure.Of(_handle, code, sql);
        if (statement.IsInvalid || !string.IsNullOrWhiteSpace(tail))
        {
            statement.Dispose();
            throw new ArgumentException($"Exactly one statement is prepared at a time: {sql}", nameof(sql));
        }

        return new SqliteStatement(_handle, statement, sql);
    }

    /// <summary>The first column of the first row as an integer; null without one. For pragmas and counts.</summary>
    /// <exception cref="SqliteException">The statement failed.</exception>
    public long? QueryInt64(string sql)
    {
        using SqliteCommand command = Command(sql);
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read() && !row.IsDBNull(0) ? row.GetInt64(0) : null;
    }

    /// <summary>The first column of the first row as a text; null without one.</summary>
    /// <exception cref="SqliteException">The statement failed.</exception>
    public string? QueryText(string sql)
    {
        using SqliteCommand command = Command(sql);
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read() && !row.IsDBNull(0) ? row.GetString(0) : null;
    }

    /// <summary>Begins a transaction and takes the write lock at once, so that no later statement can fail for want of it.</summary>
    /// <exception cref="SqliteException">Another connection writes (IsBusy), or a transaction is open already.</exception>
    public void Begin() => (_begin ??= Prepare("BEGIN IMMEDIATE")).Run();

    /// <summary>Ends the transaction; how safe it is now is what "PRAGMA synchronous" says.</summary>
    /// <exception cref="SqliteException">It could not be written; the transaction is open still, unless SQLite rolled it back
    /// (<see cref="InTransaction"/>).</exception>
    public void Commit() => (_commit ??= Prepare("COMMIT")).Run();

    /// <summary>Undoes the transaction. Nothing to do when there is none, because SQLite rolled back on its own.</summary>
    /// <exception cref="SqliteException">It could not be undone.</exception>
    public void Rollback()
    {
        if (InTransaction) (_rollback ??= Prepare("ROLLBACK")).Run();
    }

    /// <summary>Copies pages from the WAL into the database file.</summary>
    /// <exception cref="SqliteException">Reading or writing failed. A lock held elsewhere is no failure but <see cref="CheckpointResult.IsComplete"/>.
    /// </exception>
    public CheckpointResult Checkpoint(CheckpointMode mode)
    {
        int code = raw.sqlite3_wal_checkpoint_v2(_handle, "main", (int)mode, out int walFrames, out int checkpointed);
        bool busy = (code & 0xFF) == raw.SQLITE_BUSY;
        if (code != raw.SQLITE_OK && !busy) throw SqliteFailure.Of(_handle, code, "checkpoint");
        return new CheckpointResult(!busy && walFrames == checkpointed, walFrames, checkpointed);
    }

    /// <summary>
    /// Copies the database as it is now into a file, a few pages at a time. What other connections write meanwhile is not in the copy and is not held up,
    /// in WAL mode; but no checkpoint can start the WAL over until the copy is done.
    /// </summary>
    /// <param name="path">Of the copy; an existing database there is replaced. Not flushed to disk: that is the caller's.</param>
    /// <param name="pagesPerStep">Pages between two checks of <paramref name="cancel"/>; 1 or more.</param>
    /// <param name="cancel">Ends the copy; the file left behind is of no use.</param>
    /// <exception cref="SqliteException">Reading or writing failed; either file may be meant.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public void BackupTo(string path, int pagesPerStep, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pagesPerStep, 1);
        using SqliteDatabase target = Open(path, DatabaseAccess.ReadWriteCreate);
        // A read transaction around it all. Without, every commit of another process would start the copy over.
        using SqliteStatement snapshot = Prepare("SELECT 1 FROM sqlite_master");
        bool owned = !InTransaction;
        if (owned) Execute("BEGIN");
        try
        {
            snapshot.Step();
            CopyPages(target, pagesPerStep, cancel);
        }
        finally
        {
            snapshot.Reset();
            if (owned) Rollback();
        }
    }

    /// <summary>
    /// Closes the connection; an open transaction is undone. The last connection of all to a database in WAL mode moves the WAL's pages into the file and
    /// deletes it. Statements that still live keep the connection inside SQLite until they are freed.
    /// </summary>
    public void Dispose()
    {
        _begin?.Dispose();
        _commit?.Dispose();
        _rollback?.Dispose();
        _connection.Dispose();
    }

    private void CopyPages(SqliteDatabase target, int pagesPerStep, CancellationToken cancel)
    {
        using sqlite3_backup backup = raw.sqlite3_backup_init(target._handle, "main", _handle, "main");
        if (backup.IsInvalid) throw SqliteFailure.Of(target._handle, raw.sqlite3_errcode(target._handle), target.Path);
        int code;
        do
        {
            cancel.ThrowIfCancellationRequested();
            code = raw.sqlite3_backup_step(backup, pagesPerStep);
        }
        while (code == raw.SQLITE_OK);
        if (code != raw.SQLITE_DONE) throw SqliteFailure.Of(null, code, $"copy of {Path} to {target.Path}");
    }

    // Such a URI ends the path at a question mark or number sign, and takes per cent signs for escapes.
    private static string ImmutableUri(string path)
    {
        var uri = new StringBuilder("file://");
        foreach (char c in path)
        {
            if (c is '%' or '?' or '#') uri.Append('%').Append(Convert.ToHexString([(byte)c]));
            else uri.Append(c);
        }

        return uri.Append("?immutable=1").ToString();
    }
}
