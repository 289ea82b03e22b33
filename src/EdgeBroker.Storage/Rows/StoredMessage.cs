using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Rows;

/// <summary>A row's columns flags, expires_at_ms, topic, properties, payload, stamp, checksum as a message.</summary>
internal static class StoredMessage
{
    /// <summary>The columns.</summary>
    public const string Columns = "flags, expires_at_ms, topic, properties, payload, stamp, checksum";

    /// <summary>The message; null when the row is damaged.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The column of its flags.</param>
    /// <param name="age">The store's age.</param>
    /// <param name="ordinal">Its position among retained messages, or 0.</param>
    public static Message? Read(SqliteStatement row, int column, AgeClock age, long ordinal = 0)
    {
        if (!IsSound(row, column)) return null;
        long flags = row.Int64(column);
        return new Message
        {
            Topic = row.Blob(column + 2).ToArray(),
            Payload = row.Blob(column + 4).ToArray(),
            Properties = row.Blob(column + 3).IsEmpty ? [] : row.Blob(column + 3).ToArray(),
            QoS = (QoS)(flags & 3),
            Retain = (flags & 4) != 0,
            ExpiresAtMs = row.IsNull(column + 1) ? Message.Never : age.ToBroker(row.Int64(column + 1)),
            Ordinal = ordinal,
            Stamp = StampOf(row, column),
        };
    }

    /// <summary>Whether the row is what was written.</summary>
    public static bool IsSound(SqliteStatement row, int column) =>
        (row.Int64(column) & 3) != 3
        && Checksum.OfMessage(row.Int64(column), row.Blob(column + 2), row.Blob(column + 3), row.Blob(column + 4), StampOf(row, column))
            == row.Int64(column + 6);

    private static Stamp StampOf(SqliteStatement row, int column) => row.IsNull(column + 5) ? Stamp.None : new Stamp(row.Int64(column + 5));
}
