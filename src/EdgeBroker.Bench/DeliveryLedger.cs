namespace EdgeBroker.Bench;

/// <summary>Judges each delivery by what its receiver has had already.</summary>
internal abstract class DeliveryLedger
{
    /// <summary>The counts.</summary>
    public DeliveryTally Tally { get; } = new();

    /// <summary>Counts the delivery of a publisher's message to a subscriber; both numbers exist.</summary>
    public abstract void Add(int subscriber, int publisher, ulong sequence);
}
