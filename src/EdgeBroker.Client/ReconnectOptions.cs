namespace EdgeBroker.Client;

/// <summary>How to connect again by itself after a connection was lost: the wait doubles from first to longest, give or take a fifth.</summary>
public sealed record ReconnectOptions
{
    /// <summary>The wait before the first attempt.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The wait that doubling stops at.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMinutes(2);
}
