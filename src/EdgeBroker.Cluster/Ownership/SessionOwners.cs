using System.Collections.Concurrent;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Ownership;

/// <summary>
/// Which node has the session of a client. Each node tells the others what it has and each change; the newest connection decides. All on the thread that serves
/// the cluster; other threads note what they want.
/// </summary>
internal sealed partial class SessionOwners
{
    /// <summary>Tombstones at most; of more, some are forgotten.</summary>
    private const int MostTombstones = 100_000;

    private readonly Broker _broker;
    private readonly IReadOnlyCollection<MeshPeer> _peers;
    private readonly ClusterClock _clock;
    private readonly Action _wake;
    private readonly ILogger _log;
    private readonly ConcurrentQueue<Action> _notes = new();
    private readonly Dictionary<string, OwnSession> _own = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Stamp Below, long Version, UInt128 User)> _tombstones = new(StringComparer.Ordinal);
    private readonly Queue<Claim> _waiting = new();
    private readonly List<Claim> _held = [];
    private readonly long _deadAfterMs;
    private readonly long _startMs;
    private long _nowMs;
    private bool _isOpen;

    /// <param name="broker">The broker, with the sessions of the store.</param>
    /// <param name="restored">What the store holds of the cluster.</param>
    /// <param name="peers">The other nodes.</param>
    /// <param name="clock">Gives out stamps.</param>
    /// <param name="options">What the node is told.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="wake">Called on any thread when <see cref="Run"/> is worth a call.</param>
    /// <param name="log">Event ids 10003-10004.</param>
    public SessionOwners(
        Broker broker, RestoredMesh restored, IReadOnlyCollection<MeshPeer> peers, ClusterClock clock,
        MeshOptions options, long nowMs, Action wake, ILogger log)
    {
        (_broker, _peers, _clock, _wake, _log) = (broker, peers, clock, wake, log);
        (_startMs, _nowMs, _deadAfterMs) = (nowMs, nowMs, (long)options.DeadAfter.TotalMilliseconds);
        var stamps = new Dictionary<string, Stamp>(StringComparer.Ordinal);
        foreach ((string id, Stamp connectedAt) in restored.Owned) stamps[id] = connectedAt;
        foreach ((string id, string? user) in broker.KeptSessions)
        {
            // One from before the cluster is older than all; so that not two of one client are equally old, the node decides.
            Stamp stamp = stamps.TryGetValue(id, out Stamp known) && !known.IsNone ? known : new Stamp(options.Node);
            _own.Add(id, new OwnSession(id)
            {
                IsGranted = true,
                IsKept = true,
                IsNamed = true,
                Stamp = stamp,
                ClaimStamp = stamp,
                SessionStamp = stamp,
                User = SessionEntry.MarkOf(user),
            });
        }

        foreach (SessionTombstone one in restored.Tombstones) _tombstones[one.ClientId] = (one.Below, 0, SessionEntry.Anybody);
    }

    /// <summary>The version of what has been told.</summary>
    public long Version { get; private set; }

    /// <summary>Sessions that outlive their connections and are this node's.</summary>
    public int OwnedCount => _own.Values.Count(one => one.IsOwned);

    /// <summary>Sessions that were passed over.</summary>
    public int FrozenCount => _own.Values.Count(one => one.IsFrozen);

    /// <summary>Claims that wait.</summary>
    public int WaitingCount => _waiting.Count + _held.Count + (Heirs?.Count ?? 0);

    /// <summary>Who may have the sessions of dead nodes; null: nobody votes on that.</summary>
    public Heirs? Heirs { get; private set; }

    /// <summary>When this node started.</summary>
    public long StartMs => _startMs;

    /// <summary>Whether this node has the session of a client that outlives its connection, and no other node has a newer one.</summary>
    public bool Owns(string clientId) => _own.GetValueOrDefault(clientId) is { IsOwned: true };

    /// <summary>Why no client is let in any more; null: clients are.</summary>
    public string? Refusal { get; set; }

    /// <summary>Is told of each connection of a client, here or on another node, and its stamp; null: nobody wants to know.</summary>
    public Action<string, Stamp>? ClientConnected { get; set; }

    /// <summary>The stamp of the last connection a client was let in with; none: there is nothing of it here.</summary>
    public Stamp StampOf(string clientId) => _own.GetValueOrDefault(clientId)?.Stamp ?? Stamp.None;

    /// <summary>Has the voters decide who may have the sessions of dead nodes.</summary>
    public void Join(IMeshConsensus consensus, NodeMonitor monitor, MeshOptions options) =>
        Heirs = new Heirs(consensus, monitor, options, IsLinked, TakeAnswer);

    /// <summary>Claims a session; any thread.</summary>
    public ValueTask<SessionClaim> ClaimAsync(in SessionRequest request, CancellationToken cancel)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(request.ClientId) > SessionFrames.MostIdBytes)
        {
            return new(SessionClaim.Unavailable($"a cluster takes client ids of {SessionFrames.MostIdBytes} bytes at most"));
        }

        var claim = new Claim(request, cancel);
        Note(() => Decide(claim));
        return new(claim.Task);
    }

    /// <summary>A granted claim has come to a connection; any thread.</summary>
    public void Connected(string clientId, Epoch epoch, ConnectionLease lease) => Note(() => TakeConnected(clientId, epoch, lease));

    /// <summary>A granted claim came to nothing; any thread.</summary>
    public void Release(string clientId, Epoch epoch) => Note(() => TakeReleased(clientId));

    /// <summary>A session has ended; any thread.</summary>
    public void Ended(string clientId) => Note(() => TakeEnded(clientId));

    /// <summary>All there is to tell another node.</summary>
    public IReadOnlyList<byte[]> WriteAll()
    {
        IEnumerable<SessionEntry> over = _tombstones.Select(one => new SessionEntry(one.Key, SessionKind.Void, one.Value.Below, one.Value.User));
        IEnumerable<SessionEntry> present = _own.Values.Where(one => one.IsGranted).Select(one => one.Entry);
        // As to who was there when they came: a claim stands in the place of what is still here, but of a session that its client is to find.
        IEnumerable<SessionEntry> claims = _waiting.Where(one => one.IsTold && !_own[one.ClientId].IsOwned).Select(one => one.Entry);
        return SessionFrames.Write(Version, [.. over, .. present, .. claims], isFull: true);
    }

    /// <summary>Does what other threads have noted, and answers who has waited long enough.</summary>
    public void Run()
    {
        while (_notes.TryDequeue(out Action? note)) note();
        SettleClaims();
    }

    /// <summary>Time passes.</summary>
    public void Tick(long nowMs)
    {
        _nowMs = nowMs;
        _isOpen |= nowMs - _startMs >= _deadAfterMs;
        Reconsider();
        SweepTombstones();
    }

    /// <summary>The version that some linked node has let a client wait for too long; -1: none does.</summary>
    public long FindLate() =>
        _waiting.TryPeek(out Claim? first) && _nowMs - first.SinceMs > _deadAfterMs ? first.Version : -1;

    /// <summary>Another node has something of a client, or not any more.</summary>
    /// <returns>What is to be on disk before it may be told that this has been seen; null: nothing.</returns>
    public Completion? Take(MeshPeer peer, in SessionEntry entry)
    {
        peer.Sessions.Set(entry);
        if (entry.Kind is SessionKind.Kept or SessionKind.Connection) ClientConnected?.Invoke(entry.ClientId, entry.Stamp);
        OwnSession? own = _own.GetValueOrDefault(entry.ClientId);
        if (own is null) return null;
        switch (entry.Kind)
        {
            case SessionKind.Connection:
                CloseOlder(own, entry);
                return null;
            case SessionKind.Void:
                return EndOlder(own, entry);
            case SessionKind.Gone:
                Completion? ended = entry.Stamp.IsNone ? null : EndOlder(own, entry);
                Judge(own);
                return ended;
            default:
                Judge(own);
                return null;
        }
    }

    /// <summary>Another node has told all it has.</summary>
    public void TakeAll(MeshPeer peer)
    {
        peer.Sessions.EndAll();
        foreach (OwnSession own in _own.Values.ToArray()) Judge(own);
        Reconsider();
    }

    private bool IsLinked(byte node) => _peers.Any(peer => peer.Node == node && peer.Link is { IsLinked: true });

    private void Note(Action note)
    {
        _notes.Enqueue(note);
        _wake();
    }

    private void Tell(params ReadOnlySpan<SessionEntry> entries)
    {
        Version++;
        foreach (byte[] frame in SessionFrames.Write(Version, entries.ToArray(), isFull: false))
        {
            foreach (MeshPeer peer in _peers) peer.Link?.Send(frame);
        }
    }

    /// <summary>Tells the others how a session stands.</summary>
    private void Tell(OwnSession own)
    {
        SessionEntry entry = own.Entry;
        bool wasNamed = own.IsNamed;
        own.IsNamed = entry.Kind != SessionKind.Connection;
        if (wasNamed && !own.IsNamed) TellGone(own);
        Tell(entry);
        if (entry.Kind != SessionKind.Frozen || own.Waiting == 0) return;
        foreach (Claim claim in _waiting.Where(one => one.IsTold && one.ClientId == own.ClientId)) Tell(claim.Entry);
    }

    /// <summary>
    /// Tells that there is no session any more that outlives its connection. Where its client knew it, that is the end of older ones as well, which other nodes
    /// may still have.
    /// </summary>
    private void TellGone(OwnSession own)
    {
        Stamp below = own is { IsGranted: true, IsFrozen: false } ? own.SessionStamp : Stamp.None;
        if (!below.IsNone && MayBeElsewhere(own.ClientId)) AddTombstone(own.ClientId, below, own.User);
        Tell(new SessionEntry(own.ClientId, SessionKind.Gone, below, own.User));
    }

    /// <summary>Whether another node may have something older of a client.</summary>
    private bool MayBeElsewhere(string clientId) => _peers.Any(peer => !peer.Sessions.IsKnown || peer.Sessions.Find(clientId) is not null);

    /// <summary>Has older sessions of a client end wherever they are, also on nodes that are away.</summary>
    private SessionTombstoneChanged AddTombstone(string clientId, Stamp below, UInt128 user)
    {
        if (_tombstones.Count >= MostTombstones && !_tombstones.ContainsKey(clientId)) Forget(_tombstones.Keys.First());
        _tombstones[clientId] = (below, Version + 1, user);
        return Keep(new SessionTombstone(clientId, below));
    }

    private SessionTombstoneChanged Keep(SessionTombstone tombstone)
    {
        var fact = new SessionTombstoneChanged(tombstone);
        if (_broker.Journal.IsDurable) _broker.Journal.Append(fact);
        else fact.Complete();
        return fact;
    }

    private void SweepTombstones()
    {
        if (_tombstones.Count == 0) return;
        long seen = _peers.Select(peer => peer.Sessions.Seen).DefaultIfEmpty(Version).Min();
        foreach (string id in _tombstones.Where(one => one.Value.Version <= seen).Select(one => one.Key).ToArray()) Forget(id);
    }

    private void Forget(string clientId)
    {
        _tombstones.Remove(clientId);
        Keep(new SessionTombstone(clientId, Stamp.None));
    }

    /// <summary>Whether a session is passed over, as what the others have says, and what follows from that.</summary>
    private void Judge(OwnSession own)
    {
        bool isFrozen = false;
        if (own.IsGranted)
        {
            SessionEntry entry = own.Entry;
            foreach (MeshPeer peer in _peers) isFrozen |= peer.Sessions.Find(own.ClientId) is { Kind: SessionKind.Kept } other && other.Beats(entry);
        }

        if (isFrozen == own.IsFrozen) return;
        own.IsFrozen = isFrozen;
        // Whichever it is: it was granted here, and so is older.
        if (isFrozen) _broker.CloseConnection(own.ClientId);
        if (own.IsKept) Tell(own);
        if (own.IsKept && isFrozen) LogFrozen(_log, own.ClientId);
    }

    /// <summary>Its client has a newer connection elsewhere.</summary>
    private void CloseOlder(OwnSession own, in SessionEntry newer)
    {
        if (!newer.Beats(own.Entry))
        {
            // Clocks differ by what a link takes: the other node may have let its client in without knowing of this connection, and has forgotten it since.
            if (own.IsGranted && _broker.FindLink(own.ClientId) is not null) Tell(own.Entry);
            return;
        }

        own.CloseBelow = newer.Stamp;
        _broker.CloseConnection(own.ClientId);
    }

    /// <summary>Its client has begun anew elsewhere.</summary>
    private Completion? EndOlder(OwnSession own, in SessionEntry newer)
    {
        if (!newer.Beats(own.Entry)) return null;
        own.VoidBelow = newer.Stamp;
        if (!own.IsGranted) return null;
        Completion? ended = _broker.EndSession(own.ClientId);
        if (own.Pending == 0) return ended;
        own.Condemned ??= new OwnSession.Condemnation();
        return Completion.Both(ended, own.Condemned);
    }

    [LoggerMessage(10003, LogLevel.Warning, "client {Client} has a newer session on another node: the one here is set aside, what waits in it stays on disk")]
    private static partial void LogFrozen(ILogger log, string client);
}
