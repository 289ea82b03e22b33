namespace EdgeBroker.Storage;

/// <summary>What an acknowledged message survives, and what that costs in flash writes.</summary>
public enum StoreDurability
{
    /// <summary>Power cut; commits are flushed and few milliseconds apart.</summary>
    Strict,

    /// <summary>Power cut; commits are flushed, and some tens of milliseconds apart.</summary>
    Balanced,

    /// <summary>
    /// Power cut, too; commits are up to two seconds apart, which writes the least, and so are the acknowledgements of what no one has taken at once.
    /// </summary>
    FlashSaver,

    /// <summary>Nothing; there is no database.</summary>
    Memory,
}
