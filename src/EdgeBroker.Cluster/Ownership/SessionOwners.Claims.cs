using System.Text;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.State;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Cluster.Ownership;

// Clients that want their sessions.
internal sealed partial class SessionOwners
{
    // How long a client waits for the link to the node that has its session: a restart of a link is shorter.
    private const long AwayMs = 1_000;

    /// <summary>
    /// Whether every other node has told what it has, or has had the time to: a node that has just started does not know what was begun elsewhere meanwhile.
    /// </summary>
    private bool IsOpen => _isOpen |= _peers.All(peer => peer.Sessions.IsKnown);

    private void Decide(Claim claim)
    {
        if (claim.IsAbandoned)
        {
            claim.Answer(default);
            return;
        }

        if (claim.Request.IsKept && Heirs is { IsClosed: true })
        {
            claim.Answer(SessionClaim.Unavailable("no majority of the voters is in contact (cluster.without_quorum)"));
            return;
        }

        OwnSession? own = _own.GetValueOrDefault(claim.ClientId);
        bool looksAround = claim.Request.IsKept || !claim.Request.CleanStart;
        if (own?.Condemned is not null || (looksAround && !IsOpen))
        {
            _held.Add(claim);
            return;
        }

        // A connection whose session ends with it gives its client nothing to come back to, and the others know nothing of it.
        bool isMine = own is { IsOwned: true };
        if (!isMine && FindOwner(claim) is { } other)
        {
            if (other.Entry.IsKeptFrom(claim.User))
            {
                claim.Answer(SessionClaim.Foreign($"its session is on node {other.Peer.Outbox.Node}"));
                return;
            }

            if (!claim.Request.CleanStart)
            {
                AskElsewhere(claim, other.Peer);
                return;
            }
        }

        Begin(claim, isMine);
    }

    /// <summary>The session is another node's.</summary>
    private void AskElsewhere(Claim claim, MeshPeer peer)
    {
        if (peer.Link is { IsLinked: true })
        {
            claim.Answer(SessionClaim.Elsewhere(server: null));
            return;
        }

        if (claim.IsOutrun)
        {
            claim.Answer(SessionClaim.Busy());
            return;
        }

        if (Heirs is { } heirs && heirs.MayBeginBeside(peer, _nowMs))
        {
            claim.PassedOver |= NodeSight.BitOf(peer.Node);
            Decide(claim);
            return;
        }

        if (Heirs?.IsDead(peer.Node) == true && Inherit(claim, peer)) return;
        if (claim.AwayMs < 0) claim.AwayMs = _nowMs;
        if (_nowMs - claim.AwayMs < AwayMs) _held.Add(claim);
        else claim.Answer(SessionClaim.Unavailable($"the client's session is on node {peer.Outbox.Node}, which is away"));
    }

    private static bool IsPassedOver(Claim claim, MeshPeer peer) => (claim.PassedOver & NodeSight.BitOf(peer.Node)) != 0;

    /// <summary>Asks the voters for a session of a dead node; false: it is none they can be asked for.</summary>
    private bool Inherit(Claim claim, MeshPeer peer)
    {
        if (!Heirs!.CanAsk)
        {
            _held.Add(claim);
            return true;
        }

        if (Encoding.UTF8.GetByteCount(claim.ClientId) > StateLimits.MostClientIdBytes || !_clock.TryNext(out Stamp stamp)) return false;
        claim.Stamp = stamp;
        Heirs.Ask(claim, peer.Node);
        return true;
    }

    /// <summary>The voters have answered, or could not be asked: then the next tick asks again.</summary>
    private void TakeAnswer(Claim claim, bool isAnswered)
    {
        if (isAnswered) Decide(claim);
        else _held.Add(claim);
    }

    private void Begin(Claim claim, bool isMine)
    {
        if (!_clock.TryNext(out Stamp stamp))
        {
            claim.Answer(SessionClaim.Unavailable("the clock of the cluster cannot be kept on disk"));
            return;
        }

        claim.Stamp = stamp;
        if (!_own.TryGetValue(claim.ClientId, out OwnSession? own)) _own.Add(claim.ClientId, own = new OwnSession(claim.ClientId) { User = claim.User });
        own.ClaimStamp = stamp;
        own.Waiting++;
        bool waits = false;
        if (claim.Request.CleanStart && MayBeElsewhere(claim.ClientId))
        {
            claim.OnDisk = AddTombstone(claim.ClientId, stamp, claim.User);
            Tell(new SessionEntry(claim.ClientId, SessionKind.Void, stamp, claim.User));
            waits = true;
        }

        if (claim.Request.IsKept && !isMine)
        {
            if (!own.IsGranted)
            {
                own.User = claim.User;
                own.IsNamed = true;
            }

            claim.IsTold = true;
            Tell(claim.Entry);
            waits = true;
        }

        if (!waits)
        {
            Grant(claim, own);
            return;
        }

        (claim.Version, claim.SinceMs) = (Version, _nowMs);
        _waiting.Enqueue(claim);
    }

    private void SettleClaims()
    {
        long seen = long.MaxValue;
        foreach (MeshPeer peer in _peers)
        {
            // Whoever has said who it is gets to know what this node has, and may be about to begin the same.
            if (peer.Link is { } link) seen = Math.Min(seen, link.SessionsSeen);
        }

        while (_waiting.TryPeek(out Claim? claim) && claim.Version <= seen)
        {
            if (claim.OnDisk is { IsDone: false } onDisk)
            {
                if (!claim.IsAwaited) onDisk.WhenDone(_wake);
                claim.IsAwaited = true;
                return;
            }

            _waiting.Dequeue();
            Settle(claim, _own[claim.ClientId]);
        }
    }

    /// <summary>All linked nodes know of a claim; what stands against it has been told before that.</summary>
    private void Settle(Claim claim, OwnSession own)
    {
        SessionClaim? objection = FindObjection(claim, own, out bool looksAgain);
        if (objection is null && !looksAgain)
        {
            Grant(claim, own);
            return;
        }

        own.Waiting--;
        Reconcile(own);
        if (claim.IsTold) TellWithdrawn(own);
        if (looksAgain) Decide(claim);
        else claim.Answer(objection!.Value);
    }

    /// <summary>A claim is over of which others were told: they have it in the place of what is here.</summary>
    private void TellWithdrawn(OwnSession own)
    {
        bool isThere = _own.ContainsKey(own.ClientId);
        if (isThere && own is { IsGranted: true, IsKept: true }) Tell(own);
        else if (!own.IsNamed && own.Waiting == 0) Tell(new SessionEntry(own.ClientId, SessionKind.Gone, Stamp.None, own.User));
    }

    private SessionClaim? FindObjection(Claim claim, OwnSession own, out bool looksAgain)
    {
        looksAgain = false;
        if (claim.IsAbandoned) return default(SessionClaim);
        if (Math.Max(own.VoidBelow.Value, own.CloseBelow.Value) > claim.Stamp.Value) return SessionClaim.Busy();
        SessionEntry mine = claim.Entry;
        foreach (MeshPeer peer in _peers)
        {
            if (IsPassedOver(claim, peer) || peer.Sessions.Find(claim.ClientId) is not { Kind: not SessionKind.Frozen } other) continue;
            if (other.Stamp.Value < mine.Stamp.Value && other.IsKeptFrom(claim.User))
            {
                return SessionClaim.Foreign($"its session is on node {peer.Outbox.Node}");
            }

            // A session that is there, of which this node did not know when the client came.
            if (other.Kind == SessionKind.Kept && !claim.Request.CleanStart) looksAgain = !own.IsOwned;
            else if (other.Beats(mine)) return SessionClaim.Busy();
        }

        return null;
    }

    private void Grant(Claim claim, OwnSession own)
    {
        own.Waiting--;
        own.Pending++;
        own.IsGranted = true;
        own.IsKept = claim.Request.IsKept;
        own.User = claim.User;
        if (claim.Stamp.Value > own.Stamp.Value) own.Stamp = claim.Stamp;
        own.IsFrozen = false;
        Tell(own);
        Judge(own);
        claim.Answer(SessionClaim.Granted(new Epoch(claim.Grant, claim.Stamp)));
    }

    private void TakeConnected(string clientId, Epoch epoch, ConnectionLease lease)
    {
        if (!_own.TryGetValue(clientId, out OwnSession? own)) return;
        own.Pending--;
        Stamp stamp = epoch.Stamp;
        if (stamp.Value > own.SessionStamp.Value) own.SessionStamp = stamp;
        if (own.IsFrozen || stamp.Value < own.CloseBelow.Value) _broker.CloseConnection(lease);
        EndCondemned(own);
        Reconcile(own);
    }

    private void TakeReleased(string clientId)
    {
        if (!_own.TryGetValue(clientId, out OwnSession? own)) return;
        own.Pending--;
        EndCondemned(own);
        Reconcile(own);
        KeepWhatStays(own);
    }

    /// <summary>A session that would have ended with its next connection stays, since that never came: the others have been told that it is gone.</summary>
    private void KeepWhatStays(OwnSession own)
    {
        if (own.IsKept || own.Pending > 0 || _broker.FindSession(own.ClientId) is not { HasEnded: false, OutlivesConnection: true }) return;
        own.IsKept = true;
        Tell(own);
    }

    private void TakeEnded(string clientId)
    {
        if (_own.TryGetValue(clientId, out OwnSession? own)) Reconcile(own);
    }

    /// <summary>Nothing of what is void can come any more.</summary>
    private void EndCondemned(OwnSession own)
    {
        if (own.Pending > 0 || own.Condemned is not { } condemned) return;
        own.Condemned = null;
        if (_broker.EndSession(own.ClientId) is { } ended) ended.WhenDone(condemned.Complete);
        else condemned.Complete();
        Reconsider();
    }

    /// <summary>Forgets what is not there any more, and tells the others.</summary>
    private void Reconcile(OwnSession own)
    {
        if (own.Pending > 0 || own.Waiting > 0) return;
        if (own.IsGranted && _broker.FindSession(own.ClientId) is { HasEnded: false }) return;
        _own.Remove(own.ClientId);
        if (own.IsNamed) TellGone(own);
    }

    /// <summary>Looks again at those who were held.</summary>
    private void Reconsider()
    {
        Claim[] held = [.. _held];
        _held.Clear();
        foreach (Claim claim in held) Decide(claim);
    }

    private (MeshPeer Peer, SessionEntry Entry)? FindOwner(Claim claim)
    {
        (MeshPeer, SessionEntry Entry)? found = null;
        foreach (MeshPeer peer in _peers)
        {
            if (IsPassedOver(claim, peer) || peer.Sessions.Find(claim.ClientId) is not { Kind: SessionKind.Kept } entry) continue;
            if (found is null || entry.Beats(found.Value.Entry)) found = (peer, entry);
        }

        return found;
    }
}
