namespace EdgeBroker.Core.Limits;

/// <summary>How much memory the process may have (<c>limits.max_memory</c>).</summary>
/// <param name="Bytes">So much; 0 with <see cref="Automatic"/> and <see cref="None"/>.</param>
/// <param name="IsAutomatic">Whether it is what the system leaves it: the control group's limit, or what is available.</param>
public readonly record struct MemoryLimit(long Bytes, bool IsAutomatic)
{
    /// <summary>What the system leaves it.</summary>
    public static readonly MemoryLimit Automatic = new(0, true);

    /// <summary>No limit.</summary>
    public static readonly MemoryLimit None = new(0, false);
}
