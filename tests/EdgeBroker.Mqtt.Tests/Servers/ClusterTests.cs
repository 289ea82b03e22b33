using System.Net.Sockets;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>Whose a session is, is settled before CONNACK, however long that takes and whatever happens meanwhile.</summary>
public sealed class ClusterTests
{
    // What 3.1.1 calls "Server unavailable".
    private const ReasonCode ReturnCode3 = (ReasonCode)3;

    private readonly TestCluster _cluster = new();

    public static TheoryData<ProtocolVersion, SessionClaim, ReasonCode, string?> Refusals => new()
    {
        { ProtocolVersion.V5, SessionClaim.Busy(), ReasonCode.ServerBusy, null },
        { ProtocolVersion.V5, SessionClaim.Elsewhere("gw-2:1883"), ReasonCode.UseAnotherServer, "gw-2:1883" },
        { ProtocolVersion.V5, SessionClaim.Elsewhere(null), ReasonCode.UseAnotherServer, null },
        { ProtocolVersion.V5, SessionClaim.Elsewhere("gw-2:1883", isPermanent: true), ReasonCode.ServerMoved, "gw-2:1883" },
        { ProtocolVersion.V5, default, ReasonCode.ServerUnavailable, null },
        { ProtocolVersion.V5, SessionClaim.Unavailable("a node is away"), ReasonCode.ServerUnavailable, null },
        { ProtocolVersion.V5, SessionClaim.Foreign("it is on node 2"), ReasonCode.ClientIdentifierNotValid, null },
        { ProtocolVersion.V311, SessionClaim.Foreign("it is on node 2"), (ReasonCode)2, null },
        { ProtocolVersion.V311, SessionClaim.Busy(), ReturnCode3, null },
        { ProtocolVersion.V311, SessionClaim.Elsewhere("gw-2:1883"), ReturnCode3, null },
        { ProtocolVersion.V311, SessionClaim.Elsewhere("gw-2:1883", isPermanent: true), ReturnCode3, null },
        { ProtocolVersion.V311, default, ReturnCode3, null },
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_client_sends_ahead_waits_for_CONNACK(bool overSockets)
    {
        await using TestBroker broker = Open(overSockets);
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(
            client.Packets.Connect("c", cleanStart: false), client.Packets.Subscribe(1, "a"), client.Packets.Publish("a", "hi"), Packets.Pingreq());
        TestClaim claim = await _cluster.NextAsync();
        Assert.Equal(("c", false), (claim.ClientId, claim.CleanStart));
        Assert.Equal(0, broker.Broker.SessionCount);
        claim.Answer(TestCluster.Granted(7));
        await client.ExpectConnackAsync();
        await client.ExpectAsync(client.Packets.Suback(1, 0));
        ReceivedPacket[] rest = [await client.ReceiveAsync(), await client.ReceiveAsync()];
        Assert.Equal([PacketType.Publish, PacketType.Pingresp], rest.Select(one => one.Type).Order());
        await client.SendByteByByteAsync(Packets.Pingreq());
        await client.ExpectAsync(Packets.Pingresp());
        Assert.Empty(_cluster.Released);
        Assert.Equal([("c", 7)], _cluster.Taken);
        Assert.Empty(_cluster.Over);
        Assert.False(claim.Cancel.IsCancellationRequested);
        await client.SendAsync(client.Packets.Disconnect());
        await Deadline.Until(() => _cluster.Over.Contains("c"), "the cluster to hear that the session is over");
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_session_that_is_not_had_refuses_the_client(ProtocolVersion version, SessionClaim answer, ReasonCode reason, string? server)
    {
        foreach (bool isLate in (bool[])[false, true])
        {
            await using TestBroker broker = Open();
            _cluster.AtOnce = _ => isLate ? null : answer;
            TestClient client = await broker.OpenAsync(version);
            await client.SendAsync([.. client.Packets.Connect("c"), .. Packets.Pingreq()]);
            if (isLate) (await _cluster.NextAsync()).Answer(answer);
            ReceivedPacket connack = await client.ExpectRefusedAsync(reason);
            Assert.Equal(server, connack.Properties.Text(PropertyId.ServerReference));
            Assert.Equal(0, broker.Broker.SessionCount);
            Assert.Equal(1, broker.Events.Count(BrokerEventKind.Refused, "c"));
            Assert.Empty(_cluster.Released);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_that_throws_is_a_fault_and_costs_this_client_only(bool isLate)
    {
        await using TestBroker broker = Open();
        TestClient other = await ConnectAsync(broker, "other");
        _cluster.AtOnce = _ => isLate ? null : throw new InvalidTimeZoneException("a bug");
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c"));
        if (isLate) (await _cluster.NextAsync()).Fail(new InvalidTimeZoneException("a bug"));
        await client.ExpectRefusedAsync(ReasonCode.ServerUnavailable);
        Assert.Equal(1, broker.Broker.Faults);
        await other.FenceAsync();
    }

    [Fact]
    public async Task A_claim_that_outlasts_the_connect_timeout_is_refused_and_given_back()
    {
        await using TestBroker broker = Open();
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(client.Packets.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        broker.Advance(9);
        Assert.False(claim.Cancel.IsCancellationRequested);
        broker.Advance(2);
        await client.ExpectRefusedAsync(ReturnCode3);
        Assert.True(claim.Cancel.IsCancellationRequested);
        claim.Answer(TestCluster.Granted(9));
        Assert.Equal([("c", 9L)], _cluster.Released);
        Assert.Equal(0, broker.Broker.SessionCount);
        Assert.Equal(0, broker.Broker.Limits.Connections.OpenCount);
    }

    [Fact]
    public async Task A_claim_that_ends_because_it_is_cancelled_is_no_fault()
    {
        await using TestBroker broker = Open();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        broker.Advance(11);
        await client.ExpectRefusedAsync(ReasonCode.ServerUnavailable);
        claim.Fail(new OperationCanceledException(claim.Cancel));
        Assert.Equal(0, broker.Broker.Faults);
        Assert.Empty(_cluster.Released);
    }

    [Fact]
    public async Task What_was_claimed_for_a_client_whose_connection_broke_is_given_back()
    {
        await using TestBroker broker = Open(overSockets: true);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        await socket.ConnectAsync("127.0.0.1", broker.Port);
        await socket.SendAsync(Packets.V5.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        // A reset.
        socket.Close();
        await claim.WhenCancelledAsync();
        claim.Answer(TestCluster.Granted(3));
        Assert.Equal([("c", 3L)], _cluster.Released);
        Assert.Equal(0, broker.Broker.SessionCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_CONNECT_that_waits_is_accounted_until_it_is_answered_or_its_client_gone(bool isAnswered)
    {
        await using TestBroker broker = Open();
        MemoryLedger ledger = broker.Broker.Limits.Ledger;
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c", will: new TestWill("w", new string('w', 10_000))));
        TestClaim claim = await _cluster.NextAsync();
        Assert.InRange(ledger.Bytes(MemoryKind.UnauthenticatedBuffers), 10_000, 12_000);
        if (isAnswered)
        {
            claim.Answer(TestCluster.Granted(3));
            await client.ExpectConnackAsync();
            Assert.InRange(ledger.Bytes(MemoryKind.Wills), 10_000, 12_000);
        }
        else
        {
            await client.DisposeAsync();
            await claim.WhenCancelledAsync();
        }

        await Deadline.Until(() => ledger.Bytes(MemoryKind.UnauthenticatedBuffers) == 0, "nothing to be kept of it");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_goes_meanwhile_is_noticed_at_once(bool overSockets)
    {
        await using TestBroker broker = Open(overSockets);
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        await client.DisposeAsync();
        await claim.WhenCancelledAsync();
        claim.Answer(TestCluster.Granted(3));
        await Deadline.Until(() => !_cluster.Released.IsEmpty, "its session to be given back");
        Assert.Equal([("c", 3L)], _cluster.Released);
        Assert.Equal(0, broker.Broker.SessionCount);
        await Deadline.Until(() => broker.Broker.Limits.Connections.OpenCount == 0, "its slot to be free");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_has_gone_meanwhile_leaves_no_connected_session(bool overSockets)
    {
        await using TestBroker broker = Open(overSockets);
        TestClient client = await broker.OpenAsync();
        // What it sends ahead is to be read first, so nobody notices before the answer.
        await client.SendAsync([.. client.Packets.Connect("c"), .. Packets.Pingreq()]);
        TestClaim claim = await _cluster.NextAsync();
        await client.DisposeAsync();
        claim.Answer(TestCluster.Granted(3));
        await broker.Events.WaitForAsync(one => one.Kind == BrokerEventKind.SessionEnded, "the session to end");
        await Deadline.Until(() => broker.Broker.ConnectedCount == 0 && broker.Broker.Limits.Connections.OpenCount == 0, "all to be over");
    }

    [Fact]
    public async Task A_broker_that_stops_does_not_wait_for_claims()
    {
        await using TestBroker broker = Open(overSockets: true);
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        await broker.StopAsync();
        await client.ExpectClosedAsync();
        await claim.WhenCancelledAsync();
        claim.Answer(TestCluster.Granted(4));
        Assert.Equal([("c", 4L)], _cluster.Released);
        Assert.Equal(0, broker.Broker.SessionCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_session_changes_hands_when_the_claim_is_granted_and_not_before(bool overSockets)
    {
        await using TestBroker broker = Open(overSockets);
        TestClient first = await ConnectAsync(broker, "c");
        await first.SubscribeAsync("a", 1);
        TestClient second = await broker.OpenAsync();
        await second.SendAsync(second.Packets.Connect("c", cleanStart: false, properties: Prop.SessionExpiry(60)));
        TestClaim claim = await _cluster.NextAsync();
        // Served as before.
        await first.SendAsync(first.Packets.Publish("a", "hi", 1, 5));
        ReceivedPacket[] received = [await first.ReceiveAsync(), await first.ReceiveAsync()];
        Assert.Equal([PacketType.Publish, PacketType.Puback], received.Select(one => one.Type).Order());
        claim.Answer(TestCluster.Granted(2));
        await second.ExpectConnackAsync(sessionPresent: true);
        await first.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        Assert.Empty(_cluster.Released);
    }

    [Fact]
    public async Task Of_two_claims_the_one_that_is_granted_last_has_the_session()
    {
        await using TestBroker broker = Open();
        var clients = new TestClient[2];
        var claims = new TestClaim[2];
        for (int i = 0; i < 2; i++)
        {
            clients[i] = await broker.OpenAsync();
            await clients[i].SendAsync(clients[i].Packets.Connect("c", cleanStart: false, properties: Prop.SessionExpiry(60)));
            claims[i] = await _cluster.NextAsync();
        }

        claims[1].Answer(TestCluster.Granted(1));
        await clients[1].ExpectConnackAsync(sessionPresent: false);
        claims[0].Answer(TestCluster.Granted(2));
        await clients[0].ExpectConnackAsync(sessionPresent: true);
        await clients[1].ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        Assert.Equal(1, broker.Broker.SessionCount);
    }

    [Fact]
    public async Task Who_may_not_come_in_any_more_when_the_claim_is_granted_is_refused_and_the_claim_given_back()
    {
        var steps = new SteppingAuthenticator();
        await using var broker = new TestBroker(new TestBrokerOptions { Cluster = _cluster, Authenticator = steps });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        steps.Reviewing = _ => AuthenticationResult.Refused(ReasonCode.NotAuthorized, "the user is gone");
        claim.Answer(TestCluster.Granted(6));
        await client.ExpectRefusedAsync(ReasonCode.NotAuthorized);
        Assert.Equal([("c", 6L)], _cluster.Released);
        Assert.Equal(0, broker.Broker.SessionCount);
    }

    [Fact]
    public async Task A_client_is_authenticated_before_its_session_is_claimed()
    {
        var steps = new SteppingAuthenticator { Wait = async () => await Task.Yield() };
        await using var broker = new TestBroker(new TestBrokerOptions { Cluster = _cluster, Authenticator = steps });
        TestClient client = await broker.OpenAsync();
        byte[] answer = Packets.Auth(ReasonCode.ContinueAuthentication, SteppingAuthenticator.Method, SteppingAuthenticator.Answer);
        byte[] properties = [.. Prop.AuthenticationMethod(SteppingAuthenticator.Method), .. Prop.AuthenticationData("anna"u8.ToArray())];
        await client.SendAsync(client.Packets.Connect("c", properties: properties));
        await client.ExpectAsync(PacketType.Auth);
        Assert.Empty(_cluster.Tokens);
        await client.SendAsync([.. answer, .. Packets.Pingreq()]);
        (await _cluster.NextAsync()).Answer(TestCluster.Granted(1));
        await client.ExpectConnackAsync();
        Assert.Equal(SteppingAuthenticator.LastWord, client.Connack.Properties.Binary(PropertyId.AuthenticationData));
        await client.ExpectAsync(Packets.Pingresp());
    }

    [Fact]
    public async Task SUBACK_waits_for_the_cluster_and_all_that_is_acknowledged_behind_it_too()
    {
        var known = new TestCompletion();
        _cluster.AtOnce = _ => TestCluster.Granted(1);
        _cluster.Barrier = filter => filter == "slow" ? known : null;
        await using TestBroker broker = Open();
        TestClient client = await broker.ConnectAsync("c");
        Packets packets = client.Packets;
        await client.SendAsync(
            [.. packets.Subscribe(1, "slow"), .. packets.Subscribe(2, "fast"), .. packets.Publish("x", "", 1, 3), .. packets.Unsubscribe(4, "fast")]);
        await client.ExpectNothingAsync();
        // It holds already.
        await client.SendAsync(packets.Publish("slow", "hi"));
        await client.ExpectPublishAsync("slow", "hi");
        known.Complete();
        await client.ExpectAsync(
            packets.Suback(1, 0), packets.Suback(2, 0), packets.Puback(3, ReasonCode.NoMatchingSubscribers), packets.Unsuback(4, 0));
        Assert.Equal(["slow", "fast"], _cluster.Asked);
    }

    [Fact]
    public async Task A_filter_that_is_refused_is_no_concern_of_the_cluster()
    {
        _cluster.AtOnce = _ => TestCluster.Granted(1);
        await using var broker = new TestBroker(
            new TestBrokerOptions { Cluster = _cluster, Mqtt = TestBrokerOptions.Quiet with { MaxTopicLevels = 3 } });
        TestClient client = await broker.ConnectAsync("c");
        await client.SendAsync(client.Packets.Subscribe(1, "a/b/c/d"));
        await client.ExpectAsync(client.Packets.Suback(1, (byte)ReasonCode.TopicFilterInvalid));
        Assert.Empty(_cluster.Asked);
    }

    private TestBroker Open(bool overSockets = false) => new(new TestBrokerOptions { Cluster = _cluster, OverSockets = overSockets });

    /// <summary>A client that is let in at once, with a session that outlives it.</summary>
    private async Task<TestClient> ConnectAsync(TestBroker broker, string clientId)
    {
        Func<string, SessionClaim?> before = _cluster.AtOnce;
        _cluster.AtOnce = _ => TestCluster.Granted(1);
        TestClient client = await broker.ConnectAsync(clientId, properties: Prop.SessionExpiry(60));
        _cluster.AtOnce = before;
        return client;
    }
}
