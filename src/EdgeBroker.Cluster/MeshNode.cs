using System.Collections.Concurrent;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Forwarding;
using EdgeBroker.Cluster.Interest;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Cluster.Ownership;
using EdgeBroker.Cluster.Retained;
using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster;

/// <summary>
/// A node of an active-active mesh: what its subscribers want is known to the others, and theirs to it, messages go to the nodes that want them, and retained
/// values are the same everywhere. It does no IO, keeps no thread and reads no clock: one thread, which its owner provides, brings it bytes and time and has it
/// run; what other threads want of it is noted without a lock.
/// </summary>
public sealed partial class MeshNode : ICluster
{
    // Of what comes as one message: the topic, which is outside of a packet's limit of ours, and the other's own fields.
    private const int MessageSlack = 2 * ushort.MaxValue;
    private const int PingMs = 500;
    private const int RepairMs = 10 * 60 * 1000;

    private readonly Broker _broker;
    private readonly MeshOptions _options;
    private readonly ILogger _log;
    private readonly RoutingContext _context;
    private readonly InterestLog _interest = new();
    private readonly RetainedChanges _changes = new();
    private readonly RetainedCare _care;
    private readonly SortedDictionary<byte, MeshPeer> _peers = [];
    private readonly List<PeerLink> _links = [];
    private readonly ConcurrentQueue<Barrier> _askedBarriers = new();
    private readonly List<Barrier> _barriers = [];
    private readonly Dictionary<PeerLaneId, long> _taken = [];
    private readonly Action _runRequested;
    private ClusterClock? _clock;
    private RestoredMesh? _restored;
    private SessionOwners? _sessions;
    private NodeMonitor? _monitor;
    private MeshStatus _status;
    private long _life;
    private long _nowMs;
    private long _repairedMs;
    private long _linkedVersions = long.MaxValue;
    private int _requested;

    /// <param name="broker">The broker; nothing has been restored in it yet.</param>
    /// <param name="options">What the node is told.</param>
    /// <param name="log">Event ids 10000-10019.</param>
    public MeshNode(Broker broker, MeshOptions options, ILogger log)
    {
        _broker = broker;
        _options = options;
        _log = log;
        _context = broker.CreatePeerContext();
        _care = new RetainedCare(broker, options.Tombstones);
        _runRequested = () => RunRequested();
        _status = new MeshStatus(options.Node, options.Name, 0, 0, default, []);
        broker.Cluster = this;
        broker.Subscriptions.Observer = _interest;
        broker.Retained.Changed = NoteChange;
    }

    /// <summary>Called when <see cref="Run"/> is worth a call; on any thread, holding no lock. Set before <see cref="Start"/>.</summary>
    public Action RunRequested { get; set; } = static () => { };

    /// <summary>What there is to show, as of the last tick; any thread.</summary>
    public MeshStatus Status => Volatile.Read(ref _status);

    /// <summary>The version of this node's interest that has been sent.</summary>
    internal long InterestVersion => _interest.Version;

    /// <summary>The version of what this node's subscribers want now.</summary>
    internal long NotedVersion => _interest.NotedVersion;

    internal int MaxTopicLevels => _broker.Options.MaxTopicLevels;

    internal IEnumerable<MeshPeer> Peers => _peers.Values;

    /// <summary>Which node has which session; once it has started.</summary>
    internal SessionOwners Sessions => _sessions!;

    /// <summary>What the voters agree on; null: nobody votes.</summary>
    internal IMeshConsensus? Consensus { get; private set; }

    private int MaxMessageBytes => MessageSlack + _broker.Options.MaxPacketSizeBytes;

    /// <summary>Begins, once what the store holds is in the broker and before the first connection.</summary>
    /// <param name="restored">What the store holds of the mesh.</param>
    /// <param name="life">Names this life of the process among all: 64 random bits.</param>
    /// <param name="nowMs">The time: milliseconds of any monotonic clock.</param>
    public void Start(RestoredMesh restored, long life, long nowMs)
    {
        (_restored, _life, _nowMs, _repairedMs) = (restored, life, nowMs, nowMs);
        foreach (MessageOrigin one in restored.Taken) _taken[new PeerLaneId(one.Life, one.Lane)] = one.Position;
        _clock = new ClusterClock(_broker.Journal, _options.Node, restored.StampBound, nowMs);
        _broker.Stamps = _clock;
        foreach (byte node in _options.Peers)
        {
            PeerOutbox outbox = _broker.OpenPeer(node, life, _options.MaxQueuedBytes);
            outbox.IsReachable = true;
            _peers.Add(node, new MeshPeer(outbox, new PeerInbox(_broker, _context, RequestRun)) { SinceMs = nowMs, HeardMs = nowMs });
        }

        _sessions = new SessionOwners(_broker, restored, _peers.Values, _clock, _options, nowMs, RequestRun, _log);
    }

    /// <summary>A connection to another node is there.</summary>
    /// <param name="expected">Which node it is, where this one has connected or a certificate says so; null: it will say.</param>
    /// <param name="isDialed">Whether this node has connected, and so speaks first.</param>
    /// <param name="outputAdded">Called when there is something to send, perhaps under a lock of the caller's.</param>
    public PeerLink Open(byte? expected, bool isDialed, Action outputAdded)
    {
        var link = new PeerLink(this, expected, isDialed, _options.MaxLinkBytes, MaxMessageBytes)
        {
            OutputAdded = outputAdded,
            HeardMs = _nowMs,
            OpenedMs = _nowMs,
        };
        _links.Add(link);
        if (isDialed && expected is { } node && _peers.TryGetValue(node, out MeshPeer? peer)) link.Send(HelloFor(peer).ToFrame());
        return link;
    }

    /// <summary>Bytes have come.</summary>
    public void Receive(PeerLink link, ReadOnlySpan<byte> bytes)
    {
        if (link.IsClosed) return;
        link.HeardMs = _nowMs;
        _broker.Loops.Begin();
        try
        {
            link.Feed(bytes);
            _broker.Deliver(_context.Batch, _context);
        }
        finally
        {
            _broker.Loops.End();
        }

        Run();
    }

    /// <summary>The connection of a link is gone, or is to go.</summary>
    /// <param name="link">The link.</param>
    /// <param name="cause">Why.</param>
    public void Close(PeerLink link, string cause)
    {
        if (link.IsClosed) return;
        link.Close(cause);
        _links.Remove(link);
        link.Retained?.Dispose();
        if (link.Peer is not { } peer)
        {
            LogRefused(_log, link.Expected ?? 0, cause);
            return;
        }

        if (!ReferenceEquals(peer.Link, link)) return;
        peer.Link = null;
        peer.Sessions.Break();
        peer.Wills.Break();
        peer.Cause = cause;
        peer.SinceMs = _nowMs;
        peer.HeardMs = link.HeardMs;
        _broker.Loops.Begin();
        try
        {
            peer.Outbox.Detach();
        }
        finally
        {
            _broker.Loops.End();
        }

        LogDown(_log, peer.Outbox.Node, peer.Name, cause);
        // Nobody waits for one that is gone.
        Run();
    }

    /// <summary>Time passes: a few times a second.</summary>
    /// <param name="nowMs">The time.</param>
    public void Tick(long nowMs)
    {
        _nowMs = nowMs;
        _clock!.Tick(nowMs);
        foreach (PeerLink link in _links.ToArray())
        {
            double deadMs = _options.DeadAfter.TotalMilliseconds;
            if (link.Peer is null && nowMs - link.OpenedMs > deadMs) Close(link, "it does not say who it is");
            else if (nowMs - link.HeardMs > deadMs) Close(link, "nothing has been heard of it for a while");
            else if (link.Peer is not null && nowMs - link.PingedMs >= PingMs) Ping(link);
        }

        foreach (MeshPeer peer in _peers.Values)
        {
            peer.Outbox.IsReachable = peer.Link is not null || nowMs - peer.SinceMs < _options.DeadAfter.TotalMilliseconds;
            if (nowMs - _repairedMs >= RepairMs) peer.Link?.SendNumber(FrameType.RetainedSince, peer.RetainedCursor);
        }

        if (nowMs - _repairedMs >= RepairMs) _repairedMs = nowMs;
        // First: whether a majority is there decides whom sessions let in.
        _monitor?.Tick(nowMs);
        _wills?.Tick(nowMs);
        ForgetRemoved();
        Sessions.Tick(nowMs);
        CloseUnanswering(nowMs);
        _care.Tick(_clock, nowMs);
        Run();
        Volatile.Write(ref _status, Describe());
    }

    /// <summary>Does what is to be done: passes on what has changed, tells how far it is, and sends what has room.</summary>
    public void Run()
    {
        if (_clock is null) return;
        Volatile.Write(ref _requested, 0);
        _broker.Loops.Begin();
        try
        {
            RunTurn(_clock);
        }
        finally
        {
            _broker.Loops.End();
        }
    }

    /// <inheritdoc/>
    public ValueTask<SessionClaim> ClaimAsync(in SessionRequest request, CancellationToken cancel) => Sessions.ClaimAsync(request, cancel);

    /// <inheritdoc/>
    public void Connected(string clientId, Epoch epoch, ConnectionLease lease) => Sessions.Connected(clientId, epoch, lease);

    /// <inheritdoc/>
    public void Ended(string clientId) => _sessions?.Ended(clientId);

    /// <inheritdoc/>
    public void Release(string clientId, Epoch epoch) => Sessions.Release(clientId, epoch);

    /// <inheritdoc/>
    public Completion? Subscribed(ReadOnlySpan<byte> filter)
    {
        long version = _interest.NotedVersion;
        if (Volatile.Read(ref _linkedVersions) >= version) return null;
        var barrier = new Barrier(version);
        _askedBarriers.Enqueue(barrier);
        RequestRun();
        return barrier;
    }

    /// <summary>Asks for <see cref="Run"/>; any thread, perhaps under a lock.</summary>
    internal void RequestRun()
    {
        if (Interlocked.Exchange(ref _requested, 1) == 0) _broker.Loops.Defer(_runRequested);
    }

    internal bool TryMerge(Stamp stamp) => _clock!.TryMerge(stamp, _nowMs);

    /// <summary>A value of another node has come; false: it is none.</summary>
    internal bool TakeRow(ReadOnlySpan<byte> bytes)
    {
        if (!MessageFrames.TryReadRow(bytes, MaxTopicLevels, out Core.Messages.Publication row) || !TryMerge(row.Stamp)) return false;
        if (_broker.Options.RetainAvailable) _broker.MergeRetained(row.ToMessage(_broker.Clock.NowMs));
        return true;
    }

    /// <summary>A link has said who it is.</summary>
    /// <returns>Whether it may go on.</returns>
    internal bool Meet(PeerLink link, Hello theirs)
    {
        bool isRemoved = false;
        if ((FindObjection(link, theirs) ?? FindRemoval(theirs, out isRemoved)) is { } objection)
        {
            link.Send(ByeFrame.Write(objection, isRemoved));
            link.Fail(objection);
            return true;
        }

        MeshPeer peer = _peers[theirs.Node];
        peer.Return();
        if (!link.IsDialed) link.Send(HelloFor(peer).ToFrame());
        if (peer.Link is { } older) Close(older, "a newer link of it");
        (peer.Name, peer.StoreId, peer.Link, peer.SinceMs) = (theirs.Name, theirs.StoreId, link, _nowMs);
        if (peer.RetainedLife != theirs.Life) (peer.RetainedLife, peer.RetainedCursor) = (theirs.Life, 0);
        link.Peer = peer;
        link.Begin(theirs);
        link.Retained = new RetainedFeed(_broker.Retained, link);
        link.Retained.Ask(SinceOf(theirs));
        peer.Inbox.Begin(theirs.StoreId, theirs.Lanes, lane => _taken.GetValueOrDefault(lane));
        foreach (byte[] frame in InterestFrames.Write(_interest.Version, _interest.Filters.Select(one => new InterestChange(one.Key, one.Value)), isFull: true))
        {
            link.Send(frame);
        }

        foreach (byte[] frame in Sessions.WriteAll()) link.Send(frame);
        peer.Outbox.Attach(link);
        return true;
    }

    [LoggerMessage(10000, LogLevel.Information, "node {Node} ({Name}) is linked")]
    private static partial void LogUp(ILogger log, int node, string name);

    [LoggerMessage(10001, LogLevel.Warning, "the link to node {Node} ({Name}) is down: {Cause}")]
    private static partial void LogDown(ILogger log, int node, string name, string cause);

    [LoggerMessage(10002, LogLevel.Warning, "no link to node {Node}: {Cause}")]
    private static partial void LogRefused(ILogger log, int node, string cause);
}
