namespace EdgeBroker.Configuration;

/// <summary>The <c>[node]</c> table.</summary>
internal sealed record NodeOptions
{
    /// <summary>What this broker calls itself.</summary>
    public required string Name { get; init; }

    /// <summary>Where everything that must survive a restart is kept; a full path.</summary>
    public required string DataDirectory { get; init; }
}
