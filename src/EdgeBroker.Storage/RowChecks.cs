using System.Collections.Frozen;
using System.Text.Unicode;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage;

/// <summary>What rows must satisfy to be rescued, and to be found sound, beyond what the schema says.</summary>
public sealed class RowChecks
{
    private readonly FrozenDictionary<string, RowCheck> _checks;

    /// <param name="checks">By the name of the table; those of <see cref="StoreTables"/> that are left out are checked by type only.</param>
    public RowChecks(IEnumerable<KeyValuePair<string, RowCheck>> checks) => _checks = checks.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>No more than this project knows by itself.</summary>
    public static RowChecks None { get; } = new([]);

    /// <summary>Whether the row at which <paramref name="row"/> stands belongs into the table.</summary>
    public bool Accept(StoreTable table, SqliteStatement row)
    {
        for (int i = 0; i < table.Columns.Count; i++)
        {
            StoreColumn column = table.Columns[i];
            SqliteColumnType type = row.ColumnType(i);
            if (type != column.Type && !(type == SqliteColumnType.Null && column.IsNullable)) return false;
        }

        bool sound = table.Name switch
        {
            StoreTables.Session => row.Int64(3) == StoreTables.EndedSession
                ? row.IsNull(1)
                : row.Int64(3) is StoreTables.DisconnectedSession or StoreTables.ConnectedSession && IsName(row.Blob(1)),
            StoreTables.SessionTombstone => IsName(row.Blob(1)) && row.Int64(2) > 0,
            StoreTables.Identity => row.Blob(1).Length == StoreIdentity.Bytes && row.Int64(2) is 0 or 1,
            StoreTables.Peer => row.Int64(1) is >= 0 and <= byte.MaxValue && row.Blob(2).Length == StoreIdentity.Bytes && row.Int64(3) > 0,
            StoreTables.Received => row.Int64(1) is > 0 and <= ushort.MaxValue,
            _ => true,
        };
        return sound && (!_checks.TryGetValue(table.Name, out RowCheck? check) || check(row));
    }

    private static bool IsName(ReadOnlySpan<byte> clientId) => !clientId.IsEmpty && Utf8.IsValid(clientId);
}

/// <summary>Whether a row is what was once written: its checksum, its blobs' inner form. The row is untrusted; types of columns are already checked.</summary>
/// <param name="row">A statement at the row, with all the table's columns in their order. It must not be stepped or reset.</param>
public delegate bool RowCheck(SqliteStatement row);
