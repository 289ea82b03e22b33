using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Opening;

/// <summary>
/// Copies the rows of one table out of a damaged database: in key order until no way leads on, then from the end backwards. A row that cannot be read is
/// stepped over, as long as its key can be; keys that do not rise show that the tree leads in a circle, and end that direction.
/// </summary>
internal sealed class TableSalvage(SqliteDatabase source, SqliteDatabase target, StoreTable table, RowChecks checks)
{
    private const int RowsPerTransaction = 1_000;

    private long _rows;
    private long _skipped;
    private int _uncommitted;
    private RowKey? _lastForward;

    public SalvagedTable Run()
    {
        using SqliteStatement insert = target.Prepare(
            $"INSERT OR IGNORE INTO {table.Name}({table.ColumnList}) VALUES({string.Join(", ", Enumerable.Repeat('?', table.Columns.Count))})");
        target.Begin();
        bool complete = Walk(insert, forward: true);
        if (!complete) complete = Walk(insert, forward: false);
        target.Commit();
        return new SalvagedTable(table.Name, _rows, _skipped, complete);
    }

    /// <summary>
    /// Copies in one direction; true when every row is dealt with, forward at the table's end, backward at the row where the other direction stopped.
    /// </summary>
    private bool Walk(SqliteStatement insert, bool forward)
    {
        RowKey? last = null;
        while (true)
        {
            SalvageStep end = CopyRun(insert, forward, ref last);
            // A stop that is not at a single row's door ends the direction.
            if (end == SalvageStep.Failed && StepOver(forward, ref last)) continue;
            if (forward) _lastForward = last;
            return forward ? end == SalvageStep.End : end == SalvageStep.Met;
        }
    }

    /// <summary>Copies rows behind <paramref name="last"/> until there are no more, or the next cannot be read.</summary>
    private SalvageStep CopyRun(SqliteStatement insert, bool forward, ref RowKey? last)
    {
        SalvageStep step = Prepare(table.ColumnList, forward, last, out SqliteStatement? rows);
        using (rows)
        {
            while (step == SalvageStep.Row && (step = Next(rows!)) == SalvageStep.Row)
            {
                step = Advance(rows!, forward, ref last);
                if (step == SalvageStep.Row) Copy(rows!, insert);
            }
        }

        return step;
    }

    /// <summary>Reads the next key alone, which needs none of the pages that a long row continues on.</summary>
    private bool StepOver(bool forward, ref RowKey? last)
    {
        if (Prepare(table.KeyList, forward, last, out SqliteStatement? keys) != SalvageStep.Row) return false;
        using (keys)
        {
            if (Next(keys!) != SalvageStep.Row || Advance(keys!, forward, ref last) != SalvageStep.Row) return false;
        }

        _skipped++;
        return true;
    }

    private SalvageStep Advance(SqliteStatement row, bool forward, ref RowKey? last)
    {
        RowKey? key = RowKey.Of(row, table.KeyLength);
        if (key is null) return SalvageStep.Broken;
        if (!forward && _lastForward is not null && key.CompareTo(_lastForward) <= 0) return SalvageStep.Met;
        if (last is not null && (forward ? key.CompareTo(last) <= 0 : key.CompareTo(last) >= 0)) return SalvageStep.Broken;
        last = key;
        return SalvageStep.Row;
    }

    private SalvageStep Prepare(string columns, bool forward, RowKey? last, out SqliteStatement? statement)
    {
        string[] keys = table.KeyList.Split(", ");
        string from = last is null ? "" : $" WHERE ({table.KeyList}) {(forward ? '>' : '<')} ({string.Join(", ", keys.Select(_ => '?'))})";
        string order = string.Join(", ", keys.Select(k => forward ? k : k + " DESC"));
        try
        {
            statement = source.Prepare($"SELECT {columns} FROM {table.Name}{from} ORDER BY {order}");
        }
        catch (SqliteException)
        {
            // The table is not there, lacks a column, or the schema cannot be read: nothing to be had here.
            statement = null;
            return SalvageStep.Broken;
        }

        last?.Bind(statement);
        return SalvageStep.Row;
    }

    private static SalvageStep Next(SqliteStatement statement)
    {
        try
        {
            return statement.Step() ? SalvageStep.Row : SalvageStep.End;
        }
        catch (SqliteException)
        {
            return SalvageStep.Failed;
        }
    }

    private void Copy(SqliteStatement row, SqliteStatement insert)
    {
        if (!checks.Accept(table, row))
        {
            _skipped++;
            return;
        }

        for (int i = 0; i < table.Columns.Count; i++) CopyColumn(row, insert, i);
        insert.Run();
        // None: another row has the key already, or the table's own rules refuse this one.
        if (target.Changes == 1) _rows++;
        else _skipped++;
        if (++_uncommitted < RowsPerTransaction) return;
        _uncommitted = 0;
        target.Commit();
        target.Begin();
    }

    private static void CopyColumn(SqliteStatement row, SqliteStatement insert, int column)
    {
        switch (row.ColumnType(column))
        {
            case SqliteColumnType.Integer: insert.Bind(column + 1, row.Int64(column)); break;
            case SqliteColumnType.Text: insert.BindText(column + 1, row.Blob(column)); break;
            case SqliteColumnType.Blob: insert.Bind(column + 1, row.Blob(column)); break;
            default: insert.BindNull(column + 1); break;
        }
    }
}

/// <summary>Where the walk through a damaged table is.</summary>
internal enum SalvageStep
{
    /// <summary>At a row.</summary>
    Row,

    /// <summary>Behind the last row.</summary>
    End,

    /// <summary>Backwards, at the row where the walk forward stopped: every row is dealt with.</summary>
    Met,

    /// <summary>The next row cannot be read; perhaps the one behind it can.</summary>
    Failed,

    /// <summary>No way on: the table is not there, or its keys make no sense.</summary>
    Broken,
}
