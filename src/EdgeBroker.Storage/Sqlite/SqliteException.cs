using System.Globalization;
using SQLitePCL;

namespace EdgeBroker.Storage.Sqlite;

/// <summary>SQLite refused or failed.</summary>
public sealed class SqliteException : Exception
{
    /// <summary>Describes one failure.</summary>
    /// <param name="extendedCode">SQLite's extended result code.</param>
    /// <param name="explanation">What SQLite says about it.</param>
    /// <param name="action">What was tried: SQL text, or the path that was opened.</param>
    public SqliteException(int extendedCode, string explanation, string action)
        : base(string.Create(CultureInfo.InvariantCulture, $"{explanation} (SQLite code {extendedCode}, {action})"))
    {
        ExtendedCode = extendedCode;
        Explanation = explanation;
    }

    /// <summary>The primary result code: the low byte of <see cref="ExtendedCode"/>.</summary>
    public int ResultCode => ExtendedCode & 0xFF;

    /// <summary>SQLite's extended result code.</summary>
    public int ExtendedCode { get; }

    /// <summary>What SQLite says, without code and context.</summary>
    public string Explanation { get; }

    /// <summary>The file is damaged, or no database at all (CORRUPT, NOTADB).</summary>
    public bool IsCorrupt => ResultCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;

    /// <summary>No room left: on the disk, or below the limit on pages (FULL).</summary>
    public bool IsFull => ResultCode == raw.SQLITE_FULL;

    /// <summary>The file, its folder or the file system may not be written (READONLY).</summary>
    public bool IsReadOnly => ResultCode == raw.SQLITE_READONLY;

    /// <summary>The file cannot be opened or made (CANTOPEN).</summary>
    public bool IsCannotOpen => ResultCode == raw.SQLITE_CANTOPEN;

    /// <summary>Another connection holds what was needed, for longer than this one waits (BUSY, LOCKED).</summary>
    public bool IsBusy => ResultCode is raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    /// <summary>The SQL and the file's schema do not fit together, or the schema cannot be understood (ERROR).</summary>
    public bool IsSchemaError => ResultCode == raw.SQLITE_ERROR;

    /// <summary>The last failure on <paramref name="handle"/>; <paramref name="code"/> tells when there is no handle to ask.</summary>
    internal static SqliteException From(sqlite3? handle, int code, string action)
    {
        if (handle is null || handle.IsInvalid) return new SqliteException(code, raw.sqlite3_errstr(code).utf8_to_string(), action);
        int extended = raw.sqlite3_extended_errcode(handle);
        // Some failures, misuse among them, are not noted on the connection.
        bool noted = (extended & 0xFF) == (code & 0xFF);
        string explanation = (noted ? raw.sqlite3_errmsg(handle) : raw.sqlite3_errstr(code)).utf8_to_string();
        return new SqliteException(noted ? extended : code, explanation, action);
    }
}
