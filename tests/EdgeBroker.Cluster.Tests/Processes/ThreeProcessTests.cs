using System.Net.Sockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Cluster.Tests.Processes;

/// <summary>Three published executables on loopback: what must hold through the death of a process and a cut between two of them.</summary>
public sealed class ThreeProcessTests
{
    [Fact]
    public async Task Messages_and_values_outlive_a_killed_node_and_a_cut()
    {
        await using var crew = new Crew();
        await crew.StartAsync(1, 2, 3);
        await crew.LinkedAsync(1, 2, 3);

        // A session on node 2, and its filter on every node by the time of SUBACK.
        TestClient subscriber = await crew.ConnectAsync(2, "subscriber", cleanStart: true);
        await subscriber.SubscribeAsync("plant/#", options: 2);
        TestClient publisher = await crew.ConnectAsync(1, "publisher", cleanStart: true);
        foreach (int qos in new[] { 0, 1, 2 })
        {
            await publisher.PublishAsync("plant/live", "live" + qos, qos);
            await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("plant/live", "live" + qos, qos));
        }

        // Node 2 dies without a word; what node 1 acknowledges meanwhile waits on its disk, and outlives its own death.
        crew.Kill(2);
        for (int i = 0; i < 10; i++) await publisher.PublishAsync("plant/away", "away" + i, 1 + (i % 2));
        crew.Kill(1);
        await crew.StartAsync(1, 2);
        await crew.LinkedAsync(1, 2, 3);
        subscriber = await crew.ConnectAsync(2, "subscriber", cleanStart: false);
        List<string> got = [];
        while (got.Distinct().Count() < 10)
        {
            ReceivedPacket packet = await subscriber.ReceiveAsync();
            if (packet.Type == PacketType.Pubrel)
            {
                // The node had not noted the end of the exchange before when it died.
                await subscriber.SendAsync(subscriber.Packets.Pubcomp(packet.PacketId));
                continue;
            }

            Assert.Equal(PacketType.Publish, packet.Type);
            got.Add(packet.PayloadText);
            await subscriber.AcknowledgeAsync(packet);
        }

        // QoS 2 comes once, and each QoS in its order.
        Assert.Equal(5, got.Count(payload => payload[^1] % 2 == 1));
        Assert.Equal(["away1", "away3", "away5", "away7", "away9"], got.Where(payload => payload[^1] % 2 == 1));
        Assert.Equal(["away0", "away2", "away4", "away6", "away8"], got.Where(payload => payload[^1] % 2 == 0).Distinct());

        // Cut off from each other, both sides set and delete values; healed, all have the same.
        crew.CutOff(3);
        await crew.UnlinkedAsync(3);
        publisher = await crew.ConnectAsync(1, "publisher", cleanStart: true);
        TestClient lonely = await crew.ConnectAsync(3, "lonely", cleanStart: true);
        await publisher.PublishAsync("state/a", "one", qos: 1, retain: true);
        await lonely.PublishAsync("state/a", "three", qos: 1, retain: true);
        await lonely.PublishAsync("state/b", "three", qos: 1, retain: true);
        await publisher.PublishAsync("state/c", "one", qos: 1, retain: true);
        await publisher.PublishAsync("state/c", "", qos: 1, retain: true);
        crew.Mend(3);
        await crew.LinkedAsync(1, 2, 3);
        await Deadline.Until(
            () => crew.Retained(1).Length > 0 && crew.Retained(1) == crew.Retained(2) && crew.Retained(2) == crew.Retained(3), "all to have the same values");
        Assert.Contains("state/b", crew.Retained(1), StringComparison.Ordinal);
        Assert.DoesNotContain("state/c", crew.Retained(1), StringComparison.Ordinal);
    }

    /// <summary>Three brokers, each with a directory and a way to each other.</summary>
    private sealed class Crew : IAsyncDisposable
    {
        private readonly TemporaryDirectory _directory = new();
        private readonly Dictionary<int, LoopbackPort> _links = [];
        private readonly Dictionary<(int Low, int High), CuttableWay> _ways = [];
        private readonly Dictionary<int, ChildProcess> _processes = [];
        private readonly Dictionary<int, int> _ports = [];
        private readonly List<TestClient> _clients = [];

        public Crew()
        {
            for (int node = 1; node <= 3; node++) _links.Add(node, new LoopbackPort());
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
                    """);
            }
        }

        public async Task StartAsync(params int[] nodes)
        {
            foreach (int node in nodes) _processes[node] = PublishedBinary.Of(PublishedBinary.HostRid).Start(_directory.Path, "-c", $"{node}.toml");
            foreach (int node in nodes) _ports[node] = await PublishedBroker.PortOfAsync(_processes[node]);
        }

        public void Kill(int node) => _processes[node].Dispose();

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

        public async Task<TestClient> ConnectAsync(int node, string id, bool cleanStart)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync("127.0.0.1", _ports[node]);
            var client = TestClient.Over(new NetworkStream(socket, ownsSocket: true), ProtocolVersion.V5, id);
            _clients.Add(client);
            await client.SendAsync(client.Packets.Connect(id, cleanStart, 0, Prop.SessionExpiry(10_000)));
            await client.ExpectConnackAsync();
            return client;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (ChildProcess process in _processes.Values) process.Dispose();
            foreach (CuttableWay way in _ways.Values) await way.DisposeAsync();
            foreach (LoopbackPort port in _links.Values) port.Dispose();
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
}
