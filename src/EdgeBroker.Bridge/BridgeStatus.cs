using EdgeBroker.Client;

namespace EdgeBroker.Bridge;

/// <summary>What a bridge is doing.</summary>
public enum BridgePhase
{
    /// <summary>Nothing: it was stopped, or waits to be started.</summary>
    Stopped,

    /// <summary>It connects when there is something to send.</summary>
    Idle,

    /// <summary>It is connecting.</summary>
    Connecting,

    /// <summary>It is connected, and messages go.</summary>
    Connected,

    /// <summary>It waits to try again.</summary>
    Waiting,
}

/// <summary>How a bridge is.</summary>
public sealed record BridgeStatus
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is doing.</summary>
    public required BridgePhase Phase { get; init; }

    /// <summary>The server it is connected to, or tries.</summary>
    public required string Server { get; init; }

    /// <summary>Messages that wait to go out, in flight included.</summary>
    public required int BacklogMessages { get; init; }

    /// <summary>Bytes that wait to go out.</summary>
    public required long BacklogBytes { get; init; }

    /// <summary>How long the oldest has waited; 0: none waits.</summary>
    public required long OldestSeconds { get; init; }

    /// <summary>What of that waits in each lane, in the order in which they go; empty: there is one queue only.</summary>
    public IReadOnlyList<LaneStatus> Lanes { get; init; } = [];

    /// <summary>Messages sent since the broker's start.</summary>
    public required long Sent { get; init; }

    /// <summary>Messages that the other side has acknowledged.</summary>
    public required long Acknowledged { get; init; }

    /// <summary>Messages received and published here.</summary>
    public required long Received { get; init; }

    /// <summary>Messages that were lost: the queue was full, they were too old or too large.</summary>
    public required long Dropped { get; init; }

    /// <summary>Messages that one of the two sides has refused for good.</summary>
    public required long Refused { get; init; }

    /// <summary>Filters that the other side does not let this one subscribe to.</summary>
    public IReadOnlyList<string> RefusedFilters { get; init; } = [];

    /// <summary>Messages that would have gone in a circle.</summary>
    public required long Loops { get; init; }

    /// <summary>Connections made.</summary>
    public required long Connections { get; init; }

    /// <summary>How long ago the other side acknowledged something; null: never since the broker's start.</summary>
    public double? LastAcknowledgedSeconds { get; init; }

    /// <summary>How long the other side took last to be done with a message, in milliseconds; null: not known since the broker's start.</summary>
    public double? RoundTripMs { get; init; }

    /// <summary>Since when it does what it does.</summary>
    public DateTimeOffset SinceAt { get; init; }

    /// <summary>When it tries again to connect; null: it does not wait for that.</summary>
    public DateTimeOffset? NextTryAt { get; init; }

    /// <summary>What went wrong last; null: nothing since the start.</summary>
    public BridgeFault? LastFault { get; init; }
}

/// <summary>What waits in a lane of a bridge.</summary>
/// <param name="Name">Its name; empty: that of the routes that name none.</param>
/// <param name="BacklogMessages">Messages that wait to go out, in flight included.</param>
/// <param name="BacklogBytes">Bytes that wait to go out.</param>
/// <param name="OldestSeconds">How long the oldest has waited; 0: none waits.</param>
public sealed record LaneStatus(string Name, int BacklogMessages, long BacklogBytes, long OldestSeconds);

/// <summary>What went wrong with a bridge.</summary>
/// <param name="At">When.</param>
/// <param name="Layer">Where to look for the cause.</param>
/// <param name="Text">What, in a sentence.</param>
public sealed record BridgeFault(DateTimeOffset At, FailureLayer Layer, string Text);
