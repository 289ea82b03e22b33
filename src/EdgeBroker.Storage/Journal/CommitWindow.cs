namespace EdgeBroker.Storage.Journal;

/// <summary>When facts are committed.</summary>
/// <param name="Longest">No fact waits longer before its transaction begins.</param>
/// <param name="MostFacts">Nor do more facts than this wait.</param>
/// <param name="HoldsAcknowledgements">Whether acknowledgements wait for the commit.</param>
internal sealed record CommitWindow(TimeSpan Longest, int MostFacts, bool HoldsAcknowledgements)
{
    /// <summary>The window of a durability.</summary>
    public static CommitWindow Of(StoreDurability durability) => durability switch
    {
        StoreDurability.Strict => new(TimeSpan.FromMilliseconds(5), 256, true),
        StoreDurability.FlashSaver => new(TimeSpan.FromSeconds(2), 8192, false),
        _ => new(TimeSpan.FromMilliseconds(50), 512, true),
    };
}
