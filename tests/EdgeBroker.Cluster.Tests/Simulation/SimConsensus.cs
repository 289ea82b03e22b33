using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;
using EdgeBroker.Cluster.Tests.Consensus;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>What a life of a node has of the model of the voters; a mutation tells it what is not so.</summary>
internal sealed class SimConsensus(ModelCluster voters, SimNode node, Mutation mutation) : IMeshConsensus
{
    private static readonly TimeSpan MajorityAge = TimeSpan.FromSeconds(3);

    private readonly ModelConsensus _member = voters.Members[node.Number];
    private readonly MeshNode _life = node.Mesh;

    public ClusterView View
    {
        get
        {
            ClusterView view = _member.View;
            return mutation == Mutation.None ? view : view with { Members = view.Members.SetItems(view.Members.Values.Select(Mutate)) };
        }
    }

    public IReadOnlyCollection<byte> Voters => [.. voters.Members.Keys];

    public bool IsMember => true;

    public bool IsFormed => true;

    public bool IsRunning => true;

    public IReadOnlyCollection<byte> Members => Voters;

    public byte? Leader => _member.Leader;

    public long Term => 1;

    public long CommitIndex => _member.AppliedIndex;

    public bool HasMajority => _member.SinceMajority < MajorityAge;

    public string? Cause => null;

    private bool HasGrantedByNobody => Has(Mutation.GrantedByNobody);

    public Claim? FindClaim(string clientId) => _member.FindClaim(clientId);

    public void Propose(ReadOnlyMemory<byte> command, int hops, Action<ProposalAnswer> answered)
    {
        if (HasGrantedByNobody && CommandCodec.Read(command.Span) is ClaimSessions claims)
        {
            answered(new ProposalAnswer(new Applied
            {
                Index = 1,
                Outcome = CommandOutcome.Done,
                Claims = [.. claims.Sessions.Select(_ => new ClaimAnswer(true, node.Number, 1))],
            }));
            return;
        }

        Task<Applied> answer;
        try
        {
            answer = _member.ProposeAsync(command, hops, CancellationToken.None).AsTask();
        }
        catch (ConsensusException exception)
        {
            answered(new ProposalAnswer(null, exception.IsUncertain, exception.Message));
            return;
        }

        answer.ContinueWith(
            done =>
            {
                if (!node.IsUp || !ReferenceEquals(node.Mesh, _life)) return;
                _life.Resume(() => answered(done.IsFaulted ? new ProposalAnswer(null, IsUncertain: true, "lost") : new ProposalAnswer(done.Result)));
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private bool Has(Mutation one) => (mutation & one) != 0;

    private KeyValuePair<byte, ClusterMember> Mutate(ClusterMember member)
    {
        bool isSelf = member.Node == node.Number;
        if (HasGrantedByNobody && !isSelf) member = member with { State = MemberState.Down };
        if (Has(Mutation.WillsByNobody) && !isSelf) member = member with { WillsBy = 0 };
        if (Has(Mutation.WillsByEverybody) && !isSelf) member = member with { WillsBy = node.Number };
        if (Has(Mutation.OwnDeathUnknown) && isSelf) member = member with { DeadIncarnation = 0 };
        return KeyValuePair.Create(member.Node, member);
    }
}
