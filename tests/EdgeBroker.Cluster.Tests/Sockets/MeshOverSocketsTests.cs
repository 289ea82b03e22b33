using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cluster.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cluster.Tests.Sockets;

public sealed class MeshOverSocketsTests
{
    [Fact]
    public async Task Three_brokers_are_one()
    {
        await using var mesh = await Mesh.StartAsync(3);
        await mesh.LinkedAsync();
        TestClient subscriber = await mesh.Brokers[1].ConnectAsync("subscriber");
        await subscriber.SubscribeAsync("plant/#", options: 2);
        TestClient publisher = await mesh.Brokers[0].ConnectAsync("publisher");
        foreach (int qos in new[] { 0, 1, 2 })
        {
            // SUBACK has come: every node knows.
            await publisher.PublishAsync("plant/a", "qos" + qos, qos);
            await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("plant/a", "qos" + qos, qos));
        }

        await publisher.PublishAsync("plant/b", "kept", qos: 1, retain: true);
        await Deadline.Until(() => mesh.Brokers[2].Broker.FindRetained("plant/b"u8) is not null, "the value on node 3");
    }

    [Fact]
    public async Task A_node_counts_what_it_takes_from_others()
    {
        await using var mesh = await Mesh.StartAsync(2);
        await mesh.LinkedAsync();
        TestClient subscriber = await mesh.Brokers[1].ConnectAsync("subscriber");
        await subscriber.SubscribeAsync("plant/#", options: 1);
        TestClient publisher = await mesh.Brokers[0].ConnectAsync("publisher");
        await publisher.PublishAsync("plant/a", "one", qos: 1);
        MeterRegistry meters = mesh.Brokers[1].Broker.Meters;
        await Deadline.Until(() => meters.Sum("edgebroker.cluster.messages.taken") == 1, "the message is counted");
        Assert.Equal(1, meters.Sum("edgebroker.cluster.peers.linked"));
        Assert.Equal("linked", meters.States.Single(state => state.SysTopic == "cluster/peers/1/state").Read());
        Assert.Equal(0, meters.Sum("edgebroker.cluster.messages.repeated"));
        // Of the other node's subscriber both know.
        MeterRegistry others = mesh.Brokers[0].Broker.Meters;
        await Deadline.Until(() => others.Sum("edgebroker.cluster.filters") == 1, "its filter is counted");
    }

    [Fact]
    public async Task A_bug_in_what_a_node_does_with_another_costs_that_link_only()
    {
        await using var mesh = await Mesh.StartAsync(3);
        await mesh.LinkedAsync();
        Broker broker = mesh.Brokers[0].Broker;
        var buggy = new BuggyLoops(broker.Loops);
        broker.Loops = buggy;
        await Deadline.Until(() => broker.Faults == 1 && mesh.Parts[0].Node.Status.Peers.Any(peer => peer.Cause is not null), "the bug ends a link");
        await mesh.LinkedAsync();
        Assert.Single(mesh.Parts[0].Node.Status.Peers, peer => peer.Cause?.Contains("bug", StringComparison.Ordinal) == true);
        TestClient subscriber = await mesh.Brokers[0].ConnectAsync("subscriber");
        await subscriber.SubscribeAsync("plant/#", options: 1);
        foreach (int other in new[] { 1, 2 })
        {
            TestClient publisher = await mesh.Brokers[other].ConnectAsync("publisher");
            await publisher.PublishAsync("plant/a", "from " + other, qos: 1);
            await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("plant/a", "from " + other, 1));
        }
    }

    [Fact]
    public async Task Strangers_that_say_nothing_do_not_keep_a_node_out()
    {
        using var authority = new Authority();
        await using var mesh = await Mesh.StartAsync(2, node => authority.Issue($"urn:edgebroker:plant:{node}"));
        await mesh.LinkedAsync();
        var strangers = new List<Socket>();
        try
        {
            for (int i = 0; i < 20; i++) strangers.Add(await ConnectAsync(mesh.EndPointOf(1), from: "127.0.0.9"));
            // Sixteen have a place.
            await mesh.Logs[1].LineAsync(line => line.Contains("have not shown yet who they are", StringComparison.Ordinal));
            using Socket socket = await ConnectAsync(mesh.EndPointOf(1), from: "127.0.0.1");
            using var limit = new CancellationTokenSource(Deadline.Timeout);
            (SslStream stream, byte node) = await authority.Issue("urn:edgebroker:plant:1")
                .ShakeHandsAsync(new NetworkStream(socket), isDialed: true, expected: 2, limit.Token);
            await stream.DisposeAsync();
            Assert.Equal(2, node);
        }
        finally
        {
            strangers.ForEach(one => one.Dispose());
        }
    }

    [Fact]
    public async Task A_client_id_has_one_connection_and_one_session_in_the_cluster()
    {
        await using var mesh = await Mesh.StartAsync(2);
        await mesh.LinkedAsync();
        TestClient first = await mesh.Brokers[0].ConnectAsync("c");
        await mesh.TellTimeAsync(0, 1);
        TestClient second = await mesh.Brokers[1].ConnectAsync("c");
        await first.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);

        // One that is kept stays where it is.
        await mesh.TellTimeAsync(1, 0);
        TestClient kept = await mesh.Brokers[0].OpenAsync();
        await kept.SendAsync(kept.Packets.Connect("c", cleanStart: false, properties: Prop.SessionExpiry(60)));
        await kept.ExpectConnackAsync(sessionPresent: false);
        await second.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        TestClient elsewhere = await mesh.Brokers[1].OpenAsync();
        await elsewhere.SendAsync(elsewhere.Packets.Connect("c", cleanStart: false, properties: Prop.SessionExpiry(60)));
        await elsewhere.ExpectRefusedAsync(ReasonCode.UseAnotherServer);

        // A clean start ends it before CONNACK.
        await mesh.TellTimeAsync(0, 1);
        TestClient anew = await mesh.Brokers[1].OpenAsync();
        await anew.SendAsync(anew.Packets.Connect("c", cleanStart: true, properties: Prop.SessionExpiry(60)));
        await anew.ExpectConnackAsync(sessionPresent: false);
        Assert.Null(mesh.Brokers[0].Broker.FindSession("c"));
        await kept.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
    }

    [Fact]
    public async Task Nodes_show_each_other_certificates_of_their_cluster()
    {
        using var authority = new Authority();
        await using var mesh = await Mesh.StartAsync(2, node => authority.Issue($"urn:edgebroker:plant:{node}"));
        await mesh.LinkedAsync();
    }

    [Theory]
    [InlineData("urn:edgebroker:plant:3", "node 3's")]
    [InlineData("urn:edgebroker:other:2", "another cluster")]
    [InlineData("urn:example:2", "names no node")]
    public async Task A_certificate_of_somebody_else_is_turned_away(string uri, string words)
    {
        using var authority = new Authority();
        await using var mesh = await Mesh.StartAsync(2, node => authority.Issue(node == 1 ? "urn:edgebroker:plant:1" : uri));
        await mesh.Logs[0].LineAsync(line => line.Contains(words, StringComparison.Ordinal));
        Assert.NotEqual("linked", mesh.Parts[0].Node.Status.Peers[0].State);
    }

    [Fact]
    public async Task Another_authoritys_certificate_is_turned_away()
    {
        using var authority = new Authority();
        using var other = new Authority();
        await using var mesh = await Mesh.StartAsync(2, node => (node == 1 ? authority : other).Issue($"urn:edgebroker:plant:{node}"));
        await mesh.Logs[0].LineAsync(line => line.Contains("was not issued by an authority", StringComparison.Ordinal));
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint to, string from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(to);
        return socket;
    }

    /// <summary>Throws once, where a node takes what another has sent.</summary>
    private sealed class BuggyLoops(ILoopRequests inner) : ILoopRequests
    {
        private int _thrown;

        public void Begin()
        {
            bool isTaking = Thread.CurrentThread.Name == "mesh" && Environment.StackTrace.Contains("MeshNode.Receive(", StringComparison.Ordinal);
            if (isTaking && Interlocked.Exchange(ref _thrown, 1) == 0) throw new InvalidOperationException("a bug");
            inner.Begin();
        }

        public void End() => inner.End();

        public void Defer(Action work) => inner.Defer(work);
    }

    /// <summary>Brokers without stores on one machine.</summary>
    private sealed class Mesh : IAsyncDisposable
    {
        private readonly List<LoopbackPort> _ports = [];

        public List<TestBroker> Brokers { get; } = [];

        public List<MeshPart> Parts { get; } = [];

        public List<LogWaiter> Logs { get; } = [];

        public IPEndPoint EndPointOf(int index) => new(IPAddress.Loopback, _ports[index].Number);

        public static async Task<Mesh> StartAsync(int nodes, Func<int, PeerTls>? tls = null)
        {
            var mesh = new Mesh();
            for (int node = 1; node <= nodes; node++) mesh._ports.Add(new LoopbackPort());
            for (int node = 1; node <= nodes; node++)
            {
                var broker = new TestBroker(new TestBrokerOptions { OverSockets = true });
                List<int> others = [.. Enumerable.Range(1, nodes).Where(one => one != node)];
                var options = new MeshOptions
                {
                    Node = (byte)node,
                    Name = "node-" + node,
                    ClusterId = tls is null ? "" : "plant",
                    Peers = [.. others.Select(one => (byte)one)],
                    DeadAfter = TimeSpan.FromMinutes(1),
                };
                var endPoints = new MeshEndPoints(
                    new IPEndPoint(IPAddress.Loopback, mesh._ports[node - 1]),
                    others.ToDictionary(one => (byte)one, one => new DnsEndPoint("127.0.0.1", mesh._ports[one - 1])), tls?.Invoke(node));
                var log = new LogWaiter();
                var restored = new RestoredMesh(Guid.NewGuid(), Stamp.None, [], [], []);
                var part = new MeshPart(broker.Broker, options, endPoints, () => restored, TimeProvider.System, log);
                await part.StartAsync(CancellationToken.None);
                mesh.Brokers.Add(broker);
                mesh.Parts.Add(part);
                mesh.Logs.Add(log);
            }

            return mesh;
        }

        /// <summary>
        /// Brings a stamp of a node to another, so that what comes to that one now is newer: the clocks of two nodes differ by what the links have taken so
        /// far.
        /// </summary>
        public async Task TellTimeAsync(int from, int to)
        {
            string value = Guid.NewGuid().ToString();
            using Core.Receivers.LocalClient client = Brokers[from].Broker.OpenLocal("time", new Core.Receivers.LocalClientOptions());
            await client.PublishAsync(new Core.Messages.Message
            {
                Topic = "time"u8.ToArray(),
                Payload = System.Text.Encoding.UTF8.GetBytes(value),
                QoS = QoS.AtLeastOnce,
                Retain = true,
            });
            await Deadline.Until(
                () => Brokers[to].Broker.FindRetained("time"u8)?.Payload is { } payload && System.Text.Encoding.UTF8.GetString(payload) == value, "the stamp");
        }

        public async Task LinkedAsync()
        {
            foreach (MeshPart part in Parts)
            {
                await Deadline.Until(
                    () => part.Node.Status.Peers is { Count: > 0 } peers && peers.All(peer => peer.State == "linked"), "the nodes to be linked");
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (MeshPart part in Parts) await part.StopAsync(StopPhase.Finish, Deadline.Timeout);
            foreach (TestBroker broker in Brokers) await broker.DisposeAsync();
            foreach (MeshPart part in Parts) await part.DisposeAsync();
            foreach (LoopbackPort port in _ports) port.Dispose();
        }
    }

    /// <summary>An authority for nodes, made for a test.</summary>
    private sealed class Authority : IDisposable
    {
        private readonly TemporaryDirectory _directory = new();
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly X509Certificate2 _certificate;
        private int _issued;

        public Authority()
        {
            var request = new CertificateRequest("CN=cluster authority", _key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            // The machine's TLS judges it, by the machine's clock.
            _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
            File.WriteAllText(Path.Combine(_directory.Path, "ca.crt"), _certificate.ExportCertificatePem());
        }

        public PeerTls Issue(string uri)
        {
            string name = Path.Combine(_directory.Path, "node" + ++_issued);
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddUri(new Uri(uri));
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
            using X509Certificate2 issued = request.Create(
                _certificate, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10), RandomNumberGenerator.GetBytes(8));
            File.WriteAllText(name + ".crt", issued.ExportCertificatePem());
            File.WriteAllText(name + ".key", key.ExportPkcs8PrivateKeyPem());
            return new PeerTls(
                TlsMaterial.Load(new TlsOptions
                {
                    Certificates = [new CertificateFiles(name + ".crt", name + ".key")],
                    ClientCaFile = Path.Combine(_directory.Path, "ca.crt"),
                    ClientAuthentication = ClientAuthentication.Require,
                    Identity = CertificateIdentity.Uri,
                }),
                TimeProvider.System);
        }

        public void Dispose()
        {
            _certificate.Dispose();
            _key.Dispose();
            _directory.Dispose();
        }
    }
}
