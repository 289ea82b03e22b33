using System.Net;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>Real voters in this process, over the loopback with certificates, each with a folder of its own.</summary>
internal sealed class RaftVoters : IVoters
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();
    private readonly SortedDictionary<byte, LoopbackPort> _ports = [];
    private readonly SortedDictionary<byte, RaftConsensus> _running = [];
    private readonly Dictionary<byte, ToldEntries> _told = [];
    private readonly Func<RaftSettings, RaftSettings> _change;

    private RaftVoters(Func<RaftSettings, RaftSettings>? change)
    {
        _change = change ?? (static settings => settings);
        for (byte node = 1; node <= 3; node++) _ports.Add(node, new LoopbackPort());
    }

    public IEnumerable<byte> Running => [.. _running.Keys];

    /// <summary>What all have logged.</summary>
    public LoggedLines Log { get; } = new();

    public TestAuthority Authority => _authority;

    IConsensus IVoters.this[byte node] => _running[node];

    public RaftConsensus this[byte node] => _running[node];

    /// <summary>Three voters that are one cluster: the first begins it and adds the others.</summary>
    public static async Task<RaftVoters> BeginAsync(Func<RaftSettings, RaftSettings>? change = null)
    {
        var voters = new RaftVoters(change);
        try
        {
            await voters.StartAsync(1, isFirst: true);
            await voters.StartAsync(2);
            await voters.StartAsync(3);
            await voters.UntilAsync(() => voters[1].Leader == 1, "the first voter to lead");
            foreach (byte node in new byte[] { 2, 3 })
            {
                await voters.AddAsync(node);
            }

            await voters.UntilAsync(() => voters.Running.All(node => voters[node].Leader is not null && voters[node].Members.Count == 3), "all to know all");
            return voters;
        }
        catch
        {
            await voters.DisposeAsync();
            throw;
        }
    }

    public IPEndPoint AddressOf(byte node) => new(IPAddress.Loopback, _ports[node].Number);

    public string FolderOf(byte node) => Path.Combine(_directory.Path, $"node-{node}");

    public IReadOnlyList<string> Told(byte node) => _told[node].All;

    public Task StartAsync(byte node) => StartAsync(node, isFirst: false);

    public async Task StopAsync(byte node)
    {
        _running.Remove(node, out RaftConsensus? consensus);
        await Deadline.Within(consensus!.DisposeAsync().AsTask(), $"node {node} to stop");
    }

    /// <summary>Makes a running voter a member, whoever leads: on a busy machine leaders change, and it may take several attempts to catch up.</summary>
    public async Task AddAsync(byte node)
    {
        using var giveUp = new CancellationTokenSource(Timeout);
        while (!Running.Any(other => other != node && this[other].Members.Contains(node)))
        {
            await UntilAsync(() => Running.Any(other => this[other].Leader == other), "somebody to lead");
            try
            {
                if (Running.FirstOrDefault(other => this[other].Leader == other) is > 0 and var leader) await this[leader].AddAsync(node, giveUp.Token);
            }
            catch (ConsensusException)
            {
                // It leads no longer.
            }
        }
    }

    public async Task UntilAsync(Func<bool> holds, string what)
    {
        using var giveUp = new CancellationTokenSource(Timeout);
        while (!holds())
        {
            if (giveUp.IsCancellationRequested) throw new TimeoutException($"waited {Timeout.TotalSeconds} s for {what}");
            // Voters run in real time, and tell nobody of each step.
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (byte node in Running) await StopAsync(node);
        foreach (LoopbackPort port in _ports.Values) port.Dispose();
        _authority.Dispose();
        _directory.Dispose();
    }

    public async Task StartAsync(byte node, bool isFirst)
    {
        _told[node] = new ToldEntries();
        var tls = new MemberTls(_authority.Node(node), _authority.Trusted, [], (identity, _) => _ports.ContainsKey(identity.Node), Log);
        RaftSettings settings = _change(new RaftSettings
        {
            Node = node,
            Folder = FolderOf(node),
            Voters = _ports.ToDictionary(one => one.Key, one => AddressOf(one.Key)),
            Tls = tls,
            DeadAfter = TimeSpan.FromSeconds(1),
            Election = ElectionTimeouts.SlowDisk,
            Forward = ForwardAsync,
            Observer = _told[node],
            Log = Log,
        });
        _running[node] = await Deadline.Within(RaftConsensus.StartAsync(settings, isFirst, CancellationToken.None), $"node {node} to start");
    }

    private async ValueTask<Applied> ForwardAsync(byte leader, ReadOnlyMemory<byte> command, int hops, CancellationToken cancel) =>
        _running.TryGetValue(leader, out RaftConsensus? consensus) ? await consensus.ProposeAsync(command, hops, cancel)
        : throw new ConsensusException($"no link to node {leader}");

    /// <summary>A log that tests look into.</summary>
    internal sealed class LoggedLines : ILogger
    {
        private readonly Lock _lock = new();
        private readonly List<string> _lines = [];

        public int Count(string begin)
        {
            lock (_lock) return _lines.Count(line => line.StartsWith(begin, StringComparison.Ordinal));
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lock) _lines.Add(formatter(state, exception));
        }
    }
}
