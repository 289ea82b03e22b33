using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Schema;

/// <summary>The tables of this version.</summary>
public static class StoreTables
{
    /// <summary>
    /// The broker's own clock: how long it has run in all its lives, the wall clock when that was noted, and the highest stamp it may give out. One row.
    /// </summary>
    public const string Clock = "clock";

    /// <summary>One row for each session that outlives its connection.</summary>
    public const string Session = "session";

    /// <summary>The sessions' subscriptions.</summary>
    public const string Subscription = "subscription";

    /// <summary>How far each session has got through what was sent to it.</summary>
    public const string Progress = "progress";

    /// <summary>Packet identifiers of QoS 2 messages received and not yet released [MQTT-4.3.3-10].</summary>
    public const string Received = "received";

    /// <summary>Messages that wait for someone: one copy, however many receivers.</summary>
    public const string Message = "message";

    /// <summary>Who receives them.</summary>
    public const string Delivery = "delivery";

    /// <summary>Retained messages; without a payload, the topic has none any more, and with a stamp then a tombstone is left of it.</summary>
    public const string Retained = "retained";

    /// <summary>Which store it is: random, and whether it is a copy that has not been used yet. One row.</summary>
    public const string Identity = "identity";

    /// <summary>How far what other nodes handed on has been taken.</summary>
    public const string Peer = "peer";

    /// <summary>Clients whose older sessions are no more, wherever a node still has one.</summary>
    public const string SessionTombstone = "session_tombstone";

    /// <summary>The state of a session without a connection.</summary>
    public const int DisconnectedSession = 0;

    /// <summary>The state of a session that has a connection, or had one when the process ended.</summary>
    public const int ConnectedSession = 1;

    /// <summary>
    /// The state of a session that is over and kept for what it leaves to other members of its shared groups. It has no client id any more.
    /// </summary>
    public const int EndedSession = 2;

    private const SqliteColumnType Integer = SqliteColumnType.Integer;
    private const SqliteColumnType Blob = SqliteColumnType.Blob;

    /// <summary>All of them, in the order in which they are made and rescued.</summary>
    public static IReadOnlyList<StoreTable> All { get; } =
    [
        new(Clock, "CREATE TABLE clock(id INTEGER PRIMARY KEY CHECK(id=1), age_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL, "
            + "stamp_bound INTEGER NOT NULL)", [new("id", Integer), new("age_ms", Integer), new("wall_ms", Integer), new("stamp_bound", Integer)]),
        new(Identity, "CREATE TABLE identity(id INTEGER PRIMARY KEY CHECK(id=1), store_id BLOB NOT NULL, is_copy INTEGER NOT NULL)",
            [new("id", Integer), new("store_id", Blob), new("is_copy", Integer)]),
        new(Session, "CREATE TABLE session(id INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT UNIQUE, expiry_seconds INTEGER NOT NULL, "
            + "state INTEGER NOT NULL, ends_at_ms INTEGER NOT NULL, will_at_ms INTEGER, sent_position INTEGER NOT NULL, will BLOB, owner TEXT, "
            + "queue_policy BLOB, grant_number INTEGER, epoch_stamp INTEGER, holder TEXT)",
            [
                new("id", Integer), new("client_id", SqliteColumnType.Text, IsNullable: true), new("expiry_seconds", Integer), new("state", Integer),
                new("ends_at_ms", Integer), new("will_at_ms", Integer, IsNullable: true), new("sent_position", Integer), new("will", Blob, IsNullable: true),
                new("owner", SqliteColumnType.Text, IsNullable: true), new("queue_policy", Blob, IsNullable: true),
                new("grant_number", Integer, IsNullable: true), new("epoch_stamp", Integer, IsNullable: true),
                new("holder", SqliteColumnType.Text, IsNullable: true),
            ]),
        new(Subscription, "CREATE TABLE subscription(session INTEGER NOT NULL, filter BLOB NOT NULL, options INTEGER NOT NULL, identifier INTEGER NOT NULL, "
            + "PRIMARY KEY(session, filter)) WITHOUT ROWID",
            [new("session", Integer), new("filter", Blob), new("options", Integer), new("identifier", Integer)], KeyLength: 2),
        new(Progress, "CREATE TABLE progress(session INTEGER PRIMARY KEY, low INTEGER NOT NULL, done BLOB NOT NULL, released BLOB NOT NULL)",
            [new("session", Integer), new("low", Integer), new("done", Blob), new("released", Blob)]),
        new(Received, "CREATE TABLE received(session INTEGER NOT NULL, packet_id INTEGER NOT NULL, PRIMARY KEY(session, packet_id)) WITHOUT ROWID",
            [new("session", Integer), new("packet_id", Integer)], KeyLength: 2),
        new(Message, "CREATE TABLE message(id INTEGER PRIMARY KEY, flags INTEGER NOT NULL, expires_at_ms INTEGER, topic BLOB NOT NULL, "
            + "properties BLOB NOT NULL, payload BLOB NOT NULL, stamp INTEGER, checksum INTEGER NOT NULL)", MessageColumns(payloadIsNullable: false)),
        new(Delivery, "CREATE TABLE delivery(first_message INTEGER PRIMARY KEY, receivers BLOB NOT NULL)",
            [new("first_message", Integer), new("receivers", Blob)]),
        new(Retained, "CREATE TABLE retained(id INTEGER PRIMARY KEY, flags INTEGER NOT NULL, expires_at_ms INTEGER, topic BLOB NOT NULL, "
            + "properties BLOB NOT NULL, payload BLOB, stamp INTEGER, checksum INTEGER NOT NULL, holder TEXT)",
            [.. MessageColumns(payloadIsNullable: true), new("holder", SqliteColumnType.Text, IsNullable: true)]),
        new(Peer, "CREATE TABLE peer(life INTEGER NOT NULL, lane INTEGER NOT NULL, store_id BLOB NOT NULL, taken INTEGER NOT NULL, "
            + "PRIMARY KEY(life, lane)) WITHOUT ROWID",
            [new("life", Integer), new("lane", Integer), new("store_id", Blob), new("taken", Integer)], KeyLength: 2),
        new(SessionTombstone, "CREATE TABLE session_tombstone(id INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, below INTEGER NOT NULL)",
            [new("id", Integer), new("client_id", SqliteColumnType.Text), new("below", Integer)]),
    ];

    /// <summary>The tables whose first column is a session's id.</summary>
    public static IReadOnlyList<string> OfSessions { get; } = [Subscription, Progress, Received];

    private static StoreColumn[] MessageColumns(bool payloadIsNullable) =>
    [
        new("id", Integer), new("flags", Integer), new("expires_at_ms", Integer, IsNullable: true), new("topic", Blob),
        new("properties", Blob), new("payload", Blob, payloadIsNullable), new("stamp", Integer, IsNullable: true), new("checksum", Integer),
    ];
}
