namespace EdgeBroker.Cli.Control;

/// <summary>How each bridge is.</summary>
public sealed record BridgesAnswer(IReadOnlyList<BridgeAnswer> Bridges);

/// <summary>How a bridge is.</summary>
public sealed record BridgeAnswer
{
    public required string Name { get; init; }

    /// <summary>stopped, idle, connecting, connected or waiting.</summary>
    public required string State { get; init; }

    public required string Server { get; init; }

    /// <summary>Messages that wait to go out, in flight included.</summary>
    public required int BacklogMessages { get; init; }

    public required long BacklogBytes { get; init; }

    /// <summary>How long the oldest has waited.</summary>
    public required long OldestSeconds { get; init; }

    /// <summary>What of that waits in each lane, in the order in which they go; empty: there is one queue only.</summary>
    public IReadOnlyList<LaneAnswer> Lanes { get; init; } = [];

    public required long Sent { get; init; }

    public required long Acknowledged { get; init; }

    public required long Received { get; init; }

    public required long Dropped { get; init; }

    public required long Refused { get; init; }

    /// <summary>Filters that the other side does not let the bridge subscribe to.</summary>
    public IReadOnlyList<string> RefusedSubscriptions { get; init; } = [];

    public required long Loops { get; init; }

    public required long Connections { get; init; }

    /// <summary>How long ago the other side acknowledged something; null: never since the start.</summary>
    public double? LastAcknowledgedSeconds { get; init; }

    /// <summary>What went wrong last; null: nothing.</summary>
    public string? LastError { get; init; }

    /// <summary>Where to look for the cause.</summary>
    public string? LastErrorLayer { get; init; }

    public DateTimeOffset? LastErrorAt { get; init; }
}

/// <summary>What waits in a lane of a bridge.</summary>
/// <param name="Name">Its name; empty: that of the routes that name none.</param>
/// <param name="BacklogMessages">Messages that wait to go out, in flight included.</param>
/// <param name="BacklogBytes">Their bytes.</param>
/// <param name="OldestSeconds">How long the oldest has waited.</param>
public sealed record LaneAnswer(string Name, int BacklogMessages, long BacklogBytes, long OldestSeconds);
