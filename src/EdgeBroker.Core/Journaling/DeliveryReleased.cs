namespace EdgeBroker.Core.Journaling;

/// <summary>PUBREC came for a delivery: only PUBREL is owed now, and it is sent when this is on disk.</summary>
/// <param name="delivery">The delivery.</param>
public sealed class DeliveryReleased(StoredDelivery delivery) : JournalFact
{
    /// <summary>The delivery.</summary>
    public StoredDelivery Delivery { get; } = delivery;
}
