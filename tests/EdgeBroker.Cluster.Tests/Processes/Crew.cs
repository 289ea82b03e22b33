using System.Net.Sockets;
using System.Text.Json;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Cluster.Tests.Processes;

/// <summary>Three brokers, each with a directory and a way to each other.</summary>
internal sealed class Crew : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<int, LoopbackPort> _links = [];
    private readonly Dictionary<int, LoopbackPort> _voters = [];
    private readonly Dictionary<(int Low, int High), CuttableWay> _ways = [];
    private readonly Dictionary<int, ChildProcess> _processes = [];
    private readonly Dictionary<int, int> _ports = [];
    private readonly List<TestClient> _clients = [];

    /// <param name="votes">Whether the three are voters, once they are formed.</param>
    public Crew(bool votes = false)
    {
        for (int node = 1; node <= 3; node++) _links.Add(node, new LoopbackPort());
        for (int node = 1; node <= 3; node++) _voters.Add(node, new LoopbackPort());
        string voters = string.Join(", ", _voters.Select(one => $"{one.Key} = \"127.0.0.1:{one.Value}\""));
        foreach ((int low, int high) in new[] { (1, 2), (1, 3), (2, 3) }) _ways.Add((low, high), new CuttableWay(_links[high]));
        for (int node = 1; node <= 3; node++)
        {
            // The node with the lower number connects, by the way that can be cut.
            string peers = string.Join(", ", Enumerable.Range(1, 3).Select(other =>
                $"{other} = \"127.0.0.1:{(other > node ? _ways[(node, other)].Port : _links[other].Number)}\""));
            _directory.Write($"{node}.toml", $$"""
                [node]
                name = "node-{{node}}"
                data_dir = "data{{node}}"
                [[listener]]
                protocol = "mqtt"
                address = "127.0.0.1:0"
                [log]
                format = "text"
                [cluster]
                node_id = {{node}}
                bind = "127.0.0.1:{{_links[node]}}"
                peers = { {{peers}} }
                {{(votes ? $"raft_bind = \"127.0.0.1:{_voters[node]}\"\nraft_peers = {{ {voters} }}" : "")}}
                """);
        }
    }

    public async Task StartAsync(params int[] nodes)
    {
        foreach (int node in nodes) _processes[node] = PublishedBinary.Of(PublishedBinary.HostRid).Start(_directory.Path, "-c", $"{node}.toml");
        foreach (int node in nodes) _ports[node] = await PublishedBroker.PortOfAsync(_processes[node]);
    }

    public void Kill(int node) => _processes[node].Dispose();

    /// <summary>Its disk is lost.</summary>
    public void LoseDisk(int node) => Directory.Delete(Path.Combine(_directory.Path, $"data{node}"), recursive: true);

    /// <summary>What a verb says to a node.</summary>
    public (int ExitCode, string Output) Tell(int node, params string[] verb) => Ask([.. verb, "-c", $"{node}.toml"]);

    /// <summary>Waits until a node has this of itself, below <c>$SYS/broker</c>.</summary>
    public Task SysAsync(int node, string topic, string value) => Deadline.Until(
        () => Ask("retained", "get", "$SYS/broker/" + topic, "-c", $"{node}.toml").Output.Trim() == value,
        $"{topic} of node {node} to be {value}");

    /// <summary>Waits until a node logs something.</summary>
    public Task SaidAsync(int node, string words) =>
        Deadline.Until(() => _processes[node].Said.Contains(words, StringComparison.Ordinal), $"node {node} to log \"{words}\"");

    /// <summary>Waits until a node says why it takes no part in the cluster.</summary>
    public Task CauseAsync(int node, string words) => Deadline.Until(
        () => Ask("cluster", "status", "-c", $"{node}.toml").Output.Contains(words, StringComparison.Ordinal), $"node {node} to say \"{words}\"");

    /// <summary>Forms a cluster of the three, and waits until each is Up at each.</summary>
    public async Task FormAsync()
    {
        // On a busy machine a link may be lost, and come back.
        await Deadline.Until(
            () => Ask("cluster", "init", "-c", "1.toml").ExitCode == 0 || Voters(1)?.GetProperty("state").GetString() is { } and not "forming",
            "the three to be formed");
        foreach (int node in new[] { 1, 2, 3 }) await MembersAsync(node, "Up", "Up", "Up");
    }

    /// <summary>Waits until a node, as one of a majority with a leader, holds the three for this.</summary>
    public async Task MembersAsync(int node, params string[] states) => await Deadline.Until(
        () => Voters(node) is { } voters && voters.GetProperty("state").GetString() == "ready"
            && voters.GetProperty("members").EnumerateArray().Select(one => one.GetProperty("state").GetString()).SequenceEqual(states),
        $"node {node} to hold the three for {string.Join(", ", states)}");

    /// <summary>Says a verb to a node until it answers so: one that changes members waits for others, and may be said again.</summary>
    public Task TellUntilAsync(int node, string words, params string[] verb) => Deadline.Until(
        () => Tell(node, verb) is { ExitCode: 0 } answer && answer.Output.Contains(words, StringComparison.Ordinal),
        $"node {node} to answer \"{words}\" to {string.Join(' ', verb)}");

    /// <summary>Who leads, once somebody does.</summary>
    public async Task<int> LeaderAsync(int node)
    {
        int? leader = null;
        await Deadline.Until(() => (leader = Leader(node)) is not null, $"node {node} to know who leads");
        return leader!.Value;
    }

    /// <summary>Who leads, as a node has it; null: nobody.</summary>
    public int? Leader(int node) => Voters(node) is { } voters && voters.TryGetProperty("leader", out JsonElement leader) ? leader.GetInt32() : null;

    private JsonElement? Voters(int node)
    {
        string said = Ask("cluster", "status", "--json", "-c", $"{node}.toml").Output;
        int begin = said.IndexOf('{', StringComparison.Ordinal);
        if (begin < 0) return null;
        return JsonDocument.Parse(said[begin..]).RootElement.TryGetProperty("raft", out JsonElement voters) ? voters : null;
    }

    public void CutOff(int node)
    {
        foreach (CuttableWay way in WaysOf(node)) way.Cut();
    }

    public void Mend(int node)
    {
        foreach (CuttableWay way in WaysOf(node)) way.Mend();
    }

    public Task LinkedAsync(params int[] nodes) =>
        Deadline.Until(() => nodes.All(node => Ask("cluster", "status", "-c", $"{node}.toml").ExitCode == 0), "the nodes to be linked");

    public Task UnlinkedAsync(int node) => Deadline.Until(
        () => Ask("cluster", "status", "--json", "-c", $"{node}.toml").Output is var said && said.Contains("away", StringComparison.Ordinal)
            && !said.Contains("linked", StringComparison.Ordinal),
        "the node to be alone");

    /// <summary>The retained messages of a node, as lines.</summary>
    public string Retained(int node) => Ask("retained", "state/#", "-c", $"{node}.toml").Output;

    /// <summary>A client with a will of QoS 1, and a session that ends with its connection.</summary>
    public async Task<TestClient> MournAsync(int node, string id, string topic, string will)
    {
        TestClient client = await OpenAsync(node, id);
        await client.SendAsync(client.Packets.Connect(id, cleanStart: true, will: new TestWill(topic, will, QoS: 1)));
        await client.ExpectConnackAsync(sessionPresent: false);
        return client;
    }

    public async Task<TestClient> ConnectAsync(int node, string id, bool cleanStart, bool? sessionPresent = null)
    {
        TestClient client = await OpenAsync(node, id);
        await client.SendAsync(client.Packets.Connect(id, cleanStart, 0, Prop.SessionExpiry(10_000)));
        await client.ExpectConnackAsync(sessionPresent);
        return client;
    }

    /// <summary>
    /// Expects that a client which wants its session is turned away for this reason, once it is known whether the node that has it is linked.
    /// </summary>
    public Task ExpectRefusedAsync(int node, string id, ReasonCode reason) => Deadline.Until(
        () => RefusalOfAsync(node, id).GetAwaiter().GetResult() == reason, $"node {node} to turn {id} away with {reason}");

    private async Task<ReasonCode> RefusalOfAsync(int node, string id)
    {
        TestClient client = await OpenAsync(node, id);
        await client.SendAsync(client.Packets.Connect(id, cleanStart: false, 0, Prop.SessionExpiry(10_000)));
        ReceivedPacket packet = await client.ExpectAsync(PacketType.Connack);
        Assert.True(packet.Reason is ReasonCode.UseAnotherServer or ReasonCode.ServerUnavailable, $"node {node} answered {id} with {packet.Reason}");
        await client.ExpectClosedAsync();
        return packet.Reason;
    }

    private async Task<TestClient> OpenAsync(int node, string id)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", _ports[node]);
        var client = TestClient.Over(new NetworkStream(socket, ownsSocket: true), ProtocolVersion.V5, id);
        _clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ChildProcess process in _processes.Values) process.Dispose();
        foreach (CuttableWay way in _ways.Values) await way.DisposeAsync();
        foreach (LoopbackPort port in _links.Values.Concat(_voters.Values)) port.Dispose();
        _directory.Dispose();
    }

    private IEnumerable<CuttableWay> WaysOf(int node) => _ways.Where(way => way.Key.Low == node || way.Key.High == node).Select(way => way.Value);

    private (int ExitCode, string Output) Ask(params string[] arguments)
    {
        using ChildProcess verb = PublishedBinary.Of(PublishedBinary.HostRid).Start(_directory.Path, arguments);
        int exitCode = verb.ExitAsync().GetAwaiter().GetResult();
        return (exitCode, verb.Said);
    }
}
