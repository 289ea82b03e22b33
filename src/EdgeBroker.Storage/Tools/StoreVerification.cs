namespace EdgeBroker.Storage.Tools;

/// <summary>What a check of a store found.</summary>
/// <param name="Problems">Each in a sentence; empty for a sound store.</param>
/// <param name="Rows">How many rows were looked at.</param>
public sealed record StoreVerification(IReadOnlyList<string> Problems, long Rows)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool IsSound => Problems.Count == 0;
}
