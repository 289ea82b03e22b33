using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>
/// Checks a store: every page and index, the schema, every row, and what rows of one table say about another. Reads one moment's state, beside a broker that
/// runs or without one.
/// </summary>
public sealed class StoreVerify
{
    private const int MostProblems = 100;

    private readonly SqliteDatabase _database;
    private readonly RowChecks _checks;
    private readonly List<string> _problems = [];
    private long _rows;

    private StoreVerify(SqliteDatabase database, RowChecks checks)
    {
        _database = database;
        _checks = checks;
    }

    /// <summary>Checks the database at <paramref name="path"/>.</summary>
    /// <exception cref="StoreException">It cannot be read at all, other than by being damaged.</exception>
    public static StoreVerification Run(string path, RowChecks checks)
    {
        try
        {
            using SqliteDatabase database = StoreReader.Open(path);
            return new StoreVerify(database, checks).Run();
        }
        catch (SqliteException failure) when (failure.IsCorrupt)
        {
            return new StoreVerification([failure.Explanation], 0);
        }
        catch (SqliteException failure)
        {
            throw StoreException.From(failure, path);
        }
    }

    private StoreVerification Run()
    {
        _database.Execute("BEGIN");
        Try("pages", CheckPages);
        if (Try("schema", CheckSchema))
        {
            foreach (StoreTable table in StoreTables.All) Try(table.Name, () => CheckRows(table));
            foreach (string table in StoreTables.OfSessions) Try(table, () => CheckSessionOf(table));
            Try(StoreTables.Delivery, CheckMessagesOfDeliveries);
        }

        _database.Rollback();
        return new StoreVerification(_problems, _rows);
    }

    /// <summary>Runs one check; damage that ends it is one more problem. False when it found any.</summary>
    private bool Try(string subject, Action check)
    {
        int before = _problems.Count;
        try
        {
            check();
        }
        catch (SqliteException failure) when (failure.IsCorrupt || failure.IsSchemaError)
        {
            _problems.Add($"{subject}: {failure.Explanation}");
        }

        return _problems.Count == before;
    }

    private void CheckPages()
    {
        using SqliteCommand command = _database.Command($"PRAGMA integrity_check({MostProblems})");
        using SqliteDataReader check = command.ExecuteReader();
        while (check.Read())
        {
            string answer = check.GetString(0);
            // The first answer may be several lines, one for each page.
            if (answer != "ok") _problems.AddRange(answer.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }
    }

    private void CheckSchema()
    {
        SchemaVerdict verdict = StoreSchema.Current.Inspect(_database);
        if (verdict.State == SchemaState.Older) _problems.Add($"it is of version {verdict.Version}; the broker brings it up to date at its next start");
        else if (verdict.State != SchemaState.Current) _problems.Add(verdict.Problem!);
    }

    private void CheckRows(StoreTable table)
    {
        long bad = 0;
        string firstBad = "";
        using SqliteStatement rows = _database.Prepare($"SELECT {table.ColumnList} FROM {table.Name}");
        while (rows.Step())
        {
            _rows++;
            if (_checks.Accept(table, rows)) continue;
            if (bad++ == 0) firstBad = rows.Text(0);
        }

        if (bad > 0) _problems.Add($"{table.Name}: {bad} row(s) are not what was once written, the first with {table.Columns[0].Name} {firstBad}");
    }

    private void CheckMessagesOfDeliveries()
    {
        long missing = 0;
        using SqliteStatement rows = _database.Prepare("SELECT first_message, receivers FROM delivery");
        using SqliteStatement messages = _database.Prepare("SELECT 1 FROM message WHERE id = ?1");
        while (rows.Step())
        {
            var blob = new BlobReader(rows.Blob(1));
            for (long id = rows.Int64(0); Receivers.TryReadMessage(ref blob, out WaitingMessage message); id++)
            {
                if (message.Receivers > 0 && !DeliverySalvage.Exists(messages, id)) missing++;
                for (int i = 0; i < message.Receivers && Receivers.TryRead(ref blob, out _); i++)
                {
                    // Only the messages are looked for.
                }
            }
        }

        if (missing > 0) _problems.Add($"delivery: {missing} message(s) that sessions wait for are not there");
    }

    private void CheckSessionOf(string table)
    {
        long orphans = _database.QueryInt64($"SELECT count(*) FROM {table} WHERE session NOT IN (SELECT id FROM session)") ?? 0;
        if (orphans > 0) _problems.Add($"{table}: {orphans} row(s) belong to no session");
    }
}

/// <summary>What a check of a store found.</summary>
/// <param name="Problems">Each in a sentence; empty for a sound store.</param>
/// <param name="Rows">How many rows were looked at.</param>
public sealed record StoreVerification(IReadOnlyList<string> Problems, long Rows)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool IsSound => Problems.Count == 0;
}
