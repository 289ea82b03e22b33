using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Fields;
using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Links;

/// <summary>How a node sees the cluster, as it tells the others a few times in <c>dead_after</c>.</summary>
/// <param name="IsMember">Whether it is a member of a group of voters.</param>
/// <param name="CommitIndex">The highest index it knows to be committed.</param>
/// <param name="Away">The nodes it has not heard for <c>dead_after</c>: bit 0 is node 1.</param>
internal readonly record struct NodeSight(bool IsMember, long CommitIndex, byte Away)
{
    /// <summary>Whether its Raft runs, so that it can be made a member.</summary>
    public bool IsRunning { get; init; }

    /// <summary>The voters as it has them: bit 0 is node 1; 0: it is no member of a group.</summary>
    public byte Voters { get; init; }

    /// <summary>Whether it has not heard a node for <c>dead_after</c>.</summary>
    public bool Misses(byte node) => (Away & BitOf(node)) != 0;

    /// <summary>The bit of a node.</summary>
    public static byte BitOf(byte node) => (byte)(1 << (node - 1));
}

/// <summary>What goes over links for the sake of Raft's members; Raft itself has connections of its own.</summary>
internal static class ConsensusFrames
{
    /// <summary>Proposals of one node that may be under way over a link.</summary>
    public const int MostProposals = 16;

    /// <summary>How often a proposal may be handed on.</summary>
    public const int MostHops = 2;

    /// <summary>Bytes of a command that fits into one frame.</summary>
    public const int MostCommandBytes = 24 * 1024;

    private const byte MemberFlag = 1;
    private const byte RunningFlag = 2;

    private enum Result : byte
    {
        Refused = 0,
        Uncertain = 1,
        Applied = 2,
    }

    /// <summary>A frame of how this node sees the cluster.</summary>
    public static byte[] Write(NodeSight sight)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Byte((byte)((sight.IsMember ? MemberFlag : 0) | (sight.IsRunning ? RunningFlag : 0)));
        body.Int64(sight.CommitIndex);
        body.Byte(sight.Away);
        body.Byte(sight.Voters);
        return Frames.Of(FrameType.Sight, body.Written);
    }

    /// <summary>Reads one; false: it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NodeSight sight)
    {
        var body = new FieldReader(bytes);
        byte flags = body.Byte();
        sight = new NodeSight((flags & MemberFlag) != 0, body.Number(), body.Byte()) { IsRunning = (flags & RunningFlag) != 0, Voters = body.Byte() };
        return body.IsWhole && flags <= (MemberFlag | RunningFlag);
    }

    /// <summary>A frame that hands a proposal on.</summary>
    public static byte[] WriteProposal(long id, int hops, ReadOnlySpan<byte> command)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Int64(id);
        body.Byte((byte)hops);
        body.Bytes(command);
        return Frames.Of(FrameType.Propose, body.Written);
    }

    /// <summary>Reads one; false: it is none.</summary>
    public static bool TryReadProposal(ReadOnlySpan<byte> bytes, out long id, out int hops, out byte[] command)
    {
        var body = new FieldReader(bytes);
        (id, hops) = (body.Number(), body.Byte());
        command = body.Rest().ToArray();
        return body.IsWhole && hops < MostHops && command.Length is > 0 and <= MostCommandBytes;
    }

    /// <summary>A frame that answers a proposal.</summary>
    public static byte[] WriteAnswer(long id, in ProposalAnswer answer)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Int64(id);
        body.Byte((byte)(answer.Applied is not null ? Result.Applied : answer.IsUncertain ? Result.Uncertain : Result.Refused));
        if (answer.Applied is { } applied) body.Bytes(CommandCodec.Write(applied));
        return Frames.Of(FrameType.Proposed, body.Written);
    }

    /// <summary>Reads one; false: it is none.</summary>
    /// <param name="bytes">The body.</param>
    /// <param name="from">Who answers.</param>
    /// <param name="id">The proposal's number.</param>
    /// <param name="answer">What became of it.</param>
    public static bool TryReadAnswer(ReadOnlySpan<byte> bytes, byte from, out long id, out ProposalAnswer answer)
    {
        var body = new FieldReader(bytes);
        id = body.Number();
        var result = (Result)body.Byte();
        Applied? applied = result == Result.Applied ? CommandCodec.ReadApplied(body.Rest()) : null;
        answer = new ProposalAnswer(applied, result == Result.Uncertain, applied is null ? $"node {from} could not propose it" : "");
        return body.IsWhole && result <= Result.Applied && (result == Result.Applied) == applied is not null;
    }
}
