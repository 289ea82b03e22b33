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

    /// <summary>What the voters agree on; null: nobody votes.</summary>
    public VotersAnswer? Raft { get; init; }

    /// <summary>The others.</summary>
    public required IReadOnlyList<PeerAnswer> Peers { get; init; }
}

/// <summary>What the voters agree on.</summary>
public sealed record VotersAnswer
{
    /// <summary>forming: there is no cluster yet; leaderless; no-majority; ready.</summary>
    public required string State { get; init; }

    /// <summary>The node that leads; null: nobody does.</summary>
    public int? Leader { get; init; }

    /// <summary>Its term.</summary>
    public required long Term { get; init; }

    /// <summary>The nodes that vote.</summary>
    public required IReadOnlyList<int> Voters { get; init; }

    /// <summary>Why this node takes no part; null: it does.</summary>
    public string? LastError { get; init; }

    /// <summary>What they hold each node for.</summary>
    public required IReadOnlyList<MemberAnswer> Members { get; init; }
}

/// <summary>What the voters hold a node for.</summary>
/// <param name="Node">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">Up, Down or Left.</param>
/// <param name="Starts">How often it has started.</param>
public sealed record MemberAnswer(int Node, string Name, string State, long Starts);

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
