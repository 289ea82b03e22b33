using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>Hands a proposal on to the leader over a link.</summary>
/// <param name="leader">Who is thought to lead.</param>
/// <param name="command">The command.</param>
/// <param name="hops">How often it may be handed on further.</param>
/// <param name="cancel">Nobody waits for it any more.</param>
/// <exception cref="ConsensusException">It could not be handed on, or its answer was lost.</exception>
internal delegate ValueTask<State.Applied> ForwardProposal(byte leader, ReadOnlyMemory<byte> command, int hops, CancellationToken cancel);

/// <summary>What a voter's Raft needs to know.</summary>
internal sealed record RaftSettings
{
    /// <summary>
    /// Voters at most. Where more vote, the leader of this library commits by the median of the answers it has, not of the members: with five, and one of them
    /// catching up, that may be two disks of five. With three it is always a majority.
    /// </summary>
    public const int MostVoters = 3;

    /// <summary>Files and messages of the Raft library as pinned: members of different generations do not talk to each other.</summary>
    public const byte Generation = 1;

    /// <summary>This node.</summary>
    public required byte Node { get; init; }

    /// <summary>Where log, snapshots and the list of members are; it is this member's alone.</summary>
    public required string Folder { get; init; }

    /// <summary>Where Raft listens at each voter, this one included.</summary>
    public required IReadOnlyDictionary<byte, IPEndPoint> Voters { get; init; }

    /// <summary>Certificates, and whom they let in; null: plain text, on the loopback only.</summary>
    public MemberTls? Tls { get; init; }

    /// <summary>How long a node is away before it counts as dead; what needs a majority goes by parts of it.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Election time-outs; null: by the speed of the disk.</summary>
    public ElectionTimeouts? Election { get; init; }

    /// <summary>Entries between two snapshots, and newer entries a snapshot waits for until the log is cut by it.</summary>
    public long SnapshotEvery { get; init; } = 1000;

    /// <summary>Hands proposals on; null: only the leader's own are possible.</summary>
    public ForwardProposal? Forward { get; init; }

    /// <summary>Is told of every entry once; null: nobody.</summary>
    public State.IStateObserver? Observer { get; init; }

    /// <summary>The highest commit index that a leader has named over links; null: what Raft itself has heard.</summary>
    public Func<long>? LeaderCommit { get; init; }

    /// <summary>Whether links to a majority of the voters are up; null: not known, and no reason to begin anew.</summary>
    public Func<bool>? SeesMajority { get; init; }

    /// <summary>Whether this node's journal does not take anything at present; then it must not lead.</summary>
    public Func<bool>? IsJournalFailing { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where it is said what happens.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>Where the Raft library itself says what happens.</summary>
    public ILoggerFactory LibraryLog { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Fails with words when these settings cannot be used.</summary>
    /// <exception cref="ArgumentException">They cannot be used.</exception>
    public void Check()
    {
        if (!Voters.ContainsKey(Node)) throw new ArgumentException($"node {Node} is none of the voters");
        if (Voters.Count > MostVoters) throw new ArgumentException($"{Voters.Count} voters are named; {MostVoters} at most can vote");
        if (Voters.Values.Distinct().Count() < Voters.Count) throw new ArgumentException("two voters have the same address");
        if (Tls is null && Voters.Values.FirstOrDefault(address => !IPAddress.IsLoopback(address.Address)) is { } open)
        {
            throw new ArgumentException($"Raft on {open} needs [cluster.tls]: without certificates anybody could vote");
        }
    }

    /// <summary>The voter at an address; null: none is there.</summary>
    public byte? NodeAt(EndPoint? address)
    {
        foreach ((byte node, IPEndPoint voter) in Voters)
        {
            if (voter.Equals(address)) return node;
        }

        return null;
    }
}
