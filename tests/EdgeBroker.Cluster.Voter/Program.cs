using System.Globalization;
using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: SupportedOSPlatform("linux")]

namespace EdgeBroker.Cluster.Voter;

/// <summary>
/// A voter in a process of its own, told what to do line by line: <c>NODE FOLDER 1=PORT,2=PORT,3=PORT CERTIFICATES [--first]</c>. Each line is answered by one.
/// </summary>
internal static class Program
{
    private static readonly Lock Lock = new();

    private static async Task<int> Main(string[] args)
    {
        byte node = byte.Parse(args[0], CultureInfo.InvariantCulture);
        var voters = args[2].Split(',').Select(one => one.Split('=')).ToDictionary(
            one => byte.Parse(one[0], CultureInfo.InvariantCulture),
            one => new IPEndPoint(IPAddress.Loopback, int.Parse(one[1], CultureInfo.InvariantCulture)));
        string certificates = args[3];
        string pair = Path.Combine(certificates, $"node-{node}");
        var own = X509Certificate2.CreateFromPemFile(pair + ".crt", pair + ".key");
        X509Certificate2Collection trusted = [X509CertificateLoader.LoadCertificateFromFile(Path.Combine(certificates, "ca.crt"))];
        var settings = new RaftSettings
        {
            Node = node,
            Folder = args[1],
            Voters = voters,
            Tls = new MemberTls(own, trusted, [], (identity, _) => voters.ContainsKey(identity.Node), NullLogger.Instance),
            DeadAfter = TimeSpan.FromSeconds(2),
            SnapshotEvery = 100,
        };
        RaftConsensus consensus = await RaftConsensus.StartAsync(settings, args.Contains("--first"), CancellationToken.None);
        Say("ready");
        while (Console.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            switch (words[0])
            {
                case "add":
                    Say($"added {words[1]} {await AddAsync(consensus, byte.Parse(words[1], CultureInfo.InvariantCulture))}");
                    break;
                case "start":
                    await ProposeAsync(consensus, "start", CommandCodec.Write(Start(node, voters)));
                    break;
                case "propose":
                    await ProposeAsync(consensus, words[1], CommandCodec.Write(new TakeLease(words[1], 1, 1, 0)));
                    break;
                case "burst":
                    _ = BurstAsync(consensus, words[1], int.Parse(words[2], CultureInfo.InvariantCulture));
                    break;
                case "has":
                    Say($"has {words[1]} {(consensus.View.Leases.ContainsKey(words[1]) ? "yes" : "no")}");
                    break;
                case "status":
                    Say($"status {consensus.Leader ?? 0} {consensus.AppliedIndex} {consensus.Term} {string.Join(',', consensus.Members)} {consensus.Restarts}");
                    break;
                case "end":
                    await consensus.DisposeAsync();
                    return 0;
            }
        }

        await consensus.DisposeAsync();
        return 0;
    }

    private static async Task<string> AddAsync(RaftConsensus consensus, byte node)
    {
        try
        {
            return await consensus.AddAsync(node, CancellationToken.None) ? "yes" : "no";
        }
        catch (ConsensusException)
        {
            return "no";
        }
    }

    // Eight at a time, each name once, until there is no answer: the leader may be killed in the middle of it.
    private static Task BurstAsync(RaftConsensus consensus, string prefix, int count) => Parallel.ForEachAsync(
        Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 8 },
        async (number, _) =>
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number}");
            await ProposeAsync(consensus, name, CommandCodec.Write(new TakeLease(name, 1, 1, 0)));
        });

    private static async Task ProposeAsync(RaftConsensus consensus, string name, byte[] command)
    {
        try
        {
            Applied applied = await consensus.ProposeAsync(command, 0, CancellationToken.None);
            Say($"applied {name} {applied.Outcome} {applied.Index}");
        }
        catch (ConsensusException exception)
        {
            Say($"failed {name} {(exception.IsUncertain ? "uncertain" : "refused")}");
        }
    }

    private static NodeUp Start(byte node, Dictionary<byte, IPEndPoint> voters) => new()
    {
        Node = node,
        Name = "gw",
        Incarnation = 1,
        StoreId = new Guid(node, 1, 1, [1, 1, 1, 1, 1, 1, 1, 1]),
        Fingerprint = new string('0', 64),
        LinkAddress = "127.0.0.1:1",
        RaftAddress = voters[node].ToString(),
        Servers = [],
        WireMin = 1,
        WireMax = 1,
        RaftGeneration = RaftSettings.Generation,
        ConfigurationHash = 0,
        IsWitness = false,
        HighestGrant = 0,
        SettledThrough = 0,
    };

    // A line is whole and out before the next thing happens: after a kill, what was said was said.
    private static void Say(string line)
    {
        lock (Lock)
        {
            Console.Out.Write(line + "\n");
            Console.Out.Flush();
        }
    }
}
