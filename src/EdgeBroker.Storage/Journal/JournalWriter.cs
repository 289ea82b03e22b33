using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Journal;

/// <summary>Writes batches through one connection; every statement is prepared once. A batch that failed can be written again.</summary>
internal sealed class JournalWriter : IDisposable
{
    private const int SweptRetained = 512;

    // The client id becomes free for who comes next; no client can have one with a NUL [MQTT-1.5.4-2].
    private static readonly string End =
        $"UPDATE session SET client_id = char(0) || id, connected = {StoreTables.EndedSession}, will = NULL, will_at_ms = NULL ";

    private readonly SqliteStatement _saveClock;
    private readonly SqliteStatement _endOthers;
    private readonly SqliteStatement _end;
    private readonly SqliteStatement _saveSession;
    private readonly SqliteStatement _saveProgress;
    private readonly SqliteStatement _saveSubscription;
    private readonly SqliteStatement _deleteSubscription;
    private readonly SqliteStatement _addReceived;
    private readonly SqliteStatement _removeReceived;
    private readonly SqliteStatement _addMessage;
    private readonly SqliteStatement _addDelivery;
    private readonly SqliteStatement _addRetained;
    private readonly SqliteStatement _deleteRetained;
    private readonly SqliteStatement[] _deleteOfSession;
    private readonly SqliteStatement[] _deleteMessages;
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
        _state = state;
        _age = age;
        _saveClock = database.Prepare("INSERT OR REPLACE INTO clock(id, age_ms, wall_ms) VALUES(1, ?1, ?2)");
        _endOthers = database.Prepare(End + "WHERE client_id = ?1 AND id <> ?2");
        _end = database.Prepare(End + "WHERE id = ?1");
        _saveSession = database.Prepare(
            "INSERT INTO session(id, client_id, expiry_seconds, connected, ends_at_ms, will_at_ms, sent_position, will, owner) "
            + "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
            + "ON CONFLICT(id) DO UPDATE SET expiry_seconds = ?3, connected = ?4, ends_at_ms = ?5, will_at_ms = ?6, sent_position = ?7, will = ?8, owner = ?9");
        _saveProgress = database.Prepare("INSERT OR REPLACE INTO progress(session, low, done, released) VALUES(?1, ?2, ?3, ?4)");
        _saveSubscription = database.Prepare("INSERT OR REPLACE INTO subscription(session, filter, options, identifier) VALUES(?1, ?2, ?3, ?4)");
        _deleteSubscription = database.Prepare("DELETE FROM subscription WHERE session = ?1 AND filter = ?2");
        _addReceived = database.Prepare("INSERT OR REPLACE INTO received(session, packet_id) VALUES(?1, ?2)");
        _removeReceived = database.Prepare("DELETE FROM received WHERE session = ?1 AND packet_id = ?2");
        _addMessage = database.Prepare(
            "INSERT OR REPLACE INTO message(id, flags, expires_at_ms, topic, properties, payload, checksum) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        _addDelivery = database.Prepare("INSERT OR REPLACE INTO delivery(first_message, receivers) VALUES(?1, ?2)");
        _addRetained = database.Prepare(
            "INSERT OR REPLACE INTO retained(id, flags, expires_at_ms, topic, properties, payload, checksum) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        _deleteRetained = database.Prepare("DELETE FROM retained WHERE id = ?1");
        _deleteOfSession =
        [
            database.Prepare("DELETE FROM session WHERE id = ?1"),
            database.Prepare("DELETE FROM progress WHERE session = ?1"),
            database.Prepare("DELETE FROM subscription WHERE session = ?1"),
            database.Prepare("DELETE FROM received WHERE session = ?1"),
        ];
        _deleteMessages =
        [
            database.Prepare("DELETE FROM message WHERE id BETWEEN ?1 AND ?2"),
            database.Prepare("DELETE FROM delivery WHERE first_message BETWEEN ?1 AND ?2"),
        ];
    }

    /// <summary>The connection.</summary>
    public SqliteDatabase Database { get; }

    /// <summary>Writes a batch in one transaction.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="wallMs">The wall clock to note beside the store's age; null: not this time.</param>
    /// <param name="sweep">Whether superseded retained values go, too.</param>
    /// <exception cref="SqliteException">It could not be written, and none of it is.</exception>
    public void Write(JournalBatch batch, long? wallMs, bool sweep)
    {
        Database.Begin();
        try
        {
            WriteSessions(batch);
            WriteMessages(batch);
            WriteRetained(batch);
            List<long> swept = sweep ? SweepRetained(batch) : [];
            if (wallMs is { } wall) SaveClock(wall);
            Database.Commit();
            foreach (long id in swept) _state.RetainedGarbage.Remove(id);
        }
        catch
        {
            TryRollback();
            throw;
        }

        foreach (SqliteSession session in batch.Sessions) session.IsStateDirty = session.IsProgressDirty = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SqliteStatement[] others =
        [
            _saveClock, _endOthers, _end, _saveSession, _saveProgress, _saveSubscription, _deleteSubscription, _addReceived, _removeReceived, _addMessage,
            _addDelivery,
            _addRetained, _deleteRetained,
        ];
        foreach (SqliteStatement statement in others.Concat(_deleteOfSession).Concat(_deleteMessages)) statement.Dispose();
        if (_ownsDatabase) Database.Dispose();
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

    private void WriteSessions(JournalBatch batch)
    {
        // The elder first: two may have the same client id, and the one that ends makes way.
        foreach (SqliteSession session in batch.Sessions.OrderBy(one => one.Id))
        {
            if (session.IsStateDirty) SaveState(session);
            if (!session.IsProgressDirty) continue;
            _saveProgress.Bind(1, session.Id);
            _saveProgress.Bind(2, session.Done.Low);
            _saveProgress.Bind(3, session.Done.ToBlob());
            _saveProgress.Bind(4, ReleasedBlob(session));
            _saveProgress.Run();
        }

        foreach ((SqliteSession session, byte[] filter, Subscription? subscription) in batch.Subscriptions) SaveSubscription(session.Id, filter, subscription);
        foreach ((SqliteSession session, ushort packetId, bool isThere) in batch.ReceivedIds)
        {
            SqliteStatement statement = isThere ? _addReceived : _removeReceived;
            statement.Bind(1, session.Id);
            statement.Bind(2, packetId);
            statement.Run();
        }

        foreach (SqliteSession session in batch.Deleted)
        {
            foreach (SqliteStatement statement in _deleteOfSession)
            {
                statement.Bind(1, session.Id);
                statement.Run();
            }
        }
    }

    private void SaveState(SqliteSession session)
    {
        // A restored one that ends has said nothing before.
        if (session.State is { } state) SaveState(session, state);
        if (!session.IsEnded) return;
        _end.Bind(1, session.Id);
        _end.Run();
    }

    private void SaveState(SqliteSession session, SessionSaved state)
    {
        // A session that ends may hold its client id a moment longer than the one that takes its place waits.
        _endOthers.BindText(1, session.ClientId);
        _endOthers.Bind(2, session.Id);
        _endOthers.Run();
        _saveSession.Bind(1, session.Id);
        _saveSession.BindText(2, session.ClientId);
        _saveSession.Bind(3, state.ExpirySeconds);
        _saveSession.Bind(4, state.IsConnected ? 1 : 0);
        _saveSession.Bind(5, _age.ToAge(state.EndsAtMs));
        if (state.WillAtMs == SessionSaved.Never) _saveSession.BindNull(6);
        else _saveSession.Bind(6, _age.ToAge(state.WillAtMs));
        _saveSession.Bind(7, state.SentPosition);
        if (state.Will is null) _saveSession.BindNull(8);
        else _saveSession.Bind(8, WillBlob.Of(state.Will));
        if (state.UserName is null) _saveSession.BindNull(9);
        else _saveSession.BindText(9, state.UserName);
        _saveSession.Run();
    }

    private void SaveSubscription(long session, byte[] filter, Subscription? subscription)
    {
        SqliteStatement statement = subscription is null ? _deleteSubscription : _saveSubscription;
        statement.Bind(1, session);
        statement.Bind(2, filter);
        if (subscription is not null)
        {
            statement.Bind(3, subscription.Options.Value);
            statement.Bind(4, subscription.Identifiers is [var identifier, ..] ? identifier : 0);
        }

        statement.Run();
    }

    private static byte[] ReleasedBlob(SqliteSession session)
    {
        var blob = new BlobWriter();
        long last = 0;
        foreach (long position in session.Released)
        {
            blob.Number(position - last);
            last = position;
        }

        return blob.ToArray();
    }

    private void WriteMessages(JournalBatch batch)
    {
        foreach ((long id, Message message) in batch.Messages)
        {
            WriteMessage(_addMessage, id, message, message.Topic);
        }

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
    }

    private void WriteRetained(JournalBatch batch)
    {
        foreach (RetainedChanged retained in batch.Retained) WriteMessage(_addRetained, retained.Ordinal, retained.Message, retained.Topic);
    }

    private void WriteMessage(SqliteStatement statement, long id, Message? message, byte[] topic)
    {
        long flags = message is null ? 0 : (int)message.QoS | (message.Retain ? 4 : 0);
        statement.Bind(1, id);
        statement.Bind(2, flags);
        if (message is null || message.ExpiresAtMs == Message.Never) statement.BindNull(3);
        else statement.Bind(3, _age.ToAge(message.ExpiresAtMs));
        statement.Bind(4, topic);
        statement.Bind(5, message?.Properties ?? []);
        if (message is null) statement.BindNull(6);
        else statement.Bind(6, message.Payload);
        statement.Bind(7, Checksum.OfMessage(flags, topic, message?.Properties ?? [], message?.Payload ?? []));
        statement.Run();
    }

    private List<long> SweepRetained(JournalBatch batch)
    {
        var swept = new List<long>();
        var unwritten = batch.Retained.Select(one => one.Ordinal).ToHashSet();
        foreach (long id in _state.RetainedGarbage)
        {
            // Not beyond what this very transaction brings.
            if (swept.Count == SweptRetained || unwritten.Contains(id)) break;
            _deleteRetained.Bind(1, id);
            _deleteRetained.Run();
            swept.Add(id);
        }

        return swept;
    }

    private void SaveClock(long wallMs)
    {
        _saveClock.Bind(1, _age.NowMs);
        _saveClock.Bind(2, wallMs);
        _saveClock.Run();
    }
}
