using System.Collections.Concurrent;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Cluster.State;
using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Wills;

/// <summary>
/// Has the wills of a dead node's clients published once. Each voter tells the others the wills of its clients; when the voters find a node dead, the one that
/// they name publishes them, unless their clients have come to another node. Only on the thread that serves the cluster, but for <see cref="Note"/>.
/// </summary>
internal sealed partial class WillKeeper
{
    // So that a thousand wills do not hold up the links.
    private const int MostPerTick = 64;

    // Who is to publish a will, is there, and has said nothing for this long past its time has published it, and the word of it was lost with a link.
    private const long LongOverdueMs = 60_000;

    private readonly Broker _broker;
    private readonly IReadOnlyDictionary<byte, MeshPeer> _peers;
    private readonly IMeshConsensus _consensus;
    private readonly NodeMonitor _monitor;
    private readonly Func<string, Stamp> _stampOf;
    private readonly byte _node;
    private readonly Action _wake;
    private readonly ILogger _log;
    private readonly ConcurrentQueue<string> _noted = new();
    private readonly Dictionary<string, OwnWill> _own = new(StringComparer.Ordinal);
    private long _ownBytes;
    private long _incarnation;

    /// <param name="broker">The broker, with the sessions of the store.</param>
    /// <param name="node">This node.</param>
    /// <param name="peers">The other nodes.</param>
    /// <param name="consensus">What the voters agree on.</param>
    /// <param name="monitor">This node as they know it.</param>
    /// <param name="stampOf">The stamp of a client's connection.</param>
    /// <param name="wake">Called on any thread when <see cref="Run"/> is worth a call.</param>
    /// <param name="log">Event ids 10005-10006.</param>
    public WillKeeper(
        Broker broker, byte node, IReadOnlyDictionary<byte, MeshPeer> peers, IMeshConsensus consensus, NodeMonitor monitor, Func<string, Stamp> stampOf,
        Action wake, ILogger log)
    {
        (_broker, _node, _peers, _consensus, _monitor) = (broker, node, peers, consensus, monitor);
        (_stampOf, _wake, _log) = (stampOf, wake, log);
        foreach (string clientId in broker.ClientsWithWill)
        {
            Look(clientId);
            // The life of the process that took it has told the others, as far as anybody knows.
            if (_own.TryGetValue(clientId, out OwnWill? own)) own.IsTold = true;
        }

        broker.WillChanged = Note;
    }

    /// <summary>Wills of this node's clients that the others do not get a copy of, there being too many; each counts once.</summary>
    public long NotCopied { get; private set; }

    /// <summary>Wills of dead nodes' clients that this one has published.</summary>
    public long Published { get; private set; }

    /// <summary>A client has another will, or none any more; any thread.</summary>
    public void Note(string clientId)
    {
        _noted.Enqueue(clientId);
        _wake();
    }

    /// <summary>Tells the others what has changed.</summary>
    public void Run()
    {
        HashSet<string> changed = [];
        while (_noted.TryDequeue(out string? clientId)) changed.Add(clientId);
        foreach (string clientId in changed) Look(clientId);
        // What is told before the voters know of this start could be taken for that of an earlier one.
        if (_incarnation == 0) return;
        foreach (MeshPeer peer in _peers.Values)
        {
            if (peer.Link is not { } link || !_consensus.View.Members.ContainsKey(peer.Node)) continue;
            if (link.Wills?.Incarnation != _incarnation) link.Wills = new WillFeed(link, _incarnation, _own.Keys, Tell);
            link.Wills.Run();
        }
    }

    /// <summary>Time passes: what is due is published, where that is this node's task.</summary>
    public void Tick(long nowMs)
    {
        if (_monitor.Incarnation != _incarnation) Begin(_monitor.Incarnation);
        ClusterView view = _consensus.View;
        int most = MostPerTick;
        foreach (MeshPeer peer in _peers.Values)
        {
            if (!view.Members.TryGetValue(peer.Node, out ClusterMember? member)) continue;
            peer.Wills.NoteDeath(member.DeadIncarnation, nowMs);
            foreach ((string clientId, DueWill due) in peer.Wills.Due.Where(one => one.Value.DueMs <= nowMs).ToArray())
            {
                if (member.WillsBy != _node)
                {
                    if (nowMs - due.DueMs >= LongOverdueMs && IsThere(member.WillsBy, view)) peer.Wills.Drop(clientId);
                    continue;
                }

                // Without a majority another node may have the task by now.
                if (_incarnation == 0 || !_consensus.HasMajority) continue;
                if (!due.IsPublished && most-- > 0) Publish(peer, clientId, due);
                if (due is { IsPublished: true, Kept: null or { IsDone: true } }) Finish(peer, clientId, due);
            }
        }
    }

    /// <summary>A client has connected, here or on another node.</summary>
    public void Cancel(string clientId, Stamp connected)
    {
        foreach (MeshPeer peer in _peers.Values) peer.Wills.Cancel(clientId, connected);
    }

    /// <summary>Another node has told something of wills; false: it breaks the protocol.</summary>
    public bool Take(MeshPeer peer, in WillFrame frame)
    {
        if (frame.News != WillNews.Published) return peer.Wills.Take(frame);
        if (_peers.TryGetValue(frame.Node, out MeshPeer? dead)) dead.Wills.Finish(frame.ClientId, frame.Stamp);
        return true;
    }

    /// <summary>The voters know of this start; 0: they do not any more.</summary>
    private void Begin(long incarnation)
    {
        _incarnation = incarnation;
        if (incarnation == 0 || !_consensus.View.Members.TryGetValue(_node, out ClusterMember? self)) return;
        if (self.DeadIncarnation != incarnation - 1 || self.WillsBy == 0) return;
        // They took the former one for dead, and another node publishes its clients' wills.
        string[] told = [.. _own.Where(one => one.Value.IsTold).Select(one => one.Key)];
        foreach (string clientId in told) _broker.DiscardWill(clientId);
        if (told.Length > 0) LogDiscarded(_log, told.Length, self.WillsBy);
    }

    // 0: nobody has the task, and nobody will.
    private bool IsThere(byte node, ClusterView view) =>
        node == 0 || (view.Find(node) is { State: MemberState.Up } && _peers.GetValueOrDefault(node)?.Link is { IsLinked: true });

    private void Look(string clientId)
    {
        bool wasThere = _own.Remove(clientId, out OwnWill? former);
        if (wasThere) _ownBytes -= former!.Bytes;
        HeldWill? will = _broker.FindWill(clientId);
        // A node's own topics are nobody else's.
        if (will is not null && !will.Message.Topic.AsSpan().StartsWith("$SYS/"u8))
        {
            int bytes = WillFrames.BytesOf(clientId, will);
            if (_ownBytes + bytes <= WillFrames.MostBytes)
            {
                _own.Add(clientId, new OwnWill(bytes, _stampOf(clientId)));
                _ownBytes += bytes;
                wasThere = true;
            }
            else
            {
                NotCopied++;
            }
        }

        if (!wasThere) return;
        foreach (MeshPeer peer in _peers.Values) peer.Link?.Wills?.Add(clientId);
    }

    // As it is now: it may have changed since it was noted, and is looked at again then.
    private WillCopy? Tell(string clientId)
    {
        if (!_own.TryGetValue(clientId, out OwnWill? own) || _broker.FindWill(clientId) is not { } will) return null;
        if (WillFrames.BytesOf(clientId, will) != own.Bytes) return null;
        own.IsTold = true;
        return new WillCopy(own.Stamp, will);
    }

    private void Publish(MeshPeer peer, string clientId, DueWill due)
    {
        due.IsPublished = true;
        due.Kept = _broker.PublishWill(clientId, due.Copy.Will);
        Published++;
        LogPublished(_log, clientId, peer.Node);
    }

    private void Finish(MeshPeer dead, string clientId, DueWill due)
    {
        dead.Wills.Finish(clientId, due.Copy.Stamp);
        byte[] frame = WillFrames.Write(new WillFrame(WillNews.Published, dead.Node, 0, clientId, due.Copy.Stamp));
        foreach (MeshPeer peer in _peers.Values) peer.Link?.Send(frame);
    }

    [LoggerMessage(10005, LogLevel.Information, "the will of client {Client} is published: its node {Node} is dead")]
    private static partial void LogPublished(ILogger log, string client, int node);

    [LoggerMessage(
        10006, LogLevel.Warning, "this node was taken for dead: the wills of {Count} client(s) are node {Node}'s to publish, and are dropped here")]
    private static partial void LogDiscarded(ILogger log, int count, int node);

    /// <summary>A will of a client of this node that the others get a copy of.</summary>
    private sealed class OwnWill(int bytes, Stamp stamp)
    {
        public int Bytes => bytes;

        public Stamp Stamp => stamp;

        /// <summary>Whether some other node has been told.</summary>
        public bool IsTold { get; set; }
    }
}
