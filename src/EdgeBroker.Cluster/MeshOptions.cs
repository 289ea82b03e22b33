using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Cluster;

/// <summary>What a node does with clients whose sessions are kept while no majority of the voters is in contact.</summary>
public enum WithoutQuorum
{
    /// <summary>It serves them; where another node serves the same client, the newer connection counts when they meet.</summary>
    Serve,

    /// <summary>It refuses them.</summary>
    Refuse,
}

/// <summary>What a node of a mesh is told at its start.</summary>
public sealed record MeshOptions
{
    /// <summary>This node's number, 1 to 7.</summary>
    public required byte Node { get; init; }

    /// <summary>This node's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The cluster's id, as the certificates name it; empty: without certificates.</summary>
    public string ClusterId { get; init; } = "";

    /// <summary>The numbers of the others.</summary>
    public required IReadOnlyList<byte> Peers { get; init; }

    /// <summary>How long a link may be silent, and a node away before what only connected subscribers of it want is not kept for it any more.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What becomes of clients whose sessions are kept while no majority of the voters is in contact.</summary>
    public WithoutQuorum WithoutQuorum { get; init; }

    /// <summary>Bytes of messages that wait for a node at most; beyond, the oldest go.</summary>
    public long MaxQueuedBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Bytes of messages in the output of a link; beyond, QoS 0 is dropped and QoS 1 and 2 wait in the queue.</summary>
    public long MaxLinkBytes { get; init; } = 4L * 1024 * 1024;

    /// <summary>How long it is remembered that a retained value was deleted.</summary>
    public TimeSpan Tombstones { get; init; } = TimeSpan.FromDays(7);
}

/// <summary>What a node's store holds of its mesh.</summary>
/// <param name="StoreId">The store.</param>
/// <param name="StampBound">No stamp up to this is given out any more.</param>
/// <param name="Taken">How far what others forward has been taken.</param>
/// <param name="Owned">The clients whose sessions this node owns, and when their last connections were accepted.</param>
/// <param name="Tombstones">The clients whose older sessions are no more.</param>
public sealed record RestoredMesh(
    Guid StoreId,
    Stamp StampBound,
    IReadOnlyList<MessageOrigin> Taken,
    IReadOnlyList<(string ClientId, Stamp ConnectedAt)> Owned,
    IReadOnlyList<SessionTombstone> Tombstones)
{
    /// <summary>The highest grant of a session in it.</summary>
    public long HighestGrant { get; init; }
}

/// <summary>What there is to show of a mesh.</summary>
/// <param name="Node">This node's number.</param>
/// <param name="Name">Its name.</param>
/// <param name="InterestVersion">How often what its subscribers want has changed.</param>
/// <param name="Filters">Filters its subscribers want.</param>
/// <param name="Sessions">Sessions that outlive their connections.</param>
/// <param name="Peers">The others.</param>
public sealed record MeshStatus(byte Node, string Name, long InterestVersion, int Filters, SessionCounts Sessions, IReadOnlyList<PeerStatus> Peers)
{
    /// <summary>What the voters agree on; null: nobody votes.</summary>
    public VotersStatus? Voters { get; init; }

    /// <summary>Wills of clients whose node may die; null: nobody votes, and nobody finds a node dead.</summary>
    public WillCounts? Wills { get; init; }
}

/// <summary>What there is to show of wills.</summary>
/// <param name="Copies">Those of other nodes' clients that are here.</param>
/// <param name="NotCopied">Those of this node's clients that others were not given, there being too many.</param>
/// <param name="Published">Those of dead nodes' clients that this one has published.</param>
public readonly record struct WillCounts(int Copies, long NotCopied, long Published);

/// <summary>What there is to show of the voters.</summary>
/// <param name="IsFormed">Whether this node was made a member of a group of voters, also where Raft does not run; until <c>cluster init</c> it was not.</param>
/// <param name="Leader">Who leads; null: nobody, as far as is known here.</param>
/// <param name="Term">The leader's term.</param>
/// <param name="HasMajority">Whether a majority of the voters is in contact.</param>
public sealed record VotersStatus(bool IsFormed, byte? Leader, long Term, bool HasMajority)
{
    /// <summary>The nodes that vote, or are to.</summary>
    public IReadOnlyList<byte> Voters { get; init; } = [];

    /// <summary>What they know of each node that has ever been there.</summary>
    public IReadOnlyList<MemberStatus> Members { get; init; } = [];

    /// <summary>Why this node takes no part; null: it does.</summary>
    public string? Cause { get; init; }

    /// <summary>Linked voters that say they are members.</summary>
    internal IReadOnlyList<byte> LinkedMembers { get; init; } = [];

    /// <summary>Linked voters whose Raft runs, so that they can be made members.</summary>
    internal IReadOnlyList<byte> Runs { get; init; } = [];

    /// <summary>Linked voters that have come with another store than the voters know.</summary>
    internal IReadOnlyList<byte> OtherStores { get; init; } = [];

    /// <summary>Whether a linked node has this one for a voter.</summary>
    internal bool IsVoterElsewhere { get; init; }

    /// <summary>A linked node that is a member of a group; null: none is.</summary>
    internal byte? FormedElsewhere { get; init; }

    /// <summary>Linked voters that have not said yet whether they are members of a group.</summary>
    internal IReadOnlyList<byte> Silent { get; init; } = [];

    /// <summary>The highest index that a linked node knows to be committed.</summary>
    internal long LinkedCommitIndex { get; init; }
}

/// <summary>What the voters hold a node for.</summary>
/// <param name="Node">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="State"><c>Up</c>, <c>Down</c> or <c>Left</c>.</param>
/// <param name="Incarnation">The number of its last start.</param>
public sealed record MemberStatus(int Node, string Name, string State, long Incarnation);

/// <summary>Sessions of a node that outlive their connections.</summary>
/// <param name="Owned">Those that are its own.</param>
/// <param name="PassedOver">Those whose clients have a newer one on another node.</param>
/// <param name="Waiting">Clients that wait to hear whose their sessions are.</param>
public readonly record struct SessionCounts(int Owned, int PassedOver, int Waiting);

/// <summary>What there is to show of another node.</summary>
/// <param name="Node">Its number.</param>
/// <param name="Name">Its name; empty: it has not been heard of.</param>
/// <param name="State"><c>linked</c>, <c>linking</c> or <c>away</c>.</param>
/// <param name="Since">For how long, in milliseconds.</param>
/// <param name="Cause">Why the last link ended; null: none did.</param>
/// <param name="Outbox">Messages that wait for it.</param>
/// <param name="Filters">Filters it wants.</param>
/// <param name="Taken">Messages taken from it.</param>
/// <param name="Repeated">Messages that came from it again, and were known.</param>
public sealed record PeerStatus(
    int Node, string Name, string State, long Since, string? Cause, int Outbox, int Filters, long Taken, long Repeated);
