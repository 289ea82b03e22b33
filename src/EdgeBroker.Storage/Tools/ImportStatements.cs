using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>Inserts rows into a new store; every statement is prepared once. Times are ages of the store. False: there is such a row already.</summary>
internal sealed class ImportStatements : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _clock;
    private readonly SqliteStatement _session;
    private readonly SqliteStatement _progress;
    private readonly SqliteStatement _subscription;
    private readonly SqliteStatement _received;
    private readonly SqliteStatement _message;
    private readonly SqliteStatement _delivery;
    private readonly SqliteStatement _retained;
    private readonly SqliteStatement _topic;

    /// <param name="database">The new store.</param>
    public ImportStatements(SqliteDatabase database)
    {
        _database = database;
        // The store itself has no index of topics.
        database.Execute("CREATE TEMP TABLE topic(name BLOB PRIMARY KEY) WITHOUT ROWID");
        _topic = database.Prepare("INSERT OR IGNORE INTO temp.topic(name) VALUES(?1)");
        _clock = database.Prepare("INSERT INTO clock(id, age_ms, wall_ms, stamp_bound) VALUES(1, ?1, ?2, 0)");
        _session = database.Prepare(
            "INSERT INTO session(id, client_id, expiry_seconds, state, ends_at_ms, will_at_ms, sent_position, will, owner, queue_policy) "
            + "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
        _progress = database.Prepare("INSERT INTO progress(session, low, done, released) VALUES(?1, ?2, ?3, ?4)");
        _subscription = database.Prepare("INSERT OR IGNORE INTO subscription(session, filter, options, identifier) VALUES(?1, ?2, ?3, ?4)");
        _received = database.Prepare("INSERT OR IGNORE INTO received(session, packet_id) VALUES(?1, ?2)");
        _message = database.Prepare($"INSERT INTO message(id, {StoredMessage.Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7)");
        _delivery = database.Prepare("INSERT INTO delivery(first_message, receivers) VALUES(?1, ?2)");
        _retained = database.Prepare($"INSERT INTO retained(id, {StoredMessage.Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7)");
    }

    public void AddClock(long ageMs, long wallMs)
    {
        _clock.Bind(1, ageMs);
        _clock.Bind(2, wallMs);
        _clock.Run();
    }

    public void AddSession(
        long id,
        string clientId,
        string? owner,
        long expirySeconds,
        bool isConnected,
        long endsAtMs,
        long willAtMs,
        long sentPosition,
        Will? will,
        QueuePolicy? policy)
    {
        _session.Bind(1, id);
        _session.BindText(2, clientId);
        _session.Bind(3, expirySeconds);
        _session.Bind(4, isConnected ? StoreTables.ConnectedSession : StoreTables.DisconnectedSession);
        _session.Bind(5, endsAtMs);
        if (willAtMs == SessionSaved.Never) _session.BindNull(6);
        else _session.Bind(6, willAtMs);
        _session.Bind(7, sentPosition);
        if (will is null) _session.BindNull(8);
        else _session.Bind(8, WillBlob.Of(will));
        if (owner is null) _session.BindNull(9);
        else _session.BindText(9, owner);
        if (policy is null) _session.BindNull(10);
        else _session.Bind(10, QueuePolicyBlob.Of(policy));
        _session.Run();
    }

    public void AddProgress(ImportedSession session)
    {
        Journal.DoneSet done = session.Open.Rest(session.LastPosition);
        _progress.Bind(1, session.Id);
        _progress.Bind(2, done.Low);
        _progress.Bind(3, done.ToBlob());
        _progress.Bind(4, ReleasedBlob.Of(session.Released));
        _progress.Run();
    }

    public bool AddSubscription(long session, byte[] filter, byte options, long identifier)
    {
        _subscription.Bind(1, session);
        _subscription.Bind(2, filter);
        _subscription.Bind(3, options);
        _subscription.Bind(4, identifier);
        return IsInserted(_subscription);
    }

    public bool AddReceivedId(long session, long packetId)
    {
        _received.Bind(1, session);
        _received.Bind(2, packetId);
        return IsInserted(_received);
    }

    public void AddMessage(long id, Message message) => Write(_message, id, message);

    public void AddDelivery(long firstMessage, byte[] receivers)
    {
        _delivery.Bind(1, firstMessage);
        _delivery.Bind(2, receivers);
        _delivery.Run();
    }

    public bool AddRetained(long id, Message message)
    {
        _topic.Bind(1, message.Topic);
        if (!IsInserted(_topic)) return false;
        Write(_retained, id, message);
        return true;
    }

    public void Dispose()
    {
        foreach (SqliteStatement one in new[] { _clock, _session, _progress, _subscription, _received, _message, _delivery, _retained, _topic }) one.Dispose();
    }

    private bool IsInserted(SqliteStatement statement)
    {
        statement.Run();
        return _database.Changes == 1;
    }

    private static void Write(SqliteStatement statement, long id, Message message)
    {
        long flags = (long)message.QoS | (message.Retain ? 4L : 0);
        statement.Bind(1, id);
        statement.Bind(2, flags);
        if (message.ExpiresAtMs == Message.Never) statement.BindNull(3);
        else statement.Bind(3, message.ExpiresAtMs);
        statement.Bind(4, message.Topic);
        statement.Bind(5, message.Properties);
        statement.Bind(6, message.Payload);
        statement.Bind(7, Checksum.OfMessage(flags, message.Topic, message.Properties, message.Payload, Stamp.None));
        statement.Run();
        statement.ClearBindings();
    }
}
