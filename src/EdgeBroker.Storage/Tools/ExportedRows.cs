using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>Writes the rows of a store as lines. A row that is damaged ends it: an export that leaves something out would be taken for all there is.</summary>
/// <param name="database">The store, in a transaction that reads.</param>
/// <param name="lines">Where to.</param>
/// <param name="cancel">Ends it.</param>
internal sealed class ExportedRows(SqliteDatabase database, ExportedLines lines, CancellationToken cancel)
{
    // A session that was to end with its connection has ended for whoever reads the store.
    private static readonly string KeptSessions = $"SELECT id FROM session WHERE expiry_seconds > 0 AND state <> {StoreTables.EndedSession}";

    private readonly Dictionary<long, SqliteSession> _sessions = [];
    private int _subscriptions;
    private long _messages;
    private int _retained;

    /// <summary>Writes them all.</summary>
    /// <exception cref="StoreException">A row is damaged.</exception>
    /// <exception cref="SqliteException">Reading failed.</exception>
    public StoreTransfer Write()
    {
        WriteClock();
        WriteSessions();
        WriteSubscriptions();
        WriteReceivedIds();
        WriteMessages();
        WriteRetained();
        lines.Begin("end"u8);
        lines.End();
        lines.Drain();
        return new StoreTransfer(_sessions.Count, _subscriptions, _messages, _retained);
    }

    private void WriteClock()
    {
        using SqliteStatement row = database.Prepare("SELECT age_ms, wall_ms FROM clock WHERE id = 1");
        bool isNoted = row.Step();
        lines.Begin("store"u8);
        lines.Json.WriteNumber("version"u8, ImportedRows.Version);
        lines.Age("age_ms"u8, isNoted ? row.Int64(0) : 0);
        lines.Age("wall_ms"u8, isNoted ? row.Int64(1) : 0);
        lines.End();
    }

    private void WriteSessions()
    {
        using SqliteStatement rows = database.Prepare(
            "SELECT id, client_id, expiry_seconds, state, ends_at_ms, will_at_ms, sent_position, will, owner, queue_policy, low, done, released "
            + $"FROM session LEFT JOIN progress ON progress.session = session.id WHERE id IN ({KeptSessions}) ORDER BY id");
        while (rows.Step())
        {
            cancel.ThrowIfCancellationRequested();
            long id = rows.Int64(0);
            Will? will = rows.IsNull(7) ? null : WillBlob.Read(rows.Blob(7));
            QueuePolicy? policy = rows.IsNull(9) ? null : QueuePolicyBlob.Read(rows.Blob(9));
            bool isSound = IsText(rows.Blob(1)) && !rows.Blob(1).IsEmpty && (rows.IsNull(8) || IsText(rows.Blob(8)))
                && will is null == rows.IsNull(7) && policy is null == rows.IsNull(9);
            Ensure(isSound, "session", id);
            var session = new SqliteSession(rows.Text(1)) { Id = id };
            if (!rows.IsNull(10)) ReadProgress(rows, session);
            _sessions.Add(id, session);
            WriteSession(rows, session, will, policy);
        }
    }

    private static void ReadProgress(SqliteStatement rows, SqliteSession session)
    {
        DoneSet? done = DoneSet.Read(rows.Int64(10), rows.Blob(11));
        Ensure(done is not null && ReleasedBlob.Read(rows.Blob(12), session.Released), "progress", session.Id);
        session.Done = done!;
    }

    private void WriteSession(SqliteStatement row, SqliteSession session, Will? will, QueuePolicy? policy)
    {
        long sent = row.Int64(6);
        lines.Begin("session"u8);
        lines.Json.WriteString("client_id"u8, row.Blob(1));
        if (row.IsNull(8)) lines.Json.WriteNull("owner"u8);
        else lines.Json.WriteString("owner"u8, row.Blob(8));
        lines.Json.WriteNumber("expiry_seconds"u8, Math.Clamp(row.Int64(2), 1, uint.MaxValue));
        lines.Json.WriteBoolean("connected"u8, row.Int64(3) == StoreTables.ConnectedSession);
        lines.Age("ends_at_ms"u8, row.Int64(4));
        lines.Age("will_at_ms"u8, row.IsNull(5) ? SessionSaved.Never : row.Int64(5));
        lines.Age("sent_position"u8, sent);
        lines.Json.WriteNumber("last_position"u8, Math.Max(session.Done.Highest, sent == SessionSaved.Never ? 0 : sent));
        if (will is null) lines.Json.WriteNull("will"u8);
        else WriteWill(will, session.Id);
        if (policy is null) lines.Json.WriteNull("queue_policy"u8);
        else WriteQueuePolicy(policy);
        lines.End();
    }

    private void WriteQueuePolicy(QueuePolicy policy)
    {
        lines.Json.WriteStartObject("queue_policy"u8);
        lines.Json.WriteNumber("max_messages"u8, policy.MaxMessages);
        lines.Json.WriteNumber("max_bytes"u8, Math.Min(policy.MaxBytes, JsonFields.LargestNumber));
        lines.Age("max_age_ms"u8, policy.MaxAge is { } age ? (long)age.TotalMilliseconds : Message.Never);
        if (policy.MaxStoreBytes is { } bytes) lines.Json.WriteNumber("max_store_bytes"u8, Math.Min(bytes, JsonFields.LargestNumber));
        else lines.Json.WriteNull("max_store_bytes"u8);
        lines.Json.WriteString("overflow"u8, policy.Overflow.ToWord());
        lines.Json.WriteBoolean("keeps_qos0"u8, policy.KeepsQoS0);
        lines.Json.WriteEndObject();
    }

    private void WriteWill(Will will, long session)
    {
        Ensure(IsText(will.Message.Topic), "session", session);
        lines.Json.WriteStartObject("will"u8);
        WriteContent(will.Message.Topic, will.Message.Payload, will.Message.Properties, (long)will.Message.QoS | (will.Message.Retain ? 4L : 0));
        lines.Json.WriteNumber("delay_seconds"u8, will.DelaySeconds);
        if (will.ExpirySeconds is { } expiry) lines.Json.WriteNumber("expiry_seconds"u8, expiry);
        else lines.Json.WriteNull("expiry_seconds"u8);
        lines.Json.WriteEndObject();
    }

    private void WriteSubscriptions()
    {
        using SqliteStatement rows = database.Prepare(
            $"SELECT session, filter, options, identifier FROM subscription WHERE session IN ({KeptSessions}) ORDER BY session, filter");
        while (rows.Step())
        {
            cancel.ThrowIfCancellationRequested();
            Ensure(IsText(rows.Blob(1)) && TopicFilter.IsValid(rows.Blob(1)), "subscription", rows.Int64(0));
            lines.Begin("subscription"u8);
            lines.Json.WriteString("client_id"u8, _sessions[rows.Int64(0)].ClientId);
            lines.Json.WriteString("filter"u8, rows.Blob(1));
            lines.Json.WriteNumber("options"u8, rows.Int64(2));
            lines.Json.WriteNumber("identifier"u8, rows.Int64(3));
            lines.End();
            _subscriptions++;
        }
    }

    private void WriteReceivedIds()
    {
        using SqliteStatement rows = database.Prepare($"SELECT session, packet_id FROM received WHERE session IN ({KeptSessions}) ORDER BY session, packet_id");
        while (rows.Step())
        {
            lines.Begin("received"u8);
            lines.Json.WriteString("client_id"u8, _sessions[rows.Int64(0)].ClientId);
            lines.Json.WriteNumber("packet_id"u8, rows.Int64(1));
            lines.End();
        }
    }

    private void WriteMessages()
    {
        using SqliteStatement message = database.Prepare($"SELECT {StoredMessage.Columns} FROM message WHERE id = ?1");
        using SqliteStatement rows = database.Prepare("SELECT first_message, receivers FROM delivery ORDER BY first_message");
        var open = new List<(SqliteSession Session, Receiver Receiver)>();
        while (rows.Step())
        {
            long id = rows.Int64(0);
            var blob = new BlobReader(rows.Blob(1));
            for (; Receivers.TryReadMessage(ref blob, out WaitingMessage waiting); id++)
            {
                cancel.ThrowIfCancellationRequested();
                open.Clear();
                for (int i = 0; i < waiting.Receivers && Receivers.TryRead(ref blob, out Receiver receiver); i++)
                {
                    if (_sessions.TryGetValue(receiver.Session, out SqliteSession? session) && !session.Done.Contains(receiver.Position))
                    {
                        open.Add((session, receiver));
                    }
                }

                if (open.Count > 0 && !blob.IsDamaged) WriteMessage(message, id, waiting.QueuedAtAgeMs, open);
            }

            Ensure(!blob.IsDamaged, "delivery", rows.Int64(0));
        }
    }

    private void WriteMessage(SqliteStatement message, long id, long queuedAtMs, List<(SqliteSession Session, Receiver Receiver)> receivers)
    {
        message.Bind(1, id);
        Ensure(message.Step() && StoredMessage.IsSound(message, 0) && IsText(message.Blob(2)), "message", id);
        lines.Begin("message"u8);
        lines.Json.WriteNumber("id"u8, id);
        WriteContent(message.Blob(2), message.Blob(4), message.Blob(3), message.Int64(0));
        lines.Age("expires_at_ms"u8, message.IsNull(1) ? Message.Never : message.Int64(1));
        message.Reset();
        lines.Age("queued_at_ms"u8, queuedAtMs);
        lines.Json.WriteStartArray("receivers"u8);
        foreach ((SqliteSession session, Receiver receiver) in receivers) WriteReceiver(session, receiver);
        lines.Json.WriteEndArray();
        lines.End();
        _messages++;
    }

    private void WriteReceiver(SqliteSession session, in Receiver receiver)
    {
        lines.Json.WriteStartObject();
        lines.Json.WriteString("client_id"u8, session.ClientId);
        lines.Json.WriteNumber("position"u8, receiver.Position);
        lines.Json.WriteNumber("qos"u8, (int)receiver.Options.ToQoS());
        lines.Json.WriteBoolean("retain"u8, (receiver.Options & DeliveryOptions.Retain) != 0);
        lines.Json.WriteStartArray("identifiers"u8);
        foreach (uint identifier in receiver.SubscriptionIdentifiers ?? []) lines.Json.WriteNumberValue(identifier);
        lines.Json.WriteEndArray();
        if (receiver.SharedFilter is { } filter) lines.Json.WriteString("shared_filter"u8, filter);
        else lines.Json.WriteNull("shared_filter"u8);
        lines.Json.WriteBoolean("released"u8, session.Released.Contains(receiver.Position));
        lines.Json.WriteEndObject();
    }

    private void WriteRetained()
    {
        // A log: the last row of a topic counts, and one without a payload says that there is none any more.
        using SqliteStatement rows = database.Prepare(
            $"SELECT id, {StoredMessage.Columns} FROM retained "
            + "WHERE payload IS NOT NULL AND id IN (SELECT max(id) FROM retained GROUP BY topic) ORDER BY id");
        while (rows.Step())
        {
            cancel.ThrowIfCancellationRequested();
            Ensure(StoredMessage.IsSound(rows, 1) && IsText(rows.Blob(3)), "retained", rows.Int64(0));
            lines.Begin("retained"u8);
            WriteContent(rows.Blob(3), rows.Blob(5), rows.Blob(4), rows.Int64(1));
            lines.Age("expires_at_ms"u8, rows.IsNull(2) ? Message.Never : rows.Int64(2));
            lines.End();
            _retained++;
        }
    }

    private void WriteContent(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> properties, long flags)
    {
        lines.Json.WriteString("topic"u8, topic);
        lines.Bytes("payload"u8, payload);
        lines.Bytes("properties"u8, properties);
        lines.Json.WriteNumber("qos"u8, flags & 3);
        lines.Json.WriteBoolean("retain"u8, (flags & 4) != 0);
    }

    private static bool IsText(ReadOnlySpan<byte> bytes) => Utf8Text.IsValid(bytes);

    private static void Ensure(bool isSound, string table, long key)
    {
        if (isSound) return;
        throw new StoreException(
            StoreProblem.Damaged,
            $"row {key} of table {table} is damaged, so nothing was exported; \"edgebroker store verify\" says more, "
            + "and restarting the broker rescues what is readable");
    }
}
