using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Journal;

/// <summary>Writes what a batch says of other nodes. Prepared when there is something: a broker that is alone never has it.</summary>
/// <param name="database">The connection.</param>
internal sealed class ClusterStatements(SqliteDatabase database) : IDisposable
{
    private SqliteStatement? _saveTaken;
    private SqliteStatement? _saveTombstone;
    private SqliteStatement? _deleteTombstone;

    /// <summary>Writes it.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public void Write(JournalBatch batch)
    {
        foreach (MessageOrigin taken in batch.Taken) Write(taken);
        foreach (SessionTombstone tombstone in batch.SessionTombstones) Write(tombstone);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _saveTaken?.Dispose();
        _saveTombstone?.Dispose();
        _deleteTombstone?.Dispose();
    }

    private void Write(MessageOrigin taken)
    {
        _saveTaken ??= database.Prepare("INSERT OR REPLACE INTO peer(life, lane, store_id, taken) VALUES(?1, ?2, ?3, ?4)");
        _saveTaken.Bind(1, taken.Life);
        _saveTaken.Bind(2, taken.Lane);
        _saveTaken.Bind(3, taken.StoreId.ToByteArray(bigEndian: true));
        _saveTaken.Bind(4, taken.Position);
        _saveTaken.Run();
    }

    private void Write(SessionTombstone tombstone)
    {
        SqliteStatement statement = tombstone.Below.IsNone
            ? _deleteTombstone ??= database.Prepare("DELETE FROM session_tombstone WHERE client_id = ?1")
            : _saveTombstone ??= database.Prepare("INSERT OR REPLACE INTO session_tombstone(client_id, below) VALUES(?1, ?2)");
        statement.BindText(1, tombstone.ClientId);
        if (!tombstone.Below.IsNone) statement.Bind(2, tombstone.Below.Value);
        statement.Run();
    }
}
