namespace EdgeBroker.Cluster.State;

/// <summary>
/// Something all members apply in the same order. <see cref="CommandCodec"/> writes it; <see cref="ClusterStateMachine"/> gives it its effect.
/// </summary>
internal abstract record ClusterCommand;

/// <summary>A node has started.</summary>
internal sealed record NodeUp : ClusterCommand
{
    /// <summary>The fingerprint of a node without a certificate, which is never refused: on the loopback all have this one.</summary>
    public static readonly string NoCertificate = new('0', 2 * StateLimits.FingerprintBytes);

    /// <summary>The node, 1 to 7.</summary>
    public required byte Node { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>The number of this start, from 1; grows with each.</summary>
    public required long Incarnation { get; init; }

    /// <summary>Which disk's content it started from.</summary>
    public required Guid StoreId { get; init; }

    /// <summary>SHA-256 of its certificate, 64 lower-case hexadecimal digits.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Where peers reach it, <c>host:port</c>.</summary>
    public required string LinkAddress { get; init; }

    /// <summary>Where Raft reaches it, <c>address:port</c>; empty: it does not vote.</summary>
    public required string RaftAddress { get; init; }

    /// <summary>What clients that are sent to it are told, one URL each.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>The oldest version of links and commands it speaks.</summary>
    public required byte WireMin { get; init; }

    /// <summary>The newest one.</summary>
    public required byte WireMax { get; init; }

    /// <summary>Of Raft's own files and messages; different ones do not talk to each other.</summary>
    public required byte RaftGeneration { get; init; }

    /// <summary>Of the part of its configuration that must be the same everywhere.</summary>
    public required ulong ConfigurationHash { get; init; }

    /// <summary>Whether it only votes.</summary>
    public required bool IsWitness { get; init; }

    /// <summary>The highest grant in its sessions: grants go on above it.</summary>
    public required long HighestGrant { get; init; }

    /// <summary>Claims over this node up to this grant are dealt with; 0: none.</summary>
    public required long SettledThrough { get; init; }

    /// <inheritdoc/>
    public bool Equals(NodeUp? other) => other is not null && CommandCodec.Write(this).AsSpan().SequenceEqual(CommandCodec.Write(other));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Node, Incarnation, StoreId);
}

/// <summary>A node is dead, as a majority sees it.</summary>
/// <param name="Node">The node.</param>
/// <param name="Incarnation">Its start that ended; a newer one is not meant.</param>
internal sealed record NodeDown(byte Node, long Incarnation) : ClusterCommand;

/// <summary>A node is a member no longer.</summary>
/// <param name="Node">The node.</param>
/// <param name="IsReplaced">Whether another is to come by its number and certificate; else its certificate is refused from now on.</param>
internal sealed record NodeLeft(byte Node, bool IsReplaced = false) : ClusterCommand;

/// <summary>One session that is claimed.</summary>
/// <param name="ClientId">Whose session.</param>
/// <param name="KnownGrant">The highest grant the claimant knows of for it.</param>
/// <param name="ConnectionStamp">The stamp of the CONNECT it is claimed for.</param>
/// <param name="IsClean">Whether the session it replaces is void rather than to be merged.</param>
internal sealed record SessionToClaim(string ClientId, long KnownGrant, long ConnectionStamp, bool IsClean);

/// <summary>Sessions of a node that is away are claimed by another.</summary>
/// <param name="Node">The claimant.</param>
/// <param name="Incarnation">The claimant's.</param>
/// <param name="Over">Whose sessions.</param>
/// <param name="OverIncarnation">That node's.</param>
/// <param name="IsLongUnlinked">Whether the claimant has had no link to it for long, so that it may be claimed over though it is Up.</param>
/// <param name="Sessions">At least one.</param>
internal sealed record ClaimSessions(
    byte Node, long Incarnation, byte Over, long OverIncarnation, bool IsLongUnlinked, IReadOnlyList<SessionToClaim> Sessions) : ClusterCommand
{
    /// <inheritdoc/>
    public bool Equals(ClaimSessions? other) => other is not null
        && (Node, Incarnation, IsLongUnlinked) == (other.Node, other.Incarnation, other.IsLongUnlinked)
        && (Over, OverIncarnation) == (other.Over, other.OverIncarnation)
        && Sessions.SequenceEqual(other.Sessions);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Node, Incarnation, Over, OverIncarnation, Sessions.Count);
}

/// <summary>A node takes, or gives back, something only one may have.</summary>
/// <param name="Name">What.</param>
/// <param name="Node">Who takes it; 0: it is given back.</param>
/// <param name="Incarnation">Who takes it: its incarnation; given back: 0.</param>
/// <param name="KnownGrant">The grant of the lease that is given back; taken: 0.</param>
internal sealed record TakeLease(string Name, byte Node, long Incarnation, long KnownGrant) : ClusterCommand;

/// <summary>From now on members may use what this version brought.</summary>
/// <param name="Version">The version.</param>
internal sealed record RaiseLevel(byte Version) : ClusterCommand;
