using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Topics;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Journal;

/// <summary>Writes what a batch says of sessions; every statement is prepared once.</summary>
internal sealed class SessionStatements : IDisposable
{
    // The client id becomes free for who comes next.
    private static readonly string End =
        $"UPDATE session SET client_id = NULL, state = {StoreTables.EndedSession}, will = NULL, will_at_ms = NULL ";

    private readonly SqliteStatement _endOthers;
    private readonly SqliteStatement _end;
    private readonly SqliteStatement _save;
    private readonly SqliteStatement _saveEpoch;
    private readonly SqliteStatement _saveProgress;
    private readonly SqliteStatement _saveSubscription;
    private readonly SqliteStatement _deleteSubscription;
    private readonly SqliteStatement _addReceived;
    private readonly SqliteStatement _removeReceived;
    private readonly SqliteStatement[] _delete;
    private readonly AgeClock _age;

    /// <param name="database">The connection.</param>
    /// <param name="age">The store's age.</param>
    public SessionStatements(SqliteDatabase database, AgeClock age)
    {
        _age = age;
        _endOthers = database.Prepare(End + "WHERE client_id = ?1 AND id <> ?2");
        _end = database.Prepare(End + "WHERE id = ?1");
        _save = database.Prepare(
            "INSERT INTO session(id, client_id, expiry_seconds, state, ends_at_ms, will_at_ms, sent_position, will, owner, queue_policy, holder) "
            + "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
            + "ON CONFLICT(id) DO UPDATE SET expiry_seconds = ?3, state = ?4, ends_at_ms = ?5, will_at_ms = ?6, sent_position = ?7, will = ?8, "
            + "owner = ?9, queue_policy = ?10, holder = ?11");
        _saveEpoch = database.Prepare("UPDATE session SET grant_number = ?2, epoch_stamp = ?3 WHERE id = ?1");
        _saveProgress = database.Prepare("INSERT OR REPLACE INTO progress(session, low, done, released) VALUES(?1, ?2, ?3, ?4)");
        _saveSubscription = database.Prepare("INSERT OR REPLACE INTO subscription(session, filter, options, identifier) VALUES(?1, ?2, ?3, ?4)");
        _deleteSubscription = database.Prepare("DELETE FROM subscription WHERE session = ?1 AND filter = ?2");
        _addReceived = database.Prepare("INSERT OR REPLACE INTO received(session, packet_id) VALUES(?1, ?2)");
        _removeReceived = database.Prepare("DELETE FROM received WHERE session = ?1 AND packet_id = ?2");
        _delete =
        [
            database.Prepare("DELETE FROM session WHERE id = ?1"),
            database.Prepare("DELETE FROM progress WHERE session = ?1"),
            database.Prepare("DELETE FROM subscription WHERE session = ?1"),
            database.Prepare("DELETE FROM received WHERE session = ?1"),
        ];
    }

    /// <summary>Writes them.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public void Write(JournalBatch batch)
    {
        // The elder first: two may have the same client id, and the one that ends makes way.
        foreach (SqliteSession session in batch.Sessions.OrderBy(one => one.Id))
        {
            if (session.IsStateDirty) WriteState(session);
            if (session.Owned is { } owned) WriteEpoch(session.Id, owned.Epoch);
            if (session.IsProgressDirty) WriteProgress(session);
        }

        foreach ((SqliteSession session, byte[] filter, Subscription? subscription) in batch.Subscriptions) WriteSubscription(session.Id, filter, subscription);
        foreach ((SqliteSession session, ushort packetId, bool isThere) in batch.ReceivedIds)
        {
            SqliteStatement statement = isThere ? _addReceived : _removeReceived;
            statement.Bind(1, session.Id);
            statement.Bind(2, packetId);
            statement.Run();
        }

        foreach (SqliteSession session in batch.Deleted)
        {
            foreach (SqliteStatement statement in _delete)
            {
                statement.Bind(1, session.Id);
                statement.Run();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SqliteStatement[] all =
        [
            _endOthers, _end, _save, _saveEpoch, _saveProgress, _saveSubscription, _deleteSubscription, _addReceived, _removeReceived, .. _delete,
        ];
        foreach (SqliteStatement statement in all) statement.Dispose();
    }

    private void WriteState(SqliteSession session)
    {
        // A restored one that ends has said nothing before.
        if (session.State is { } state) WriteState(session, state);
        if (!session.IsEnded) return;
        _end.Bind(1, session.Id);
        _end.Run();
    }

    private void WriteState(SqliteSession session, SessionSaved state)
    {
        // A session that ends may hold its client id a moment longer than the one that takes its place waits.
        _endOthers.BindText(1, session.ClientId);
        _endOthers.Bind(2, session.Id);
        _endOthers.Run();
        _save.Bind(1, session.Id);
        _save.BindText(2, session.ClientId);
        _save.Bind(3, state.ExpirySeconds);
        _save.Bind(4, state.IsConnected ? StoreTables.ConnectedSession : StoreTables.DisconnectedSession);
        _save.Bind(5, _age.ToAge(state.EndsAtMs));
        if (state.WillAtMs == SessionSaved.Never) _save.BindNull(6);
        else _save.Bind(6, _age.ToAge(state.WillAtMs));
        _save.Bind(7, state.SentPosition);
        if (state.Will is null) _save.BindNull(8);
        else _save.Bind(8, WillBlob.Of(state.Will));
        if (state.UserName is null) _save.BindNull(9);
        else _save.BindText(9, state.UserName);
        if (state.QueuePolicy is null) _save.BindNull(10);
        else _save.Bind(10, QueuePolicyBlob.Of(state.QueuePolicy));
        // Of a user the owner says it.
        if (state.UserName is not null || state.Holder is not { } holder) _save.BindNull(11);
        else _save.BindText(11, holder.Text);
        _save.Run();
    }

    private void WriteEpoch(long session, Epoch epoch)
    {
        _saveEpoch.Bind(1, session);
        _saveEpoch.Bind(2, epoch.Grant);
        _saveEpoch.Bind(3, epoch.Stamp.Value);
        _saveEpoch.Run();
    }

    private void WriteProgress(SqliteSession session)
    {
        _saveProgress.Bind(1, session.Id);
        _saveProgress.Bind(2, session.Done.Low);
        _saveProgress.Bind(3, session.Done.ToBlob());
        _saveProgress.Bind(4, ReleasedBlob.Of(session.Released));
        _saveProgress.Run();
    }

    private void WriteSubscription(long session, byte[] filter, Subscription? subscription)
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
}
