using EdgeBroker.Cluster.Interest;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Cluster;

// One turn: what is done whenever something has come, or was noted by another thread.
public sealed partial class MeshNode
{
    private long _drainedOrdinal;

    private void RunTurn(ClusterClock clock)
    {
        foreach (PeerLink failed in _links.FindAll(one => one.Failure is not null)) Close(failed, failed.Failure!);
        Sessions.Run();
        SendInterest();
        SendRetained(clock);
        _wills?.Run();
        foreach (MeshPeer peer in _peers.Values) Serve(peer);
        // What was told just now may be what somebody waits for.
        SettleBarriers();
    }

    private void Serve(MeshPeer peer)
    {
        peer.Inbox.Run((lane, through) => peer.Link?.SendSeen(lane, through));
        if (peer.Link is not { } link) return;
        link.TellSeen();
        peer.Outbox.Pump(_context);
        link.Retained!.Run(_broker.Clock.NowMs);
        if (!link.IsLinked || link.HasBeenLinked) return;
        link.HasBeenLinked = true;
        LogUp(_log, peer.Outbox.Node, peer.Name);
    }

    private void SendInterest()
    {
        List<InterestChange> changes = _interest.Take();
        if (changes.Count == 0) return;
        List<byte[]> frames = [.. InterestFrames.Write(_interest.Version, changes, isFull: false)];
        foreach (MeshPeer peer in _peers.Values)
        {
            if (peer.Link is { } link) frames.ForEach(link.Send);
        }
    }

    /// <summary>Sends the values that were published here; those of others they send themselves, and what got lost on the way is repaired.</summary>
    private void SendRetained(ClusterClock clock)
    {
        long through = _broker.Retained.LastOrdinal;
        HashSet<byte[]> topics = _changes.Take(out bool isOver);
        foreach (MeshPeer peer in _peers.Values)
        {
            if (isOver) peer.Link?.Retained!.Ask(_drainedOrdinal);
        }

        foreach (byte[] topic in topics)
        {
            if (_broker.Retained.Look(topic) is not { } row || ClusterClock.NodeOf(row.Stamp) != _options.Node) continue;
            foreach (MeshPeer peer in _peers.Values) peer.Link?.Retained!.Send(row, _broker.Clock.NowMs);
        }

        _drainedOrdinal = through;
    }

    private void SettleBarriers()
    {
        long versions = long.MaxValue;
        foreach (MeshPeer peer in _peers.Values)
        {
            if (peer.Link is { IsLinked: true } link) versions = Math.Min(versions, link.SeenVersion);
        }

        Volatile.Write(ref _linkedVersions, versions);
        while (_askedBarriers.TryDequeue(out Barrier? asked))
        {
            asked.SinceMs = _nowMs;
            _barriers.Add(asked);
        }

        foreach (Barrier done in _barriers.FindAll(one => one.Version <= versions)) done.Complete();
        _barriers.RemoveAll(one => one.IsDone);
    }

    /// <summary>A node that lets SUBACKs or CONNACKs wait for too long is not linked any more: that ends their wait.</summary>
    private void CloseUnanswering(long nowMs)
    {
        long lateSessions = Sessions.FindLate();
        foreach (MeshPeer peer in _peers.Values)
        {
            if (peer.Link is { } link && link.SessionsSeen < lateSessions) Close(link, "it does not say that it knows a session");
        }

        if (_barriers.Find(one => nowMs - one.SinceMs > _options.DeadAfter.TotalMilliseconds) is not { } late) return;
        foreach (MeshPeer peer in _peers.Values)
        {
            if (peer.Link is { IsLinked: true } link && link.SeenVersion < late.Version) Close(link, "it does not say that it knows a filter");
        }
    }

    private void Ping(PeerLink link)
    {
        link.PingedMs = _nowMs;
        if (_monitor is { } monitor) link.Send(ConsensusFrames.Write(monitor.Sight));
        link.SendNumber(FrameType.Ping, _clock!.Now.Value);
    }

    private Hello HelloFor(MeshPeer peer) => new()
    {
        ClusterId = _options.ClusterId,
        Node = _options.Node,
        Name = _options.Name,
        StoreId = _restored!.StoreId,
        Life = _life,
        Clock = _clock!.Now,
        MaxMessageBytes = MaxMessageBytes,
        RetainedCursor = peer.RetainedCursor,
        RetainedLife = peer.RetainedLife,
        Lanes = peer.Outbox.Lanes,
    };

    private long SinceOf(Hello theirs) => theirs.RetainedLife == _life ? theirs.RetainedCursor : 0;

    private string? FindObjection(PeerLink link, Hello theirs)
    {
        if (theirs.WireMax < Hello.OldestWire || theirs.WireMin > Hello.NewestWire)
        {
            return $"versions {theirs.WireMin} to {theirs.WireMax} of the link's protocol, here {Hello.OldestWire} to {Hello.NewestWire}:"
                + " upgrade the older node";
        }

        if (theirs.ClusterId != _options.ClusterId) return "a node of another cluster: its certificate is of another authority";
        if (link.Expected is { } expected && theirs.Node != expected) return $"node {theirs.Node} at the address of node {expected}: see cluster.peers";
        if (theirs.Node == _options.Node) return $"another node {theirs.Node}: each needs a cluster.node_id of its own";
        if (!_peers.ContainsKey(theirs.Node)) return $"node {theirs.Node} is not in cluster.peers";
        return TryMerge(theirs.Clock) ? null : "its clock is more than 400 days ahead";
    }

    // Under the lock of the retained values.
    private void NoteChange(byte[] topic)
    {
        if (_changes.Note(topic)) RequestRun();
    }

    private MeshStatus Describe() => new(
        _options.Node,
        _options.Name,
        _interest.Version,
        _interest.Filters.Count,
        new SessionCounts(Sessions.OwnedCount, Sessions.FrozenCount, Sessions.WaitingCount),
        [.. _peers.Values.Select(Describe)])
    {
        Voters = DescribeVoters(),
        Wills = _wills is { } wills ? new WillCounts(_peers.Values.Sum(peer => peer.Wills.Count), wills.NotCopied, wills.Published) : null,
    };

    private PeerStatus Describe(MeshPeer peer) => new(
        peer.Outbox.Node,
        peer.Name,
        peer.Link is not { } link ? "away" : link.IsLinked ? "linked" : "linking",
        _nowMs - peer.SinceMs,
        peer.Cause,
        peer.Outbox.PendingMessages,
        peer.Outbox.FilterCount,
        peer.Inbox.Taken,
        peer.Inbox.Repeated);

    /// <summary>What a SUBACK waits for.</summary>
    private sealed class Barrier(long version) : Completion
    {
        public long Version => version;

        public long SinceMs { get; set; }
    }
}
