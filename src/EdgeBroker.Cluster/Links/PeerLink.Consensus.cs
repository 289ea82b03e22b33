using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Links;

// What voters agree on: proposals that are handed on to the leader, and how each node sees the others.
public sealed partial class PeerLink
{
    private readonly Dictionary<long, Action<ProposalAnswer>> _handedOn = [];
    private long _lastProposal;
    private int _proposalsServed;

    /// <summary>How the other sees the cluster, as it has last said; null: it has not.</summary>
    internal NodeSight? Sight { get; private set; }

    /// <summary>Hands a proposal on to the other.</summary>
    /// <param name="command">The command.</param>
    /// <param name="hops">How often it may be handed on from there.</param>
    /// <param name="answered">Called once.</param>
    internal void HandOn(ReadOnlySpan<byte> command, int hops, Action<ProposalAnswer> answered)
    {
        if (IsClosed || _handedOn.Count >= ConsensusFrames.MostProposals || command.Length > ConsensusFrames.MostCommandBytes)
        {
            answered(new ProposalAnswer(null, Cause: "too much is under way to the leader"));
            return;
        }

        _handedOn.Add(++_lastProposal, answered);
        Send(ConsensusFrames.WriteProposal(_lastProposal, hops, command));
    }

    /// <summary>The link is over: of what was handed on nobody will hear any more.</summary>
    private void LoseProposals()
    {
        foreach (Action<ProposalAnswer> answered in _handedOn.Values.ToArray())
        {
            answered(new ProposalAnswer(null, IsUncertain: true, "the link to the leader is gone"));
        }

        _handedOn.Clear();
    }

    private bool TakeSight(ReadOnlySpan<byte> bytes)
    {
        if (!ConsensusFrames.TryRead(bytes, out NodeSight sight)) return false;
        Sight = sight;
        return true;
    }

    private bool TakeProposal(ReadOnlySpan<byte> bytes)
    {
        if (!ConsensusFrames.TryReadProposal(bytes, out long id, out int hops, out byte[] command)) return false;
        // Three disks are to keep it: nothing that does not mean anything, nor what no node proposes over a link.
        if (_proposalsServed >= ConsensusFrames.MostProposals) return false;
        if (CommandCodec.Read(command) is not (NodeUp or NodeDown or NodeLeft or ClaimSessions)) return false;
        if (_mesh.Consensus is not { } consensus)
        {
            Send(ConsensusFrames.WriteAnswer(id, default));
            return true;
        }

        _proposalsServed++;
        consensus.Propose(command, hops, answer =>
        {
            _proposalsServed--;
            if (!IsClosed) Send(ConsensusFrames.WriteAnswer(id, answer));
        });
        return true;
    }

    private bool TakeAnswer(ReadOnlySpan<byte> bytes, byte from)
    {
        if (!ConsensusFrames.TryReadAnswer(bytes, from, out long id, out ProposalAnswer answer)) return false;
        if (_handedOn.Remove(id, out Action<ProposalAnswer>? answered)) answered(answer);
        return true;
    }
}
