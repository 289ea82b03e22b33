using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>The properties of a received packet, in their order.</summary>
public sealed class ReceivedProperties(IReadOnlyList<(PropertyId Id, object Value)> all)
{
    /// <summary>All of them; numbers are <see cref="uint"/>, user properties pairs.</summary>
    public IReadOnlyList<(PropertyId Id, object Value)> All { get; } = all;

    public int Count => All.Count;

    public bool Has(PropertyId id) => All.Any(one => one.Id == id);

    /// <summary>The number, or null when it is not there.</summary>
    public uint? Number(PropertyId id) => (uint?)Find(id);

    /// <summary>The string, or null when it is not there.</summary>
    public string? Text(PropertyId id) => (string?)Find(id);

    /// <summary>The bytes, or null when they are not there.</summary>
    public byte[]? Binary(PropertyId id) => (byte[]?)Find(id);

    /// <summary>Every subscription identifier.</summary>
    public uint[] SubscriptionIdentifiers => [.. All.Where(one => one.Id == PropertyId.SubscriptionIdentifier).Select(one => (uint)one.Value)];

    /// <summary>Every user property.</summary>
    public (string Name, string Value)[] User => [.. All.Where(one => one.Id == PropertyId.UserProperty).Select(one => ((string, string))one.Value)];

    private object? Find(PropertyId id) => All.Where(one => one.Id == id).Select(one => one.Value).FirstOrDefault();
}
