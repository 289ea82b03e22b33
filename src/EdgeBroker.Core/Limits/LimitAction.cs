namespace EdgeBroker.Core.Limits;

/// <summary>What is done about something that exceeds a limit.</summary>
public enum LimitAction : byte
{
    /// <summary>It waits: its sender is not read meanwhile.</summary>
    Delayed,

    /// <summary>A message goes no further. Above QoS 0 its sender is told so.</summary>
    Dropped,

    /// <summary>The connection is ended.</summary>
    Disconnected,

    /// <summary>A connection, or a filter, is not accepted.</summary>
    Refused,
}
