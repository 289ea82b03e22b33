using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>Bugs while a connection over a plain socket is served, or a message delivered: each costs one client its connection.</summary>
public sealed class FaultTests : IAsyncDisposable
{
    // Has a bug when a certain filter is subscribed.
    private static readonly TestCluster Cluster = new() { AtOnce = _ => TestCluster.Granted(1), Barrier = BarrierOf };

    private readonly TestBroker _broker = new(new TestBrokerOptions { OverSockets = true, Authenticator = new FaultyAuthenticator(), Cluster = Cluster });

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_bug_before_CONNACK_ends_that_connection()
    {
        TestClient other = await _broker.ConnectAsync("other");
        TestClient faulty = await _broker.OpenAsync();
        await faulty.SendAsync(faulty.Packets.Connect(FaultyAuthenticator.ClientId));
        await faulty.ExpectClosedAsync();
        await _broker.Events.WaitForAsync(happened => happened.Kind == BrokerEventKind.Fault, "the report");
        Assert.Equal(1, _broker.Broker.Faults);
        await Deadline.Until(() => _broker.Broker.Limits.Connections.OpenCount == 1, "its slot");
        await other.FenceAsync();
    }

    [Fact]
    public async Task A_bug_of_a_connected_client_publishes_its_will_and_keeps_its_session()
    {
        TestClient other = await _broker.ConnectAsync("other");
        await other.SubscribeAsync("will", 1);
        TestClient faulty = await _broker.ConnectAsync("client", properties: Prop.SessionExpiry(100), will: new TestWill("will", "gone"));
        await faulty.SubscribeAsync("t", 1);
        await faulty.SendAsync(faulty.Packets.Subscribe(7, "faulty", 1));
        await faulty.ExpectClosedAsync();
        await other.ExpectPublishAsync("will", "gone");
        BrokerEvent end = await _broker.Events.WaitForAsync(happened => happened.Kind == BrokerEventKind.Disconnected, "the end");
        Assert.Equal("an internal error of the broker", end.Text);
        TestClient again = await _broker.ConnectAsync("client", cleanStart: false, sessionPresent: true);
        await other.SendAsync(other.Packets.Publish("t", "still subscribed"));
        await again.ExpectPublishAsync("t", "still subscribed");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_receiver_with_a_bug_costs_the_publisher_nothing(int qos)
    {
        FaultyLink link = FaultyLink.Connect(_broker.Broker, "faulty", "t", (QoS)qos);
        TestClient other = await _broker.ConnectAsync("other"), publisher = await _broker.ConnectAsync("publisher");
        await other.SubscribeAsync("t", 0);
        for (int i = 0; i < 3; i++) await publisher.SendAsync(publisher.Packets.Publish("t", "message " + i, qos, qos == 0 ? 0 : i + 1));
        for (int i = 0; i < 3; i++) await other.ExpectPublishAsync("t", "message " + i);
        for (int i = 0; i < 3 && qos > 0; i++) await publisher.ExpectAsync(qos == 1 ? PacketType.Puback : PacketType.Pubrec);
        await publisher.FenceAsync();
        await Deadline.Until(() => link.ClosedWith == ReasonCode.UnspecifiedError, "the end of the receiver");
        Assert.Equal(1, _broker.Broker.Faults);
        Assert.Null(_broker.Broker.FindSession("faulty"));
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
