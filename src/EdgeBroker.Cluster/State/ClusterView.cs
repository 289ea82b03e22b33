using System.Collections.Immutable;

namespace EdgeBroker.Cluster.State;

/// <summary>What Raft holds a member for.</summary>
internal enum MemberState : byte
{
    /// <summary>It has started, and nobody has found it dead since.</summary>
    Up = 1,

    /// <summary>A majority has found it dead.</summary>
    Down = 2,

    /// <summary>It has been removed.</summary>
    Left = 3,
}

/// <summary>A member.</summary>
/// <param name="State">What it is held for.</param>
/// <param name="Start">What it said of itself when it last started.</param>
internal sealed record ClusterMember(MemberState State, NodeUp Start)
{
    /// <summary>The node.</summary>
    public byte Node => Start.Node;

    /// <summary>The current incarnation.</summary>
    public long Incarnation => Start.Incarnation;

    /// <summary>The last incarnation that ended by being found dead, or removed; 0: none did.</summary>
    public long DeadIncarnation { get; init; }

    /// <summary>
    /// Who publishes the wills of that incarnation's clients; 0: nobody is left who has them. It stays so when the node is back, since a will may wait.
    /// </summary>
    public byte WillsBy { get; init; }
}

/// <summary>Who has something that only one may have.</summary>
/// <param name="Node">The node.</param>
/// <param name="Incarnation">Its incarnation: a later one does not have it.</param>
/// <param name="Grant">By which grant; the fencing number.</param>
internal sealed record Lease(byte Node, long Incarnation, long Grant);

/// <summary>Members, leases and level after some entry of the log. It never changes: each entry makes another one.</summary>
internal sealed record ClusterView
{
    /// <summary>Before the first entry.</summary>
    public static readonly ClusterView Empty = new();

    /// <summary>The index of the last entry in it.</summary>
    public long Index { get; init; }

    /// <summary>The last grant that was given.</summary>
    public long LastGrant { get; init; }

    /// <summary>The version of links and commands that all members speak.</summary>
    public byte Level { get; init; }

    /// <summary>Members by node, those that left included: their incarnations go on.</summary>
    public ImmutableSortedDictionary<byte, ClusterMember> Members { get; init; } = ImmutableSortedDictionary<byte, ClusterMember>.Empty;

    /// <summary>Leases by name.</summary>
    public ImmutableSortedDictionary<string, Lease> Leases { get; init; } = ImmutableSortedDictionary.Create<string, Lease>(StringComparer.Ordinal);

    /// <summary>Certificates of nodes that were removed (SHA-256, lower-case hexadecimal), oldest first.</summary>
    public ImmutableList<string> RefusedCertificates { get; init; } = [];

    /// <summary>A member that has not left; null: there is none.</summary>
    public ClusterMember? Find(byte node) => Members.TryGetValue(node, out ClusterMember? member) && member.State != MemberState.Left ? member : null;

    /// <summary>The lowest node that is Up, serves clients and is not one of these; 0: there is none.</summary>
    public byte LowestUp(params ReadOnlySpan<byte> except)
    {
        foreach (ClusterMember member in Members.Values)
        {
            if (member is { State: MemberState.Up, Start.IsWitness: false } && !except.Contains(member.Node)) return member.Node;
        }

        return 0;
    }

    /// <summary>Whether a node is Up in this incarnation.</summary>
    public bool IsUp(byte node, long incarnation) => Find(node) is { State: MemberState.Up } member && member.Incarnation == incarnation;
}
