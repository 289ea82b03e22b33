using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Journal;

/// <summary>Writes batches through one connection. A batch that failed can be written again.</summary>
internal sealed class JournalWriter : IDisposable
{
    private readonly SessionStatements _sessions;
    private readonly MessageStatements _messages;
    private readonly ClusterStatements _cluster;
    private readonly SqliteStatement _saveClock;
    private readonly SqliteStatement _pages;
    private readonly SqliteStatement _freePages;
    private readonly JournalState _state;
    private readonly AgeClock _age;
    private readonly bool _ownsDatabase;

    /// <param name="database">The connection.</param>
    /// <param name="ownsDatabase">Whether it is closed with the writer.</param>
    /// <param name="state">What to go on from.</param>
    /// <param name="age">The store's age.</param>
    public JournalWriter(SqliteDatabase database, bool ownsDatabase, JournalState state, AgeClock age)
    {
        Database = database;
        _ownsDatabase = ownsDatabase;
        _age = age;
        _sessions = new SessionStatements(database, age);
        _messages = new MessageStatements(database, state, age);
        _cluster = new ClusterStatements(database);
        _state = state;
        _saveClock = database.Prepare("INSERT OR REPLACE INTO clock(id, age_ms, wall_ms, stamp_bound) VALUES(1, ?1, ?2, ?3)");
        _pages = database.Prepare("PRAGMA page_count");
        _freePages = database.Prepare("PRAGMA freelist_count");
    }

    /// <summary>The connection.</summary>
    public SqliteDatabase Database { get; }

    /// <summary>Writes a batch in one transaction.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="wallClock">The wall clock to note beside the store's age; null: not this time.</param>
    /// <exception cref="SqliteException">It could not be written, and none of it is.</exception>
    public void Write(JournalBatch batch, TimeProvider? wallClock)
    {
        Database.Begin();
        try
        {
            _sessions.Write(batch);
            _messages.Write(batch);
            _cluster.Write(batch);
            if (wallClock is not null) SaveClock(wallClock);
            Database.Commit();
        }
        catch
        {
            TryRollback();
            throw;
        }

        _messages.Committed();
        foreach (SqliteSession session in batch.Sessions)
        {
            session.IsStateDirty = session.IsProgressDirty = false;
            session.Owned = null;
        }
    }

    /// <summary>Pages of the database, used or not.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public long CountPages() => Query(_pages);

    /// <summary>Bytes in use in the database.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public long MeasureBytes() => (Query(_pages) - Query(_freePages)) * StorePragmas.PageSizeBytes;

    /// <inheritdoc/>
    public void Dispose()
    {
        _sessions.Dispose();
        _messages.Dispose();
        _cluster.Dispose();
        _saveClock.Dispose();
        _pages.Dispose();
        _freePages.Dispose();
        if (_ownsDatabase) Database.Dispose();
    }

    private static long Query(SqliteStatement statement)
    {
        statement.Step();
        long value = statement.Int64(0);
        statement.Reset();
        return value;
    }

    private void TryRollback()
    {
        try
        {
            Database.Rollback();
        }
        catch (SqliteException)
        {
            // The failure that brought us here tells more, and the connection is opened anew after it.
        }
    }

    private void SaveClock(TimeProvider wallClock)
    {
        // Both of one moment: the age of the next start follows from their difference.
        _saveClock.Bind(1, _age.NowMs);
        _saveClock.Bind(2, wallClock.GetUtcNow().ToUnixTimeMilliseconds());
        _saveClock.Bind(3, _state.StampBound.Value);
        _saveClock.Run();
    }
}
