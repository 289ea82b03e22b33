using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Restoring;

/// <summary>
/// Reads the store when the broker starts: sessions with what they subscribed and what waits for them, retained messages. Messages of queues stay where they
/// are; only who waits for them is
/// read. What is damaged is left out and counted.
/// </summary>
internal sealed class StoreLoader
{
    private const int RowsPerReport = 4096;

    private readonly SqliteDatabase _database;
    private readonly JournalState _state;
    private readonly AgeClock _age;
    private readonly Action<RestoreProgress> _report;
    private readonly Dictionary<long, (SqliteSession Session, RestoredSession Restored, long SentPosition)> _sessions = [];
    private readonly Dictionary<long, Dictionary<long, StoredDelivery?>> _released = [];
    private readonly List<OwnedSession> _owned = [];
    private readonly List<MessageOrigin> _taken = [];
    private readonly List<SessionTombstone> _tombstones = [];
    private byte[] _holderText = [];
    private HolderKey _holder;
    private int _ended;
    private int _subscriptions;
    private long _deliveries;
    private int _retained;
    private int _damaged;
    private int _rows;

    /// <param name="database">A connection that may write.</param>
    /// <param name="state">Gets the last numbers and what is open.</param>
    /// <param name="age">The store's age.</param>
    /// <param name="report">Told from time to time how far it is.</param>
    public StoreLoader(SqliteDatabase database, JournalState state, AgeClock age, Action<RestoreProgress> report)
    {
        _database = database;
        _state = state;
        _age = age;
        _report = report;
    }

    /// <summary>What the store holds of other nodes; once it has been loaded.</summary>
    public RestoredCluster Cluster => new(_state.StampBound, _owned, _taken, _tombstones);

    private RestoreProgress Progress => new(_sessions.Count - _ended, _subscriptions, _deliveries, _retained, _damaged);

    /// <summary>Puts into the broker what the store holds.</summary>
    /// <exception cref="SqliteException">Reading failed.</exception>
    public RestoreProgress Load(Broker broker)
    {
        LoadSessions();
        LoadProgress();
        LoadSubscriptions();
        LoadReceivedIds();
        LoadDeliveries();
        LoadRetained(broker);
        LoadCluster();
        foreach ((SqliteSession session, RestoredSession restored, _) in _sessions.Values)
        {
            restored.LastPosition = Math.Max(restored.LastPosition, session.Done.Highest);
            if (restored.SentPosition != Core.Journaling.SessionSaved.Never) restored.LastPosition = Math.Max(restored.LastPosition, restored.SentPosition);
            broker.Restore(restored);
        }

        return Progress;
    }

    private void LoadSessions()
    {
        // One that was to end with its connection has ended with the process; it stays for its will.
        string kept = $"(SELECT id FROM session WHERE state <> {StoreTables.EndedSession} AND expiry_seconds > 0)";
        _database.Execute(
            $"UPDATE session SET client_id = NULL, state = {StoreTables.EndedSession} WHERE expiry_seconds <= 0 AND will IS NULL; "
            + $"DELETE FROM subscription WHERE session NOT IN {kept}; DELETE FROM received WHERE session NOT IN {kept}; "
            + "DELETE FROM progress WHERE session NOT IN (SELECT id FROM session)");
        _state.LastSessionId = Math.Max(
            _database.QueryInt64("SELECT seq FROM sqlite_sequence WHERE name = 'session'") ?? 0, _database.QueryInt64("SELECT max(id) FROM session") ?? 0);
        long nowMs = _age.ToBroker(_age.NowMs);
        using SqliteStatement rows = _database.Prepare(
            "SELECT id, client_id, expiry_seconds, state, ends_at_ms, will_at_ms, sent_position, will, owner, queue_policy, "
            + "grant_number, epoch_stamp, holder FROM session");
        while (rows.Step())
        {
            Count();
            // An ended one does not stand in the way of who uses its client id now.
            bool isEnded = rows.Int64(3) == StoreTables.EndedSession;
            string clientId = isEnded ? "" : rows.Text(1);
            if (clientId.Length == 0 && !isEnded)
            {
                _damaged++;
                continue;
            }

            uint expirySeconds = (uint)Math.Clamp(rows.Int64(2), isEnded ? 1 : 0, uint.MaxValue - 1);
            // Who was connected when the process ended lost the connection then: its times begin now, when that is noticed.
            bool wasConnected = rows.Int64(3) == StoreTables.ConnectedSession || (expirySeconds == 0 && !isEnded);
            Will? will = rows.IsNull(7) ? null : WillBlob.Read(rows.Blob(7));
            if (will is null && !rows.IsNull(7)) _damaged++;
            QueuePolicy? policy = rows.IsNull(9) ? null : QueuePolicyBlob.Read(rows.Blob(9));
            if (policy is null && !rows.IsNull(9)) _damaged++;
            var session = new SqliteSession(clientId) { Id = rows.Int64(0), IsEnded = isEnded };
            if (isEnded || expirySeconds == 0) _ended++;
            var restored = new RestoredSession(session)
            {
                ExpirySeconds = expirySeconds,
                EndsAtMs = isEnded ? nowMs : wasConnected ? nowMs + (expirySeconds * 1000L) : _age.ToBroker(rows.Int64(4)),
                WillAtMs = will is null ? long.MaxValue : wasConnected || rows.IsNull(5) ? nowMs + (will.DelaySeconds * 1000L) : _age.ToBroker(rows.Int64(5)),
                SentPosition = rows.Int64(6),
                Will = will,
                UserName = rows.IsNull(8) ? null : rows.Text(8),
                Holder = rows.IsNull(12) ? default : HolderKey.Parse(rows.Text(12)),
                QueuePolicy = policy,
                LostConnection = wasConnected,
                IsEnded = isEnded,
            };
            _sessions.Add(session.Id, (session, restored, restored.SentPosition));
            if (!isEnded && !rows.IsNull(10)) _owned.Add(new OwnedSession(clientId, new Epoch(rows.Int64(10), new Stamp(rows.Int64(11)))));
        }
    }

    private void LoadProgress()
    {
        using SqliteStatement rows = _database.Prepare("SELECT session, low, done, released FROM progress");
        while (rows.Step())
        {
            Count();
            if (!_sessions.TryGetValue(rows.Int64(0), out (SqliteSession Session, RestoredSession Restored, long SentPosition) found)) continue;
            DoneSet? done = DoneSet.Read(rows.Int64(1), rows.Blob(2));
            if (done is null)
            {
                // What is certain: everything below the first open one. The rest comes again.
                _damaged++;
                done = DoneSet.Read(rows.Int64(1), new BlobWriter().ToArray())!;
            }

            found.Session.Done = done;
            if (!ReleasedBlob.Read(rows.Blob(3), found.Session.Released)) _damaged++;
            if (found.Session.Released.Count > 0)
            {
                _released[found.Session.Id] = found.Session.Released.ToDictionary(position => position, _ => (StoredDelivery?)null);
            }
        }
    }

    private void LoadSubscriptions()
    {
        using SqliteStatement rows = _database.Prepare("SELECT session, filter, options, identifier FROM subscription");
        while (rows.Step())
        {
            Count();
            var options = new SubscriptionOptions((byte)rows.Int64(2));
            byte[] filter = rows.Blob(1).ToArray();
            if (!_sessions.TryGetValue(rows.Int64(0), out (SqliteSession Session, RestoredSession Restored, long SentPosition) found)
                || !options.IsValid(ProtocolVersion.V5) || !TopicFilter.IsValid(filter))
            {
                _damaged++;
                continue;
            }

            found.Restored.Subscriptions.Add(new RestoredSubscription(filter, options, (uint)rows.Int64(3)));
            _subscriptions++;
        }
    }

    private void LoadReceivedIds()
    {
        using SqliteStatement rows = _database.Prepare("SELECT session, packet_id FROM received");
        while (rows.Step())
        {
            Count();
            if (_sessions.TryGetValue(rows.Int64(0), out (SqliteSession Session, RestoredSession Restored, long SentPosition) found))
            {
                found.Restored.ReceivedIds.Add((ushort)rows.Int64(1));
            }
        }
    }

    private void LoadDeliveries()
    {
        // Beyond every number that any table still knows of, should a rescue have lost some of them.
        _state.LastMessageId = Math.Max(
            _database.QueryInt64("SELECT max(id) FROM message") ?? 0, (_database.QueryInt64("SELECT max(first_message) FROM delivery") ?? 0) + 64);
        using SqliteStatement rows = _database.Prepare("SELECT first_message, receivers FROM delivery ORDER BY first_message");
        while (rows.Step())
        {
            long id = rows.Int64(0);
            var blob = new BlobReader(rows.Blob(1));
            for (; Receivers.TryReadMessage(ref blob, out WaitingMessage message); id++)
            {
                Count();
                int open = 0;
                for (int i = 0; i < message.Receivers && Receivers.TryRead(ref blob, out Receiver receiver); i++)
                {
                    if (Add(id, message, receiver)) open++;
                }

                _state.Segments.Add(id, open);
                _state.LastMessageId = Math.Max(_state.LastMessageId, id);
            }

            if (blob.IsDamaged) _damaged++;
        }

        foreach ((long id, Dictionary<long, StoredDelivery?> released) in _released) AddReleased(id, released);
    }

    private bool Add(long messageId, in WaitingMessage message, in Receiver receiver)
    {
        if (!_sessions.TryGetValue(receiver.Session, out (SqliteSession Session, RestoredSession Restored, long SentPosition) found)) return false;
        RestoredSession restored = found.Restored;
        restored.LastPosition = Math.Max(restored.LastPosition, receiver.Position);
        if (found.Session.Done.Contains(receiver.Position)) return false;
        if (!found.Session.IsEnded) _deliveries++;
        if (_released.TryGetValue(receiver.Session, out Dictionary<long, StoredDelivery?>? released) && released.ContainsKey(receiver.Position))
        {
            released[receiver.Position] = new StoredDelivery(found.Session, receiver.Position, messageId);
            return true;
        }

        DeliveryOptions options = receiver.Options & ~DeliveryOptions.MayBeSent;
        if (receiver.Position <= found.SentPosition) options |= DeliveryOptions.MayBeSent;
        var queuedAtSeconds = (int)(_age.ToBroker(Math.Min(message.QueuedAtAgeMs, _age.NowMs)) / 1000);
        restored.Add(new SpilledDelivery(messageId, receiver.Position, message.SizeBytes, _age.ToBroker(message.ExpiresAtAgeMs), options, queuedAtSeconds));
        return true;
    }

    private void AddReleased(long session, Dictionary<long, StoredDelivery?> released)
    {
        (SqliteSession stored, RestoredSession restored, _) = _sessions[session];
        foreach ((long position, StoredDelivery? delivery) in released.OrderBy(one => one.Key))
        {
            if (delivery is null) stored.Released.Remove(position);
            else restored.Released.Add(delivery);
        }
    }

    // Many rows, of few: a name is made a string once for those that follow each other.
    private HolderKey HolderOf(SqliteStatement row)
    {
        if (row.IsNull(8)) return default;
        if (!row.Blob(8).SequenceEqual(_holderText)) (_holderText, _holder) = (row.Blob(8).ToArray(), HolderKey.Parse(row.Text(8)));
        return _holder;
    }

    private void LoadRetained(Broker broker)
    {
        using SqliteStatement rows = _database.Prepare($"SELECT id, {StoredMessage.Columns}, holder FROM retained ORDER BY id");
        while (rows.Step())
        {
            Count();
            long id = rows.Int64(0);
            if (!StoredMessage.IsSound(rows, 1) || !TopicName.IsValid(rows.Blob(3)))
            {
                _damaged++;
                continue;
            }

            // Without a payload and a stamp it says that there is no value any more; with a stamp that must be remembered.
            Message? message = rows.IsNull(5) && rows.IsNull(6) ? null : StoredMessage.Read(rows, 1, _age, id);
            long superseded = broker.Retained.Restore(rows.Blob(3), message, id, HolderOf(rows));
            _retained = broker.Retained.Count;
            if (superseded != 0) _state.RetainedGarbage.Add(superseded);
            if (message is null) _state.RetainedGarbage.Add(id);
        }
    }

    private void LoadCluster()
    {
        _state.StampBound = new Stamp(_database.QueryInt64("SELECT stamp_bound FROM clock WHERE id = 1") ?? 0);
        using SqliteStatement peers = _database.Prepare("SELECT store_id, life, lane, taken FROM peer");
        while (peers.Step())
        {
            Count();
            if (peers.Blob(0).Length != StoreIdentity.Bytes || peers.Int64(2) is < 0 or > byte.MaxValue) _damaged++;
            else _taken.Add(new MessageOrigin(new Guid(peers.Blob(0), bigEndian: true), peers.Int64(1), (byte)peers.Int64(2), peers.Int64(3)));
        }

        using SqliteStatement tombstones = _database.Prepare("SELECT client_id, below FROM session_tombstone");
        while (tombstones.Step())
        {
            Count();
            _tombstones.Add(new SessionTombstone(tombstones.Text(0), new Stamp(tombstones.Int64(1))));
        }
    }

    private void Count()
    {
        if (++_rows % RowsPerReport == 0) _report(Progress);
    }
}

/// <summary>What a store holds of other nodes; nothing in a broker that has always been alone.</summary>
/// <param name="StampBound">No stamp up to this is given out any more.</param>
/// <param name="Owned">The sessions this node owns.</param>
/// <param name="Taken">How far what they handed on has been taken, by life and lane.</param>
/// <param name="SessionTombstones">Clients whose older sessions are no more.</param>
public sealed record RestoredCluster(
    Stamp StampBound, IReadOnlyList<OwnedSession> Owned, IReadOnlyList<MessageOrigin> Taken, IReadOnlyList<SessionTombstone> SessionTombstones);

/// <summary>A session this node owns, as the store has it.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="Epoch">Under what, which is of when its last connection was accepted.</param>
public readonly record struct OwnedSession(string ClientId, Epoch Epoch);

/// <summary>How far restoring is, and at its end what was restored.</summary>
/// <param name="Sessions">Sessions read.</param>
/// <param name="Subscriptions">Subscriptions read.</param>
/// <param name="Deliveries">Deliveries that wait.</param>
/// <param name="Retained">Retained messages read.</param>
/// <param name="Damaged">Rows that were left out because they are damaged.</param>
public readonly record struct RestoreProgress(int Sessions, int Subscriptions, long Deliveries, int Retained, int Damaged);
