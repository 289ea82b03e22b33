using System.Text;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Ownership;

/// <summary>
/// Has the voters agree that a client begins anew here although a node that is Down has its session. Claims that come while one is under way go together with
/// the next. Only on the thread that serves the cluster.
/// </summary>
/// <param name="consensus">What the voters agree on.</param>
/// <param name="monitor">This node as they know it.</param>
/// <param name="options">What this node is told.</param>
/// <param name="isLinked">Whether a node is linked, and so has told which sessions it has.</param>
/// <param name="answered">Has a claim decided anew, and says whether it was answered: granted, or somebody else's. Else the voters could not be asked.</param>
internal sealed class Heirs(IMeshConsensus consensus, NodeMonitor monitor, MeshOptions options, Func<byte, bool> isLinked, Action<Claim, bool> answered)
{
    private const int MostBytes = 16 * 1024;
    private const int BytesPerClaim = 32;

    private readonly Dictionary<byte, Queue<Claim>> _asking = [];
    private readonly HashSet<byte> _underWay = [];

    /// <summary>Claims that wait.</summary>
    public int Count => _asking.Values.Sum(one => one.Count);

    /// <summary>Whether clients are not let in at present whose sessions are to be kept: no majority says whose they are.</summary>
    public bool IsClosed => options.WithoutQuorum == WithoutQuorum.Refuse && IsWithoutMajority;

    /// <summary>Whether a client is let in although a node that cannot be reached may have its session: nobody can be asked.</summary>
    public bool MayBeginBeside(MeshPeer peer, long nowMs) =>
        options.WithoutQuorum == WithoutQuorum.Serve && IsWithoutMajority && peer.Link is null && nowMs - peer.HeardMs >= options.DeadAfter.TotalMilliseconds;

    private bool IsWithoutMajority => consensus.IsFormed && monitor.IsWithoutMajority;

    /// <summary>Whether the voters hold a node for dead. Until a majority has been missing for <c>dead_after</c> that waits to be made use of.</summary>
    public bool IsDead(byte over) => consensus.View.Find(over) is { State: MemberState.Down } && !monitor.IsWithoutMajority;

    /// <summary>Whether the voters can be asked now.</summary>
    public bool CanAsk => consensus.HasMajority && monitor.Incarnation > 0;

    /// <summary>Asks for a session of a dead node.</summary>
    public void Ask(Claim claim, byte over)
    {
        if (!_asking.TryGetValue(over, out Queue<Claim>? queue)) _asking.Add(over, queue = new Queue<Claim>());
        queue.Enqueue(claim);
        Propose(over, queue);
    }

    private void Propose(byte over, Queue<Claim> queue)
    {
        if (_underWay.Contains(over)) return;
        List<Claim> claims = [];
        List<SessionToClaim> sessions = [];
        for (int bytes = 0; bytes < MostBytes && queue.TryDequeue(out Claim? claim);)
        {
            if (claim.IsAbandoned)
            {
                claim.Answer(default);
                continue;
            }

            bytes += BytesPerClaim + Encoding.UTF8.GetByteCount(claim.ClientId);
            claims.Add(claim);
            sessions.Add(new SessionToClaim(claim.ClientId, KnownGrant(claim.ClientId), claim.Stamp.Value, claim.Request.CleanStart));
        }

        if (claims.Count == 0) return;
        long incarnation = consensus.View.Find(over)?.Incarnation ?? 0;
        byte[] command = CommandCodec.Write(new ClaimSessions(options.Node, monitor.Incarnation, over, incarnation, IsLongUnlinked: false, sessions));
        _underWay.Add(over);
        consensus.Propose(command, ConsensusFrames.MostHops, answer =>
        {
            _underWay.Remove(over);
            Applied? done = answer.Applied is { Outcome: CommandOutcome.Done } applied && applied.Claims.Length == claims.Count ? applied : null;
            for (int i = 0; i < claims.Count; i++) Take(claims[i], over, done?.Claims[i] ?? default);
            Propose(over, queue);
        });
    }

    // An earlier claim is the past where its owner would have told that it has the session, or is dead itself. Else it stands, and the voters name it.
    private long KnownGrant(string clientId)
    {
        if (consensus.FindClaim(clientId) is not { } last) return 0;
        bool isPast = last.Owner == options.Node || isLinked(last.Owner) || consensus.View.Find(last.Owner) is not { State: MemberState.Up };
        return isPast ? last.Grant : 0;
    }

    private void Take(Claim claim, byte over, in ClaimAnswer answer)
    {
        if (answer.IsGranted)
        {
            claim.Grant = answer.Grant;
            claim.PassedOver |= NodeSight.BitOf(over);
        }

        // Another node has it by now, which will tell so itself. An earlier connection of the client to this one does not matter.
        claim.IsOutrun = !answer.IsGranted && answer.Owner != 0 && answer.Owner != options.Node;
        answered(claim, answer.IsGranted || claim.IsOutrun);
    }
}
