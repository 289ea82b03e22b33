using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.Links;

/// <summary>What goes over links for the voters: it comes as it was sent, and nothing else is taken for it.</summary>
public sealed class ConsensusFrameTests
{
    [Fact]
    public void A_sight_comes_as_it_was_sent()
    {
        var sight = new NodeSight(IsMember: true, CommitIndex: 1234, Away: (byte)(NodeSight.BitOf(2) | NodeSight.BitOf(7))) { IsRunning = true, Voters = 5 };
        Assert.True(ConsensusFrames.TryRead(Body(ConsensusFrames.Write(sight)), out NodeSight read));
        Assert.Equal(sight, read);
        Assert.Equal([2, 7], Enumerable.Range(1, 7).Where(node => read.Misses((byte)node)));
    }

    [Fact]
    public void A_proposal_comes_as_it_was_sent()
    {
        byte[] command = CommandCodec.Write(new NodeDown(3, 4));
        Assert.True(ConsensusFrames.TryReadProposal(Body(ConsensusFrames.WriteProposal(9, 1, command)), out long id, out int hops, out byte[] read));
        Assert.Equal((9, 1), (id, hops));
        Assert.Equal(command, read);
    }

    [Fact]
    public void An_answer_comes_as_it_was_given()
    {
        var applied = new Applied { Index = 7, Outcome = CommandOutcome.Done, Claims = [new ClaimAnswer(true, 2, 7), new ClaimAnswer(false, 3, 5)] };
        ProposalAnswer[] answers = [new(applied), new(null, IsUncertain: true), new(null)];
        foreach (ProposalAnswer answer in answers)
        {
            Assert.True(ConsensusFrames.TryReadAnswer(Body(ConsensusFrames.WriteAnswer(5, answer)), from: 2, out long id, out ProposalAnswer read));
            Assert.Equal((5, answer.Applied, answer.IsUncertain), (id, read.Applied, read.IsUncertain));
        }
    }

    [Fact]
    public void What_is_cut_short_or_too_long_is_none()
    {
        byte[] sight = Body(ConsensusFrames.Write(new NodeSight(true, 1, 0)));
        byte[] answer = Body(ConsensusFrames.WriteAnswer(5, new ProposalAnswer(new Applied { Index = 7, Outcome = CommandOutcome.Done })));
        for (int length = 0; length < sight.Length; length++) Assert.False(ConsensusFrames.TryRead(sight.AsSpan(0, length), out _));
        for (int length = 0; length < answer.Length; length++) Assert.False(ConsensusFrames.TryReadAnswer(answer.AsSpan(0, length), 2, out _, out _));
        Assert.False(ConsensusFrames.TryRead([.. sight, 0], out _));
        Assert.False(ConsensusFrames.TryReadAnswer([.. answer, 0], 2, out _, out _));
        Assert.False(ConsensusFrames.TryReadProposal(Body(ConsensusFrames.WriteProposal(1, 0, [])), out _, out _, out _));
        Assert.False(ConsensusFrames.TryReadProposal(Body(ConsensusFrames.WriteProposal(1, ConsensusFrames.MostHops, [1])), out _, out _, out _));
        byte[] most = new byte[ConsensusFrames.MostCommandBytes + 1];
        Assert.False(ConsensusFrames.TryReadProposal(Body(ConsensusFrames.WriteProposal(1, 0, most)), out _, out _, out _));
        Assert.True(ConsensusFrames.TryReadProposal(Body(ConsensusFrames.WriteProposal(1, 0, most.AsSpan(1))), out _, out _, out _));
    }

    private static byte[] Body(byte[] frame) => frame[FrameReader.HeaderBytes..];
}
