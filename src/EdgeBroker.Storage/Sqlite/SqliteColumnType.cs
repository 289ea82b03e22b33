namespace EdgeBroker.Storage.Sqlite;

/// <summary>The storage class of a value; the numbers are SQLite's.</summary>
public enum SqliteColumnType
{
    /// <summary>A 64-bit integer.</summary>
    Integer = 1,

    /// <summary>A 64-bit floating-point number.</summary>
    Real = 2,

    /// <summary>Text in UTF-8.</summary>
    Text = 3,

    /// <summary>Bytes.</summary>
    Blob = 4,

    /// <summary>Nothing.</summary>
    Null = 5,
}
