using System.Globalization;
using SQLitePCL;

namespace EdgeBroker.Storage.Sqlite;

/// <summary>What a failure of SQLite means, whoever threw it.</summary>
public static class SqliteFailure
{
    extension(SqliteException failure)
    {
        /// <summary>The file is damaged, or no database at all (CORRUPT, NOTADB).</summary>
        public bool IsCorrupt => failure.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;

        /// <summary>No room left: on the disk, or below the limit on pages (FULL).</summary>
        public bool IsFull => failure.SqliteErrorCode == raw.SQLITE_FULL;

        /// <summary>The file, its folder or the file system may not be written (READONLY).</summary>
        public bool IsReadOnly => failure.SqliteErrorCode == raw.SQLITE_READONLY;

        /// <summary>The file cannot be opened or made (CANTOPEN).</summary>
        public bool IsCannotOpen => failure.SqliteErrorCode == raw.SQLITE_CANTOPEN;

        /// <summary>Another connection holds what was needed, for longer than this one waits (BUSY, LOCKED).</summary>
        public bool IsBusy => failure.SqliteErrorCode is raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

        /// <summary>The SQL and the file's schema do not fit together, or the schema cannot be understood (ERROR).</summary>
        public bool IsSchemaError => failure.SqliteErrorCode == raw.SQLITE_ERROR;

        /// <summary>What it means, without code and context; of an error in the schema, all that is said.</summary>
        public string Explanation => failure.IsSchemaError ? failure.Message : raw.sqlite3_errstr(failure.SqliteExtendedErrorCode).utf8_to_string();
    }

    /// <summary>The last failure on a connection.</summary>
    /// <param name="handle">The connection; null where there is none to ask.</param>
    /// <param name="code">SQLite's result code.</param>
    /// <param name="action">What was tried: SQL text, or a path.</param>
    internal static SqliteException Of(sqlite3? handle, int code, string action)
    {
        // Some failures, misuse among them, are not noted on the connection.
        bool noted = handle is { IsInvalid: false } && (raw.sqlite3_extended_errcode(handle) & 0xFF) == (code & 0xFF);
        int extended = noted ? raw.sqlite3_extended_errcode(handle!) : code;
        string explanation = (noted ? raw.sqlite3_errmsg(handle!) : raw.sqlite3_errstr(code)).utf8_to_string();
        return Of(extended, explanation, action);
    }

    /// <summary>A failure.</summary>
    /// <param name="extendedCode">SQLite's extended result code.</param>
    /// <param name="explanation">What SQLite says about it.</param>
    /// <param name="action">What was tried: SQL text, or a path.</param>
    internal static SqliteException Of(int extendedCode, string explanation, string action) => new(
        string.Create(CultureInfo.InvariantCulture, $"{explanation} (SQLite code {extendedCode}, {action})"), extendedCode & 0xFF, extendedCode);
}
