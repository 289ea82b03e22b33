using DotNext.Net.Cluster;
using DotNext.Net.Cluster.Consensus.Raft;
using DotNext.Net.Cluster.Consensus.Raft.StateMachine;
using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>One run of a voter's Raft, from its disk to its end. <see cref="RaftConsensus"/> begins another where it must.</summary>
internal sealed class RaftMember : IAsyncDisposable
{
    // The default is the page size of the kernel, which differs between kernels and may never change for one log.
    private const int ChunkBytes = 65_536;
    private const string GenerationFile = "generation";
    private const string MembersFile = "members";
    // Who stands for election first asks all members, and waits for each of them: one that hangs may hold that up by this and no longer. It is also how long
    // a follower may take to write and flush what it is sent.
    private const int RequestElections = 5;

    private readonly RaftSettings _settings;
    private readonly ReplicatedState _state;
    private readonly FlushingLog _log;
    private readonly MemberStorage _storage;
    private readonly RaftCluster _cluster;

    private RaftMember(RaftSettings settings, ReplicatedState state, FlushingLog log, MemberStorage storage, RaftCluster cluster)
    {
        _settings = settings;
        _state = state;
        _log = log;
        _storage = storage;
        _cluster = cluster;
    }

    /// <summary>The state as applied here.</summary>
    public ClusterStateMachine Machine => _state.Machine;

    /// <summary>The index of the last entry applied.</summary>
    public long AppliedIndex => _log.LastAppliedIndex;

    /// <summary>The index of the last entry known to be committed.</summary>
    public long CommitIndex => _log.LastCommittedEntryIndex;

    /// <summary>The index of the last entry in this member's log, committed or not.</summary>
    public long LastIndex => _log.LastEntryIndex;

    /// <summary>The term.</summary>
    public long Term => _cluster.Term;

    /// <summary>The leader; null: none is known.</summary>
    public byte? Leader => _settings.NodeAt(_cluster.Leader?.EndPoint);

    /// <summary>Whether this member leads.</summary>
    public bool IsLeader => _cluster.Leader is { IsRemote: false };

    /// <summary>Voters that are members by now.</summary>
    public IEnumerable<byte> Members => _cluster.Members.Select(member => _settings.NodeAt(member.EndPoint)).OfType<byte>().Order();

    /// <summary>Whether Raft has ever been started from a folder: then its log is there, though it may not have been made a member yet.</summary>
    public static bool HasStarted(string folder) => File.Exists(Path.Combine(folder, GenerationFile));

    /// <summary>Whether a folder holds what a member of a group leaves.</summary>
    public static bool HasBeenMember(string folder) => File.Exists(Path.Combine(folder, MembersFile));

    /// <summary>Starts from what is on disk.</summary>
    /// <param name="settings">The settings, checked.</param>
    /// <param name="election">Election time-outs.</param>
    /// <param name="isFirst">Whether this is the first voter of a new cluster; all others wait until a leader adds them.</param>
    /// <param name="observer">Is told of entries.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="IOException">The folder or the port cannot be used; the message says why.</exception>
    /// <exception cref="InvalidOperationException">A cluster is begun where one has been begun already.</exception>
    public static async Task<RaftMember> StartAsync(
        RaftSettings settings, ElectionTimeouts election, bool isFirst, IStateObserver? observer, CancellationToken cancel)
    {
        CheckGeneration(settings.Folder);
        string members = Path.Combine(settings.Folder, MembersFile);
        if (isFirst && File.Exists(members)) throw new InvalidOperationException($"{settings.Folder} holds a member of a cluster already");
        var storage = new MemberStorage(members);
        var state = new ReplicatedState(Path.Combine(settings.Folder, "snapshots"), settings.SnapshotEvery, observer, settings.Log);
        var options = new WriteAheadLog.Options { Location = Path.Combine(settings.Folder, "log"), ChunkSize = ChunkBytes };
        var log = new FlushingLog(options, state, settings.Time);
        var transport = new VoterDialer(settings.Tls, settings.Time, settings.Log);
        var configuration = new RaftCluster.CustomTransportConfiguration(settings.Voters[settings.Node], transport, transport)
        {
            PublicEndPoint = settings.Voters[settings.Node],
            ConfigurationStorage = storage,
            ColdStart = isFirst,
            LowerElectionTimeout = election.Lower,
            UpperElectionTimeout = election.Upper,
            RequestTimeout = TimeSpan.FromMilliseconds(election.Lower * RequestElections),
            ConnectTimeout = TimeSpan.FromMilliseconds(election.Lower),
            IsLeaderLeaseEnabled = false,
            LoggerFactory = settings.LibraryLog,
        };
        var member = new RaftMember(settings, state, log, storage, new RaftCluster(configuration) { AuditTrail = log });
        try
        {
            await member._cluster.StartAsync(cancel).ConfigureAwait(false);
            return member;
        }
        catch
        {
            await member.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Proposes a command on the leader and waits until it is applied.</summary>
    /// <exception cref="ConsensusException">This member does not lead (not uncertain), or led no longer before the command was applied (uncertain).</exception>
    public async ValueTask<Applied> ReplicateAsync(ReadOnlyMemory<byte> command, CancellationToken cancel)
    {
        var proposal = new PendingProposal(command, _cluster.Term);
        var entry = new BinaryLogEntry { Content = command, Term = proposal.Term, Context = proposal };
        try
        {
            await _cluster.ReplicateAsync(entry, cancel).ConfigureAwait(false);
        }
        catch (NotLeaderException exception)
        {
            // With a cause: it led when the command was written to its log.
            throw new ConsensusException("this node does not lead the cluster", exception.InnerException is not null, exception);
        }
        catch (Exception exception) when (exception is DotNext.IO.Log.IntegrityException or ObjectDisposedException or QuorumUnreachableException)
        {
            throw new ConsensusException($"Raft has ended here: {exception.Message}", isUncertain: true, exception);
        }

        return proposal.Answer ?? throw new ConsensusException("another leader's entry took the command's place", isUncertain: true);
    }

    /// <summary>Waits until all that was committed before the call is applied here.</summary>
    /// <exception cref="ConsensusException">There is no leader or no majority.</exception>
    public async ValueTask BarrierAsync(CancellationToken cancel)
    {
        try
        {
            await _cluster.ApplyReadBarrierAsync(ReadBarrierType.Strong, cancel).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new ConsensusException($"no majority of the voters answers: {exception.Message}", inner: exception);
        }
    }

    /// <summary>Waits until an entry is applied here.</summary>
    public ValueTask WaitForApplyAsync(long index, CancellationToken cancel) => _log.WaitForApplyAsync(index, cancel);

    /// <summary>How long something has been waiting for this member's disk by now.</summary>
    public TimeSpan WaitingForDisk => _log.WaitingFor;

    /// <summary>Gives leadership up, if this member has it.</summary>
    public async Task ResignAsync(CancellationToken cancel)
    {
        if (IsLeader) await ((ICluster)_cluster).ResignAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Makes a running voter a member, once it has caught up. On the leader.</summary>
    /// <returns>False: it does not answer, or does not keep up; or it is one already.</returns>
    /// <exception cref="ConsensusException">This member does not lead, or another change of members is under way.</exception>
    public Task<bool> AddAsync(byte node, CancellationToken cancel) => ChangeAsync(() => _cluster.AddMemberAsync(_settings.Voters[node], cancel));

    /// <summary>Lets a voter be a member no longer. On the leader.</summary>
    /// <returns>False: it was none.</returns>
    /// <exception cref="ConsensusException">This member does not lead, or another change of members is under way.</exception>
    public Task<bool> RemoveAsync(byte node, CancellationToken cancel) => ChangeAsync(() => _cluster.RemoveMemberAsync(_settings.Voters[node], cancel));

    /// <summary>Why the log does nothing any more; null: it works.</summary>
    public string? FindFault()
    {
        ValueTask waiting = _log.WaitForApplyAsync(0);
        return waiting.IsFaulted ? waiting.AsTask().Exception!.GetBaseException().Message : null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _cluster.DisposeAsync().ConfigureAwait(false);
        await _log.DisposeAsync().ConfigureAwait(false);
        _storage.Dispose();
    }

    private static async Task<bool> ChangeAsync(Func<Task<bool>> change)
    {
        try
        {
            return await change().ConfigureAwait(false);
        }
        catch (NotLeaderException exception)
        {
            throw new ConsensusException("this node does not lead the cluster", isUncertain: true, exception);
        }
        catch (RaftProtocolException exception)
        {
            throw new ConsensusException("another change of members is under way", inner: exception);
        }
    }

    private static void CheckGeneration(string folder)
    {
        string path = Path.Combine(folder, GenerationFile);
        string expected = RaftSettings.Generation.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (!File.Exists(path))
        {
            DurableFile.Write(path, System.Text.Encoding.ASCII.GetBytes(expected));
        }
        else if (File.ReadAllText(path).Trim() is var found && found != expected)
        {
            throw new InvalidDataException($"{folder} is of Raft generation {found}, and this program's is {expected}: this member must be replaced");
        }
    }
}
