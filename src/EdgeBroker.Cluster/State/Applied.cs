using System.Collections.Immutable;

namespace EdgeBroker.Cluster.State;

/// <summary>What became of a command. Nobody changes their numbers: they go over links.</summary>
internal enum CommandOutcome : byte
{
    /// <summary>It was not understood, and changed nothing.</summary>
    Malformed = 0,

    /// <summary>It has its effect.</summary>
    Done = 1,

    /// <summary>It was so already.</summary>
    NoChange = 2,

    /// <summary>A node it names is no member.</summary>
    UnknownNode = 3,

    /// <summary>An incarnation it names is not the current one.</summary>
    StaleIncarnation = 4,

    /// <summary>The node claimed over is Up.</summary>
    NodeIsUp = 5,

    /// <summary>The certificate, or the store, is that of a node that was removed.</summary>
    Removed = 6,

    /// <summary>A grant it names lies further ahead than can be.</summary>
    GrantTooFar = 7,

    /// <summary>A member does not speak that version.</summary>
    VersionNotSpoken = 8,

    /// <summary>Somebody else has it.</summary>
    Held = 9,

    /// <summary>There is no room for it.</summary>
    Full = 10,
}

/// <summary>What a node was before it started.</summary>
internal enum FormerState : byte
{
    /// <summary>Not known.</summary>
    None = 0,

    /// <summary>Up, in an earlier incarnation.</summary>
    Up = 1,

    /// <summary>Down.</summary>
    Down = 2,

    /// <summary>Removed, and started anew with another store.</summary>
    Left = 3,
}

/// <summary>What became of one claim.</summary>
/// <param name="IsGranted">Whether the claimant has it now.</param>
/// <param name="Owner">Who has it; 0: nobody could be given it, for lack of room.</param>
/// <param name="Grant">By which grant.</param>
internal readonly record struct ClaimAnswer(bool IsGranted, byte Owner, long Grant);

/// <summary>What became of a command, and where in the log it stands. Every member comes to the same.</summary>
internal sealed record Applied
{
    /// <summary>The index of its entry.</summary>
    public required long Index { get; init; }

    /// <summary>What became of it.</summary>
    public required CommandOutcome Outcome { get; init; }

    /// <summary>Of a start: what the node was before.</summary>
    public FormerState Former { get; init; }

    /// <summary>Of a lease: its grant, which is also its fencing number.</summary>
    public long Grant { get; init; }

    /// <summary>Of claims: one answer for each, in their order.</summary>
    public ImmutableArray<ClaimAnswer> Claims { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(Applied? other) => other is not null && (Index, Outcome, Former, Grant) == (other.Index, other.Outcome, other.Former, other.Grant)
        && Claims.AsSpan().SequenceEqual(other.Claims.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Index, Outcome, Former, Grant, Claims.Length);
}
