namespace EdgeBroker.Storage;

/// <summary>What an acknowledged message survives, and what that costs in flash writes.</summary>
public enum StoreDurability
{
    /// <summary>Power cut; commits are flushed and few milliseconds apart.</summary>
    Strict,

    /// <summary>Power cut; commits are flushed, and some tens of milliseconds apart.</summary>
    Balanced,

    /// <summary>An orderly end. A power cut or a kill loses the last two seconds, acknowledged messages among them, but leaves a sound database.</summary>
    FlashSaver,

    /// <summary>Nothing; there is no database.</summary>
    Memory,
}
