using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.State;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Sockets;

/// <summary>Where a mesh node listens, and where the others are.</summary>
/// <param name="Bind">Where it listens.</param>
/// <param name="Peers">The others, by number: <c>host:port</c>.</param>
/// <param name="Tls">Their certificates; null: none, on loopback.</param>
public sealed record MeshEndPoints(IPEndPoint Bind, IReadOnlyDictionary<byte, DnsEndPoint> Peers, PeerTls? Tls)
{
    /// <summary>As which voter; null: the node does not vote, and nothing of Raft runs.</summary>
    public VoterOptions? Voter { get; init; }
}

/// <summary>A mesh node on sockets: listens for nodes with lower numbers, connects to those with higher ones, again and again.</summary>
public sealed partial class MeshPart : IBrokerPart
{
    // Connections of whoever has not shown yet which node it is.
    private const int MostUnknown = 16;
    private const int DeathsToWait = 3;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(2);

    private readonly Broker _broker;
    private readonly MeshOptions _options;
    private readonly MeshEndPoints _endPoints;
    private readonly Func<RestoredMesh> _restored;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly MeshThread _thread;
    private readonly CancellationTokenSource _end = new();
    private readonly HandshakeSlots _unknown;
    private readonly List<Task> _loops = [];
    private ClusterVoter? _voter;
    private Socket? _listener;

    /// <param name="broker">The broker; nothing has been restored in it yet.</param>
    /// <param name="options">What the node is told.</param>
    /// <param name="endPoints">Where it listens, and where the others are.</param>
    /// <param name="restored">What the store holds of the mesh; asked when the part starts.</param>
    /// <param name="time">The clock of the pauses between attempts to connect.</param>
    /// <param name="log">Event ids 10000-10029.</param>
    public MeshPart(Broker broker, MeshOptions options, MeshEndPoints endPoints, Func<RestoredMesh> restored, TimeProvider time, ILogger log)
    {
        (_broker, _options, _endPoints, _restored, _time, _log) = (broker, options, endPoints, restored, time, log);
        Node = new MeshNode(broker, options, log);
        _thread = new MeshThread(Node, broker);
        _unknown = new HandshakeSlots(time);
        // The voters say whether another node has taken this one for dead, and publishes the wills that its store has; that takes some of dead_after.
        TimeSpan wait = DeathsToWait * options.DeadAfter;
        if (endPoints.Voter is not null && broker.Options.RestartWillDelay < wait) broker.Options = broker.Options with { RestartWillDelay = wait };
        MeshMeters.Register(broker.Meters, Node, endPoints.Peers.Keys, votes: endPoints.Voter is not null);
    }

    /// <inheritdoc/>
    public string Name => "cluster";

    /// <summary>The node.</summary>
    public MeshNode Node { get; }

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        RestoredMesh restored = _restored();
        Node.Start(restored, BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue, _broker.Clock.NowMs);
        _listener = Listen(_endPoints.Bind);
        if (_endPoints.Voter is { } voter) JoinVoters(voter, restored);
        _thread.Start();
        _voter?.Start();
        _loops.Add(Task.Run(AcceptAsync, CancellationToken.None));
        foreach ((byte peer, DnsEndPoint address) in _endPoints.Peers)
        {
            if (peer > _options.Node) _loops.Add(Task.Run(() => DialAsync(peer, address), CancellationToken.None));
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings()
    {
        foreach (PeerStatus peer in Node.Status.Peers.Where(one => one.State != "linked"))
        {
            string cause = peer.Cause is null ? "" : $": {peer.Cause}";
            yield return new HealthFinding(
                $"node {peer.Node}", HealthState.Warning, $"not linked for {peer.Since / 1000} s, {peer.Outbox} message(s) wait for it{cause}");
        }

        if (Node.Status.Voters is { } voters && FindingOf(voters) is { } finding) yield return new HealthFinding("raft", HealthState.Warning, finding);
    }

    /// <summary>Forms a cluster of the voters, this one first.</summary>
    /// <param name="cancel">Ends the attempt.</param>
    /// <returns>Why that is not possible; null: it is done.</returns>
    public Task<string?> FormAsync(CancellationToken cancel) =>
        _voter?.InitAsync(cancel) ?? Task.FromResult<string?>("this node does not vote: there is no cluster.raft_bind");

    /// <summary>Has the voters give a node up that is dead or has lost its disk.</summary>
    /// <param name="node">The node.</param>
    /// <param name="isReplaced">Whether another is to come by its number and certificate.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>Why that is not possible; null: it is done.</returns>
    public Task<string?> RemoveAsync(byte node, bool isReplaced, CancellationToken cancel) =>
        _voter?.RemoveAsync(node, isReplaced, cancel) ?? Task.FromResult<string?>("this node does not vote: there is no cluster.raft_bind");

    /// <inheritdoc/>
    public async ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        // The last publishers' messages still go out.
        if (phase == StopPhase.Finish) await EndAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        if (_voter is { } voter) await voter.DisposeAsync().ConfigureAwait(false);
        _thread.Dispose();
        _end.Dispose();
    }

    private static string? FindingOf(VotersStatus voters)
    {
        if (voters.Cause is { } cause) return $"this node does not vote: {cause}";
        if (!voters.IsFormed) return "the voters are no cluster yet: run \"edgebroker cluster init\" on one of them";
        if (voters.Leader is null) return "the voters have no leader: sessions of nodes that are away wait for them";
        if (!voters.HasMajority) return "no majority of the voters answers: sessions of nodes that are away wait for them";
        string[] down = [.. voters.Members.Where(one => one.State == nameof(MemberState.Down)).Select(one => $"node {one.Node} ({one.Name})")];
        return down.Length == 0 ? null : $"{string.Join(" and ", down)} is down, as a majority sees it";
    }

    private void JoinVoters(VoterOptions voter, RestoredMesh restored)
    {
        var settings = new RaftSettings
        {
            Node = _options.Node,
            Folder = voter.Folder,
            Voters = voter.Voters,
            Tls = _endPoints.Tls?.ForVoters((identity, _) => voter.Voters.ContainsKey(identity.Node), _log),
            DeadAfter = _options.DeadAfter,
            Election = voter.Election switch
            {
                ElectionPace.Fast => ElectionTimeouts.FastDisk,
                ElectionPace.Slow => ElectionTimeouts.SlowDisk,
                _ => null,
            },
            Time = _time,
            Log = _log,
        };
        _voter = new ClusterVoter(settings, Node, _thread, _broker);
        Node.Join(_voter, new NodeUp
        {
            Node = _options.Node,
            Name = NameOf(_options.Name),
            Incarnation = 1,
            StoreId = restored.StoreId,
            Fingerprint = _endPoints.Tls?.Fingerprint ?? NodeUp.NoCertificate,
            LinkAddress = voter.LinkAddress,
            RaftAddress = voter.Voters[_options.Node].ToString(),
            Servers = [],
            WireMin = Hello.OldestWire,
            WireMax = Hello.NewestWire,
            RaftGeneration = RaftSettings.Generation,
            ConfigurationHash = 0,
            IsWitness = false,
            HighestGrant = restored.HighestGrant,
            SettledThrough = 0,
        });
    }

    // What is longer is cut where a character ends.
    private static string NameOf(string name) =>
        Encoding.UTF8.GetString(Utf8Text.Cut(Encoding.UTF8.GetBytes(name.Length == 0 ? "node" : name), StateLimits.MostNameBytes));

    private static Socket Listen(IPEndPoint bind)
    {
        var socket = new Socket(bind.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(bind);
            socket.Listen(MostUnknown);
            return socket;
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new PartException($"cluster.bind: cannot listen on {bind}: {exception.Message}", exception);
        }
    }

    private async Task EndAsync()
    {
        if (_end.IsCancellationRequested) return;
        await _end.CancelAsync().ConfigureAwait(false);
        _listener?.Dispose();
        Task[] loops;
        lock (_loops) loops = [.. _loops];
        await Task.WhenAll(loops).ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                Socket socket = await _listener!.AcceptAsync(_end.Token).ConfigureAwait(false);
                lock (_loops)
                {
                    _loops.RemoveAll(loop => loop.IsCompleted);
                    _loops.Add(Task.Run(() => ServeAcceptedAsync(socket), CancellationToken.None));
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                if (_end.IsCancellationRequested) return;
                // Out of descriptors, say: the next attempt would fail at once.
                LogTurnedAway(_log, exception.Message);
                await PauseAsync(LongestRetry).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAcceptedAsync(Socket socket)
    {
        try
        {
            using HandshakeSlots.Slot? slot = _unknown.TryEnter((socket.RemoteEndPoint as IPEndPoint)?.Address, MostUnknown, socket.Dispose);
            if (slot is null)
            {
                LogTurnedAway(_log, $"{MostUnknown} others have not shown yet who they are");
                return;
            }

            slot.IsWaiting = true;
            await ServeAsync(socket, expected: null, isDialed: false, slot).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            if (!_end.IsCancellationRequested) LogTurnedAway(_log, CauseOf(exception));
        }
        finally
        {
            socket.Dispose();
        }
    }

    private async Task DialAsync(byte peer, DnsEndPoint address)
    {
        TimeSpan wait = FirstRetry;
        string? told = null;
        while (!_end.IsCancellationRequested)
        {
            string cause = "";
            try
            {
                if (await ConnectAsync(peer, address).ConfigureAwait(false)) (wait, told) = (FirstRetry, null);
            }
            catch (Exception exception)
            {
                cause = exception is OperationCanceledException ? "no answer" : CauseOf(exception);
            }

            if (_end.IsCancellationRequested) return;
            if (cause.Length > 0 && cause != told) LogNotConnected(_log, peer, $"{address.Host}:{address.Port}", cause);
            told = cause;
            await PauseAsync(wait).ConfigureAwait(false);
            wait = TimeSpan.FromTicks(Math.Min(2 * wait.Ticks, LongestRetry.Ticks));
        }
    }

    private async Task<bool> ConnectAsync(byte peer, DnsEndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            limit.CancelAfter(ConnectTimeout);
            await socket.ConnectAsync(address, limit.Token).ConfigureAwait(false);
            return await ServeAsync(socket, peer, isDialed: true, unknown: null).ConfigureAwait(false);
        }
        finally
        {
            socket.Dispose();
        }
    }

    private async Task<bool> ServeAsync(Socket socket, byte? expected, bool isDialed, HandshakeSlots.Slot? unknown)
    {
        socket.NoDelay = true;
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        await using (stream.ConfigureAwait(false))
        {
            byte? node = expected;
            if (_endPoints.Tls is { } tls)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
                limit.CancelAfter(ConnectTimeout);
                (stream, node) = await tls.ShakeHandsAsync(stream, isDialed, expected, limit.Token).ConfigureAwait(false);
                // Its certificate says who it is. Without certificates, on loopback, everybody is somebody else until the end.
                unknown?.Dispose();
            }

            return await new MeshConnection(stream, Node, _thread, _broker).ServeAsync(node, isDialed, _end.Token).ConfigureAwait(false);
        }
    }

    // What befalls one connection ends it and no other: the node goes on listening and connecting.
    private string CauseOf(Exception exception)
    {
        // A socket given up in favour of another's is disposed of under whoever uses it.
        if (exception is AuthenticationException or IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            return exception.Message;
        }

        _broker.ReportFault(exception, "a connection of the mesh");
        return "a bug of this node, see its log";
    }

    // With chance in it, so that nodes that lost each other at one moment do not come back at one.
    private async Task PauseAsync(TimeSpan wait)
    {
        try
        {
            await Task.Delay(wait / 2 + (Random.Shared.NextDouble() * wait / 2), _time, _end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    [LoggerMessage(10020, LogLevel.Warning, "no connection to node {Node} at {Address}: {Cause}")]
    private static partial void LogNotConnected(ILogger log, int node, string address, string cause);

    [LoggerMessage(10021, LogLevel.Warning, "a connection to cluster.bind was turned away: {Cause}")]
    private static partial void LogTurnedAway(ILogger log, string cause);
}
