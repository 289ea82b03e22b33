using SQLitePCL;

namespace EdgeBroker.Storage.Sqlite;

/// <summary>
/// One prepared statement, to be run many times: bind, <see cref="Step"/> until false, <see cref="Reset"/>. Parameters count from 1, columns from 0.
/// One thread at a time. In the executable nothing here allocates except <see cref="Text"/>, <see cref="BindText(int, string)"/> and exceptions.
/// </summary>
public sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _handle;

    internal SqliteStatement(sqlite3 database, sqlite3_stmt handle, string sql)
    {
        _database = database;
        _handle = handle;
        Sql = sql;
    }

    /// <summary>The text it was prepared from.</summary>
    public string Sql { get; }

    /// <summary>Gives a parameter an integer. Bindings survive <see cref="Reset"/>.</summary>
    public void Bind(int parameter, long value) => Check(raw.sqlite3_bind_int64(_handle, parameter, value));

    /// <summary>Gives a parameter a blob, which is copied; an empty one is a blob of no bytes, not NULL.</summary>
    public void Bind(int parameter, ReadOnlySpan<byte> value) =>
        Check(value.IsEmpty ? raw.sqlite3_bind_zeroblob(_handle, parameter, 0) : raw.sqlite3_bind_blob(_handle, parameter, value));

    /// <summary>Gives a parameter a text.</summary>
    public void BindText(int parameter, string value) => Check(raw.sqlite3_bind_text(_handle, parameter, value));

    /// <summary>Gives a parameter a text in UTF-8, which is copied.</summary>
    public void BindText(int parameter, ReadOnlySpan<byte> utf8) =>
        // An empty span has no address, and SQLite takes a null address for NULL.
        Check(utf8.IsEmpty ? raw.sqlite3_bind_text(_handle, parameter, "") : raw.sqlite3_bind_text(_handle, parameter, utf8));

    /// <summary>Gives a parameter NULL.</summary>
    public void BindNull(int parameter) => Check(raw.sqlite3_bind_null(_handle, parameter));

    /// <summary>Goes to the next row, or does the work of a statement without rows. False at the end; the statement is reset then.</summary>
    /// <exception cref="SqliteException">The statement failed; it is reset.</exception>
    public bool Step()
    {
        int code = raw.sqlite3_step(_handle);
        if (code == raw.SQLITE_ROW) return true;
        // Made before the reset, which would forget why. Its own code repeats the failure.
        SqliteException? failure = code == raw.SQLITE_DONE ? null : SqliteFailure.Of(_database, code, Sql);
        raw.sqlite3_reset(_handle);
        return failure is null ? false : throw failure;
    }

    /// <summary>Runs a statement without rows to its end.</summary>
    /// <exception cref="SqliteException">The statement failed; it is reset.</exception>
    public void Run()
    {
        while (Step())
        {
            // A statement with RETURNING or a pragma may answer; nobody asked.
        }
    }

    /// <summary>Ends a run before its last row; needed before the next run, and so that a read transaction ends.</summary>
    // The result repeats the failure of the step before, which was thrown.
    public void Reset() => raw.sqlite3_reset(_handle);

    /// <summary>Takes values out of the parameters, so that blobs bound are freed.</summary>
    public void ClearBindings() => Check(raw.sqlite3_clear_bindings(_handle));

    /// <summary>A column as an integer; 0 for NULL.</summary>
    public long Int64(int column) => raw.sqlite3_column_int64(_handle, column);

    /// <summary>A column's bytes, a text's in UTF-8; empty for NULL. SQLite's own memory: valid until the next <see cref="Step"/> or <see cref="Reset"/>.
    /// </summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_handle, column);

    /// <summary>A column as a text; empty for NULL. Invalid UTF-8 becomes U+FFFD.</summary>
    public string Text(int column) => raw.sqlite3_column_text(_handle, column).utf8_to_string() ?? "";

    /// <summary>Whether a column is NULL.</summary>
    public bool IsNull(int column) => raw.sqlite3_column_type(_handle, column) == raw.SQLITE_NULL;

    /// <summary>What a column holds in this row; in a damaged or foreign file not always what its declaration says.</summary>
    public SqliteColumnType ColumnType(int column) => (SqliteColumnType)raw.sqlite3_column_type(_handle, column);

    /// <summary>Frees the statement. A forgotten one is freed by the garbage collector.</summary>
    public void Dispose() => _handle.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK) throw SqliteFailure.Of(_database, code, Sql);
    }
}
