using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Journal;

/// <summary>Writes what a batch says of messages, queued and retained; every statement is prepared once.</summary>
internal sealed class MessageStatements : IDisposable
{
    private const int FewestSwept = 256;
    private const int MostSwept = 512;

    private readonly SqliteStatement _addMessage;
    private readonly SqliteStatement _addDelivery;
    private readonly SqliteStatement[] _deleteMessages;
    private readonly SqliteStatement _addRetained;
    private readonly SqliteStatement _deleteRetained;
    private readonly JournalState _state;
    private readonly AgeClock _age;
    private readonly List<long> _swept = [];

    /// <param name="database">The connection.</param>
    /// <param name="state">Knows the superseded retained values.</param>
    /// <param name="age">The store's age.</param>
    public MessageStatements(SqliteDatabase database, JournalState state, AgeClock age)
    {
        _state = state;
        _age = age;
        _addMessage = database.Prepare(
            $"INSERT OR REPLACE INTO message(id, {StoredMessage.Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
        _addDelivery = database.Prepare("INSERT OR REPLACE INTO delivery(first_message, receivers) VALUES(?1, ?2)");
        _deleteMessages =
        [
            database.Prepare("DELETE FROM message WHERE id BETWEEN ?1 AND ?2"),
            database.Prepare("DELETE FROM delivery WHERE first_message BETWEEN ?1 AND ?2"),
        ];
        _addRetained = database.Prepare(
            $"INSERT OR REPLACE INTO retained(id, {StoredMessage.Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
        _deleteRetained = database.Prepare("DELETE FROM retained WHERE id = ?1");
    }

    /// <summary>Writes them.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public void Write(JournalBatch batch)
    {
        foreach ((long id, Message message) in batch.Messages) Write(_addMessage, id, message, message.Topic);
        foreach ((long first, byte[] receivers) in batch.Deliveries)
        {
            _addDelivery.Bind(1, first);
            _addDelivery.Bind(2, receivers);
            _addDelivery.Run();
        }

        foreach ((long first, long last) in batch.EmptyMessages)
        {
            foreach (SqliteStatement statement in _deleteMessages)
            {
                statement.Bind(1, first);
                statement.Bind(2, last);
                statement.Run();
            }
        }

        foreach (RetainedChanged retained in batch.Retained) Write(_addRetained, retained.Ordinal, retained.Message, retained.Topic);
        SweepRetained(batch);
    }

    /// <summary>What was written is on disk.</summary>
    public void Committed()
    {
        foreach (long id in _swept) _state.RetainedGarbage.Remove(id);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SqliteStatement[] all = [_addMessage, _addDelivery, .. _deleteMessages, _addRetained, _deleteRetained];
        foreach (SqliteStatement statement in all) statement.Dispose();
    }

    private void Write(SqliteStatement statement, long id, Message? message, byte[] topic)
    {
        long flags = message is null ? 0 : (int)message.QoS | (message.Retain ? 4 : 0);
        Stamp stamp = message?.Stamp ?? Stamp.None;
        statement.Bind(1, id);
        statement.Bind(2, flags);
        if (message is null || message.ExpiresAtMs == Message.Never) statement.BindNull(3);
        else statement.Bind(3, _age.ToAge(message.ExpiresAtMs));
        statement.Bind(4, topic);
        statement.Bind(5, message?.Properties ?? []);
        if (message is null || message.IsTombstone) statement.BindNull(6);
        else statement.Bind(6, message.Payload);
        if (stamp.IsNone) statement.BindNull(7);
        else statement.Bind(7, stamp.Value);
        statement.Bind(8, Checksum.OfMessage(flags, topic, message?.Properties ?? [], message?.Payload ?? [], stamp));
        statement.Run();
    }

    /// <summary>Deletes superseded values, many at a time and in the order they came.</summary>
    private void SweepRetained(JournalBatch batch)
    {
        _swept.Clear();
        if (_state.RetainedGarbage.Count < FewestSwept && !_state.IsTight) return;
        var unwritten = batch.Retained.Select(one => one.Ordinal).ToHashSet();
        foreach (long id in _state.RetainedGarbage)
        {
            // Not beyond what this very transaction brings.
            if (_swept.Count == MostSwept || unwritten.Contains(id)) break;
            _deleteRetained.Bind(1, id);
            _deleteRetained.Run();
            _swept.Add(id);
        }
    }
}
