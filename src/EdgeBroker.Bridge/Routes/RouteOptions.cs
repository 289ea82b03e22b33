using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Routes;

/// <summary>Which way messages go.</summary>
public enum RouteDirection
{
    /// <summary>From this broker to the other.</summary>
    Out,

    /// <summary>From the other broker to this one.</summary>
    In,

    /// <summary>Both.</summary>
    Both,
}

/// <summary>Which topics a bridge carries, which way, and what they are called on the other side.</summary>
public sealed record RouteOptions
{
    /// <summary>Which way.</summary>
    public RouteDirection Direction { get; init; } = RouteDirection.Out;

    /// <summary>The topic filter here; where messages come in by a template, the template of their topic here.</summary>
    public required string Local { get; init; }

    /// <summary>The topic filter there, or the template of the topic there; null: as here.</summary>
    public string? Remote { get; init; }

    /// <summary>The highest QoS a message goes with.</summary>
    public QoS MaximumQoS { get; init; } = QoS.AtLeastOnce;

    /// <summary>Whether a retained message stays one.</summary>
    public bool KeepsRetain { get; init; } = true;

    /// <summary>The lane by which messages go out; empty: the one of all routes that give none. A lane goes with QoS 1 at most.</summary>
    public string Lane { get; init; } = "";

    /// <summary>Filters of local topics that do not go, although they match.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>The longest payload that goes; null: any.</summary>
    public int? MaximumPayloadBytes { get; init; }

    /// <summary>Levels that a topic on the other side may have, which a filter with # does not bound.</summary>
    public int MaximumTopicLevels { get; init; } = int.MaxValue;

    /// <summary>Bytes of UTF-8 that a topic on the other side may have.</summary>
    public int MaximumTopicBytes { get; init; } = ushort.MaxValue;

    /// <summary>Whether messages go out by it.</summary>
    public bool GoesOut => Direction != RouteDirection.In;

    /// <summary>Whether messages come in by it.</summary>
    public bool ComesIn => Direction != RouteDirection.Out;
}
