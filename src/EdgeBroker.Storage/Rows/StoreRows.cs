using EdgeBroker.Protocol;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Rows;

/// <summary>What the journal's rows must satisfy to be believed.</summary>
public static class StoreRows
{
    /// <summary>The checks of tables whose rows carry a checksum.</summary>
    public static RowChecks Checks { get; } = new(
    [
        new(
            StoreTables.Session,
            row =>
                (row.IsNull(7) || WillBlob.Read(row.Blob(7)) is not null) && (row.IsNull(9) || QueuePolicyBlob.Read(row.Blob(9)) is not null)),
        new(StoreTables.Progress, row => DoneSet.Read(row.Int64(1), row.Blob(2)) is not null && !new BlobReader(row.Blob(3)).IsDamaged),
        new(
            StoreTables.Subscription,
            row =>
                TopicFilter.IsValid(row.Blob(1)) && row.Int64(2) is >= 0 and <= byte.MaxValue
                    && new SubscriptionOptions((byte)row.Int64(2)).IsValid(ProtocolVersion.V5)),
        new(StoreTables.Message, row => StoredMessage.IsSound(row, 1)),
        new(StoreTables.Retained, row => StoredMessage.IsSound(row, 1) && TopicName.IsValid(row.Blob(3))),
        new(StoreTables.Delivery, IsDeliverySound),
    ]);

    private static bool IsDeliverySound(SqliteStatement row)
    {
        var blob = new BlobReader(row.Blob(1));
        while (Receivers.TryReadMessage(ref blob, out WaitingMessage message))
        {
            for (int i = 0; i < message.Receivers; i++)
            {
                if (!Receivers.TryRead(ref blob, out _)) return false;
            }
        }

        return !blob.IsDamaged;
    }
}
