using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>Three voters in processes of their own, with certificates, which may be killed and stopped.</summary>
internal sealed partial class VoterProcesses : IAsyncDisposable
{
    private const int SigStop = 19;
    private const int SigContinue = 18;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    // A voter's every line is kept.
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromMilliseconds(20);

    private readonly TemporaryDirectory _directory = new();
    private readonly SortedDictionary<byte, LoopbackPort> _ports = [];
    private readonly SortedDictionary<byte, ChildProcess> _running = [];

    private VoterProcesses()
    {
        using var authority = new TestAuthority();
        _directory.Write("ca.crt", authority.Certificate.ExportCertificatePem());
        for (byte node = 1; node <= 3; node++)
        {
            _ports.Add(node, new LoopbackPort());
            using X509Certificate2 certificate = authority.Node(node);
            using ECDsa key = certificate.GetECDsaPrivateKey()!;
            _directory.Write($"node-{node}.crt", certificate.ExportCertificatePem());
            _directory.Write($"node-{node}.key", key.ExportPkcs8PrivateKeyPem());
        }
    }

    public IEnumerable<byte> Running => [.. _running.Keys];

    public ChildProcess this[byte node] => _running[node];

    /// <summary>Three voters that are one cluster.</summary>
    public static async Task<VoterProcesses> BeginAsync()
    {
        var voters = new VoterProcesses();
        try
        {
            await voters.StartAsync(1, "--first");
            await voters.StartAsync(2);
            await voters.StartAsync(3);
            await voters.LeaderAsync(1);
            await voters.AddAsync(2, 1);
            await voters.AddAsync(3, 1, 2);
            byte leader = await voters.LeaderAsync(1, 2, 3);
            Assert.StartsWith("applied start Done", await voters.AskAsync(leader, "start", "applied "), StringComparison.Ordinal);
            return voters;
        }
        catch
        {
            await voters.DisposeAsync();
            throw;
        }
    }

    public async Task StartAsync(byte node, params string[] more)
    {
        string ports = string.Join(',', _ports.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key}={one.Value.Number}")));
        string[] arguments = [$"{node}", Path.Combine(_directory.Path, $"node-{node}"), ports, _directory.Path, .. more];
        // Another build of the voter, as one compiled ahead of time.
        string? published = Environment.GetEnvironmentVariable("EDGEBROKER_VOTER");
        string program = Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";
        ProcessStartInfo start = published is not null ? new ProcessStartInfo(published, arguments)
            : new ProcessStartInfo(program, [Path.Combine(AppContext.BaseDirectory, "EdgeBroker.Cluster.Voter.dll"), .. arguments]);
        var process = new ChildProcess(start, keepsInput: true);
        _running[node] = process;
        await process.LineAsync(line => line == "ready");
    }

    /// <summary>Ends a voter without a word (SIGKILL).</summary>
    public void Kill(byte node)
    {
        _running.Remove(node, out ChildProcess? process);
        process!.Dispose();
    }

    /// <summary>Stops a voter where it is, or lets it go on.</summary>
    public void Freeze(byte node, bool isFrozen) => Assert.Equal(0, Kill(_running[node].Id, isFrozen ? SigStop : SigContinue));

    /// <summary>Says a line and returns the answer.</summary>
    public async Task<string> AskAsync(byte node, string line, string begin)
    {
        _running[node].Say(line);
        return await _running[node].TakeLineAsync(answer => answer.StartsWith(begin, StringComparison.Ordinal));
    }

    /// <summary>The leader, once all of some voters name the same one, which is among them.</summary>
    public async Task<byte> LeaderAsync(params byte[] among)
    {
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Timeout)
        {
            var named = new HashSet<string>();
            foreach (byte node in among) named.Add((await StatusAsync(node))[1]);
            if (named.Count == 1 && byte.Parse(named.Single(), CultureInfo.InvariantCulture) is var leader && among.Contains(leader)) return leader;
            await Task.Delay(BetweenQuestions);
        }

        throw new TimeoutException($"no leader among {string.Join(", ", among)}");
    }

    /// <summary>Waits until a voter has applied an entry.</summary>
    public async Task AppliedAsync(byte node, long index)
    {
        long began = Stopwatch.GetTimestamp();
        while (long.Parse((await StatusAsync(node))[2], CultureInfo.InvariantCulture) < index)
        {
            if (Stopwatch.GetElapsedTime(began) > Timeout) throw new TimeoutException($"node {node} has not applied {index}");
            await Task.Delay(BetweenQuestions);
        }
    }

    // On a busy machine it may take several attempts to catch up, and the leader may change.
    private async Task AddAsync(byte node, params byte[] members)
    {
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Timeout)
        {
            byte leader = await LeaderAsync(members);
            await AskAsync(leader, $"add {node}", "added ");
            if ((await StatusAsync(leader))[4].Split(',').Contains($"{node}")) return;
            await Task.Delay(BetweenQuestions);
        }

        throw new TimeoutException($"node {node} was not added");
    }

    public async Task<string[]> StatusAsync(byte node) => (await AskAsync(node, "status", "status ")).Split(' ');

    public ValueTask DisposeAsync()
    {
        foreach (byte node in Running) Kill(node);
        foreach (LoopbackPort port in _ports.Values) port.Dispose();
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
