using System.Net.WebSockets;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests;

/// <summary>Bugs while a connection over TLS or WebSocket is served, or a message delivered: each costs one client its connection.</summary>
public sealed class FaultTests : IAsyncDisposable
{
    // Has a bug when a certain filter is subscribed.
    private static readonly TestCluster Cluster = new() { AtOnce = _ => TestCluster.Granted(1), Barrier = BarrierOf };

    private readonly WebHost _host = new() { Authenticator = new FaultyAuthenticator(), Cluster = Cluster };

    public static TheoryData<ListenerProtocol> Protocols => new(ListenerProtocol.Mqtts, ListenerProtocol.Ws, ListenerProtocol.Wss);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_bug_before_CONNACK_ends_that_connection(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        TestClient other = await ConnectAsync(port, protocol, "other");
        TestClient faulty = await OpenAsync(port, protocol);
        await faulty.SendAsync(faulty.Packets.Connect(FaultyAuthenticator.ClientId));
        await faulty.ExpectClosedAsync();
        await _host.Events.WaitForAsync(happened => happened.Kind == BrokerEventKind.Fault, "the report");
        Assert.Equal(1, _host.Broker.Faults);
        await Deadline.Until(() => _host.Broker.Limits.Connections.OpenCount == 1, "its slot");
        await other.FenceAsync();
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_bug_of_a_connected_client_publishes_its_will_and_keeps_its_session(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        TestClient other = await ConnectAsync(port, protocol, "other");
        await other.SubscribeAsync("will", 1);
        TestClient faulty = await ConnectAsync(port, protocol, "client", Prop.SessionExpiry(100), new TestWill("will", "gone"));
        await faulty.SendAsync(faulty.Packets.Subscribe(7, "faulty", 1));
        await faulty.ExpectClosedAsync();
        await other.ExpectPublishAsync("will", "gone");
        BrokerEvent end = await _host.Events.WaitForAsync(happened => happened.Kind == BrokerEventKind.Disconnected, "the end");
        Assert.Equal("an internal error of the broker", end.Text);
        Assert.False(_host.Broker.FindSession("client")!.IsConnected);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_receiver_with_a_bug_costs_the_publisher_nothing(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        FaultyLink link = FaultyLink.Connect(_host.Broker, "faulty", "t", QoS.AtLeastOnce);
        TestClient other = await ConnectAsync(port, protocol, "other"), publisher = await ConnectAsync(port, protocol, "publisher");
        await other.SubscribeAsync("t");
        for (int i = 0; i < 3; i++) await publisher.SendAsync(publisher.Packets.Publish("t", "message " + i, i == 0 ? 0 : 1, i));
        for (int i = 0; i < 3; i++) await other.ExpectPublishAsync("t", "message " + i);
        for (int i = 1; i < 3; i++) await publisher.ExpectAsync(PacketType.Puback);
        await publisher.FenceAsync();
        await Deadline.Until(() => link.ClosedWith == ReasonCode.UnspecifiedError, "the end of the receiver");
        Assert.Equal(1, _host.Broker.Faults);
        Assert.Null(_host.Broker.FindSession("faulty"));
    }

    private async Task<TestClient> ConnectAsync(int port, ListenerProtocol protocol, string clientId, byte[]? properties = null, TestWill? will = null)
    {
        TestClient client = await OpenAsync(port, protocol);
        await client.SendAsync(client.Packets.Connect(clientId, properties: properties, will: will));
        await client.ExpectConnackAsync();
        return client;
    }

    private async Task<TestClient> OpenAsync(int port, ListenerProtocol protocol)
    {
        if (protocol == ListenerProtocol.Mqtts) return _host.Mqtt(await _host.TlsAsync(port));
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        socket.Options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Issuer == _host.Authority.Certificate.Subject;
        await socket.ConnectAsync(new Uri($"{(protocol == ListenerProtocol.Ws ? "ws" : "wss")}://localhost:{port}/mqtt"), CancellationToken.None);
        return _host.Mqtt(WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true));
    }

    private static Completion? BarrierOf(string filter)
    {
        FaultyAuthenticator.ThrowAt(filter == "faulty");
        return null;
    }

    /// <summary>Has a bug when a certain client comes.</summary>
    private sealed class FaultyAuthenticator : IAuthenticator
    {
        public const string ClientId = "faulty";

        private readonly AnonymousAuthenticator _anonymous = new();

        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
        {
            ThrowAt(request.ClientId == ClientId);
            return _anonymous.AuthenticateAsync(request, cancellation);
        }

        public static void ThrowAt(bool here)
        {
            if (here) throw new InvalidTimeZoneException("a bug");
        }
    }
}
