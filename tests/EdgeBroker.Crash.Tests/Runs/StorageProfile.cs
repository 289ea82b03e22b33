namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>A durability to run with, by its name in broker.toml.</summary>
/// <param name="Name">strict, balanced, flash-saver or memory; "unset": the key is left out.</param>
public sealed record StorageProfile(string Name)
{
    /// <summary>The key is left out, and the broker does what it does by default.</summary>
    public static readonly StorageProfile Unset = new("unset");

    /// <summary>Each commit reaches the disk, soon.</summary>
    public static readonly StorageProfile Strict = new("strict");

    /// <summary>Each commit reaches the disk, a little later.</summary>
    public static readonly StorageProfile Balanced = new("balanced");

    /// <summary>Each commit reaches the disk, some seconds later where the budget is spent.</summary>
    public static readonly StorageProfile FlashSaver = new("flash-saver");

    /// <summary>Nothing is kept.</summary>
    public static readonly StorageProfile Memory = new("memory");

    private static readonly StorageProfile[] All = [Unset, Strict, Balanced, FlashSaver, Memory];

    /// <summary>The table that sets it.</summary>
    public string Toml => this == Unset ? "" : $"[storage]\ndurability = \"{Name}\"\n";

    /// <summary>The profile of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static StorageProfile Parse(string name) =>
        Array.Find(All, p => p.Name == name) ?? throw new ArgumentException($"no profile \"{name}\"; there are {string.Join(", ", All.Select(p => p.Name))}");

    public override string ToString() => Name;
}
