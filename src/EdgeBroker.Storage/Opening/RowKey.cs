using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Opening;

/// <summary>A primary key of one or two columns, to go on from: an integer, and a blob or a second integer.</summary>
internal sealed class RowKey : IComparable<RowKey>
{
    private readonly long _first;
    private readonly long _second;
    private readonly byte[]? _blob;
    private readonly int _length;

    private RowKey(SqliteStatement row, int length)
    {
        _length = length;
        _first = row.Int64(0);
        if (length < 2) return;
        if (row.ColumnType(1) == SqliteColumnType.Blob) _blob = row.Blob(1).ToArray();
        else _second = row.Int64(1);
    }

    /// <summary>The key in a row's first columns; null when it is none that the store writes.</summary>
    public static RowKey? Of(SqliteStatement row, int length)
    {
        bool known = row.ColumnType(0) == SqliteColumnType.Integer
            && (length < 2 || row.ColumnType(1) is SqliteColumnType.Integer or SqliteColumnType.Blob);
        return known ? new RowKey(row, length) : null;
    }

    /// <summary>Gives the first parameters the key's columns.</summary>
    public void Bind(SqliteStatement statement)
    {
        statement.Bind(1, _first);
        if (_length < 2) return;
        if (_blob is null) statement.Bind(2, _second);
        else statement.Bind(2, _blob);
    }

    /// <summary>SQLite's order: integers before blobs, blobs byte by byte.</summary>
    public int CompareTo(RowKey? other)
    {
        if (other is null) return 1;
        int order = _first.CompareTo(other._first);
        if (order != 0) return order;
        if (_blob is null || other._blob is null) return _blob is null == other._blob is null ? _second.CompareTo(other._second) : _blob is null ? -1 : 1;
        return _blob.AsSpan().SequenceCompareTo(other._blob);
    }
}
