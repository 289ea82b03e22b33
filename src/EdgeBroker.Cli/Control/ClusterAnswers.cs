namespace EdgeBroker.Cli.Control;

/// <summary>How a node and the others of its cluster are.</summary>
public sealed record ClusterStatusAnswer
{
    /// <summary>The node's number.</summary>
    public required int Node { get; init; }

    public required string Name { get; init; }

    /// <summary>Filters its subscribers want.</summary>
    public required int Filters { get; init; }

    /// <summary>Sessions that outlive their connections and are its own.</summary>
    public required int Sessions { get; init; }

    /// <summary>Sessions whose clients have a newer one on another node.</summary>
    public required int PassedOver { get; init; }

    /// <summary>Clients that wait to hear whose their sessions are.</summary>
    public required int Waiting { get; init; }

    /// <summary>The others.</summary>
    public required IReadOnlyList<PeerAnswer> Peers { get; init; }
}

/// <summary>How another node is.</summary>
public sealed record PeerAnswer
{
    public required int Node { get; init; }

    /// <summary>Its name; empty: it has not been heard of since the start.</summary>
    public required string Name { get; init; }

    /// <summary>linked, linking or away.</summary>
    public required string State { get; init; }

    public required long SinceSeconds { get; init; }

    /// <summary>Messages that wait for it.</summary>
    public required int Outbox { get; init; }

    /// <summary>Filters its subscribers want.</summary>
    public required int Filters { get; init; }

    /// <summary>Messages taken from it.</summary>
    public required long Taken { get; init; }

    /// <summary>Messages that came from it again, and were known.</summary>
    public required long Repeated { get; init; }

    /// <summary>Why its last link ended; null: none did.</summary>
    public string? LastError { get; init; }
}
