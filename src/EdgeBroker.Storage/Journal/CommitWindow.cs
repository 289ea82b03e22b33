namespace EdgeBroker.Storage.Journal;

/// <summary>When facts are committed. Acknowledgements wait for that in every profile.</summary>
/// <param name="Longest">No fact waits longer before its transaction begins.</param>
/// <param name="MostFacts">Nor do more facts than this wait.</param>
internal sealed record CommitWindow(TimeSpan Longest, int MostFacts)
{
    /// <summary>The window of a durability.</summary>
    public static CommitWindow Of(StoreDurability durability) => durability switch
    {
        StoreDurability.Strict => new(TimeSpan.FromMilliseconds(5), 256),
        StoreDurability.FlashSaver => new(TimeSpan.FromSeconds(2), 8192),
        _ => new(TimeSpan.FromMilliseconds(50), 512),
    };
}
