using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Journal;

/// <summary>Writes what a batch says of messages, queued and retained; every statement is prepared once.</summary>
internal sealed class MessageStatements : IDisposable
{
    private const int FewestSwept = 256;
    private const int MostSwept = 512;
    private const int PayloadParameter = 6;

    // So that a storm does not leave more behind than it brings.
    private const int SweptForEachWritten = 2;

    private readonly SqliteStatement _addMessage;
    private readonly SqliteStatement _addDelivery;
    private readonly SqliteStatement[] _deleteMessages;
    private readonly SqliteStatement _addRetained;
    private readonly SqliteStatement _deleteRetained;
    private readonly JournalState _state;
    private readonly AgeClock _age;

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
            $"INSERT OR REPLACE INTO retained(id, {StoredMessage.Columns}, holder) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        _deleteRetained = database.Prepare("DELETE FROM retained WHERE id = ?1");
    }

    /// <summary>Writes them.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public void Write(JournalBatch batch)
    {
        // First what makes room: pages that become free are those that the rest is written to. Not what the batch itself may bring.
        SweepRetained(batch);
        foreach ((long id, Message message) in batch.Messages) Write(id, message);
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

        foreach (RetainedChanged retained in batch.Retained) Write(retained);
    }

    /// <summary>What was written is on disk.</summary>
    public void Committed() => _state.RetainedGarbage.RemoveTaken();

    /// <inheritdoc/>
    public void Dispose()
    {
        SqliteStatement[] all = [_addMessage, _addDelivery, .. _deleteMessages, _addRetained, _deleteRetained];
        foreach (SqliteStatement statement in all) statement.Dispose();
    }

    private void Write(long id, Message message)
    {
        long flags = FlagsOf(message.QoS, message.Retain);
        BindHead(_addMessage, id, flags, message.ExpiresAtMs, message.Stamp);
        BindContent(_addMessage, flags, message.Topic, message.Properties, message.Payload, message.Stamp);
        _addMessage.Run();
    }

    private void Write(RetainedChanged retained)
    {
        long flags = retained.HasValue ? FlagsOf(retained.QoS, retained.Retain) : 0;
        BindHead(_addRetained, retained.Ordinal, flags, retained.ExpiresAtMs, retained.Stamp);
        BindContent(_addRetained, flags, retained.Topic, retained.Properties, retained.Payload, retained.Stamp);
        if (!retained.HasValue || retained.IsTombstone) _addRetained.BindNull(PayloadParameter);
        if (retained.Holder is { } holder) _addRetained.BindText(9, holder.Text);
        else _addRetained.BindNull(9);
        _addRetained.Run();
    }

    private static long FlagsOf(QoS qos, bool retain) => (int)qos | (retain ? 4 : 0);

    private void BindHead(SqliteStatement statement, long id, long flags, long expiresAtMs, Stamp stamp)
    {
        statement.Bind(1, id);
        statement.Bind(2, flags);
        if (expiresAtMs == Message.Never) statement.BindNull(3);
        else statement.Bind(3, _age.ToAge(expiresAtMs));
        if (stamp.IsNone) statement.BindNull(7);
        else statement.Bind(7, stamp.Value);
    }

    private static void BindContent(
        SqliteStatement statement, long flags, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, Stamp stamp)
    {
        statement.Bind(4, topic);
        statement.Bind(5, properties);
        statement.Bind(PayloadParameter, payload);
        statement.Bind(8, Checksum.OfMessage(flags, topic, properties, payload, stamp));
    }

    /// <summary>Deletes superseded values, many at a time and in the order they came.</summary>
    private void SweepRetained(JournalBatch batch)
    {
        bool isWorthIt = _state.RetainedGarbage.Count >= FewestSwept || _state.IsTight;
        int most = isWorthIt ? Math.Max(MostSwept, batch.RetainedCount * SweptForEachWritten) : 0;
        foreach (long id in _state.RetainedGarbage.Take(most, batch.BringsRetained))
        {
            _deleteRetained.Bind(1, id);
            _deleteRetained.Run();
        }
    }
}
