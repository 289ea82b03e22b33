using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Journal;

/// <summary>The journal's connection that writes. After an error of the disk the first one is left alone, and another one is made.</summary>
/// <param name="file">The store.</param>
/// <param name="options">Durability and size.</param>
/// <param name="state">What the writer goes on from.</param>
/// <param name="age">The store's age.</param>
internal sealed class WriterConnection(StoreFile file, StorageOptions options, JournalState state, AgeClock age) : IDisposable
{
    private JournalWriter? _writer;

    /// <summary>What writes batches; connects if there is no connection.</summary>
    /// <exception cref="SqliteException">The database cannot be opened.</exception>
    /// <exception cref="StoreException">The database cannot be used any more.</exception>
    public JournalWriter Writer => _writer ??= Connect();

    /// <summary>Takes the store's own connection.</summary>
    public void Open() => _writer = new JournalWriter(file.Database, ownsDatabase: false, state, age);

    /// <summary>Gives the connection up: one that met an error of the disk may hold on to a state that is no more, and a new one finds out what is.</summary>
    public void Drop()
    {
        _writer?.Dispose();
        _writer = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Drop();

    private JournalWriter Connect()
    {
        SqliteDatabase database = SqliteDatabase.Open(file.Path, DatabaseAccess.ReadWrite, SqliteJournal.BusyTimeout);
        try
        {
            StorePragmas.ForWriter(database, options);
            return new JournalWriter(database, ownsDatabase: true, state, age);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }
}
