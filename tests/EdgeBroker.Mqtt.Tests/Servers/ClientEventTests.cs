using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>What is told of one client, and in which order.</summary>
public sealed class ClientEventTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_takeover_is_told_as_an_end_a_takeover_and_a_beginning(bool overSockets, bool cleanStart)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { OverSockets = overSockets });
        TestClient first = await broker.ConnectAsync("c", properties: Prop.SessionExpiry(60));
        TestClient second = await broker.ConnectAsync("c", cleanStart: cleanStart, properties: Prop.SessionExpiry(60));
        await first.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        await second.DisconnectAsync();
        await broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Disconnected, By: DisconnectedBy.Client }, "the end");
        Assert.Equal(
            [
                BrokerEventKind.Connected, BrokerEventKind.Disconnected, BrokerEventKind.TakenOver, BrokerEventKind.Connected, BrokerEventKind.Disconnected,
            ],
            broker.Events.All.Select(one => one.Kind).Where(kind => kind is not (BrokerEventKind.Authenticated or BrokerEventKind.SessionEnded)));
        BrokerEvent end = broker.Events.All.First(one => one.Kind == BrokerEventKind.Disconnected);
        Assert.Equal((DisconnectedBy.Broker, ReasonCode.SessionTakenOver, "another connection uses this client id"), (end.By, end.Reason, end.Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_is_kicked_is_told_of_once(bool forget)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("c", properties: Prop.SessionExpiry(60));
        new BrokerView(broker.Broker, new RecentRefusals(TimeProvider.System)).Kick("c", forget);
        await client.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        BrokerEvent end = Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Disconnected);
        Assert.Equal((DisconnectedBy.Broker, ReasonCode.AdministrativeAction, "ended by an administrator"), (end.By, end.Reason, end.Text));
    }

    [Fact]
    public async Task Who_ended_a_connection_is_told()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("client");
        await client.DisconnectAsync();
        TestClient broken = await broker.ConnectAsync("network");
        await broken.DropAsync();
        TestClient silent = await broker.ConnectAsync("network too", keepAliveSeconds: 10);
        broker.Advance(16);
        await silent.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
        TestClient wrong = await broker.ConnectAsync("broker");
        await wrong.SendAsync(wrong.Packets.Connect("again"));
        await wrong.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        Assert.Equal(
            [
                ("client", DisconnectedBy.Client), ("network", DisconnectedBy.Network), ("network too", DisconnectedBy.Network),
                ("broker", DisconnectedBy.Broker),
            ],
            broker.Events.All.Where(one => one.Kind == BrokerEventKind.Disconnected).Select(one => (one.ClientId!, one.By)));
    }

    [Fact]
    public async Task Logins_and_re_authentications_are_told_of_with_what_was_shown()
    {
        var steps = new SteppingAuthenticator();
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = steps });
        byte[] anna = [.. Prop.AuthenticationMethod(SteppingAuthenticator.Method), .. Prop.AuthenticationData("anna"u8.ToArray())];
        byte[] Answer(string text) => Packets.Auth(ReasonCode.ContinueAuthentication, SteppingAuthenticator.Method, System.Text.Encoding.UTF8.GetBytes(text));
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c", properties: anna));
        await client.ExpectAsync(PacketType.Auth);
        await client.SendAsync(Answer("because"));
        await client.ExpectConnackAsync();
        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, SteppingAuthenticator.Method, "anna"u8.ToArray()));
        await client.ExpectAsync(PacketType.Auth);
        await client.SendAsync(Answer("wrong password"));
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        TestClient refused = await broker.OpenAsync();
        await refused.SendAsync(refused.Packets.Connect("d", properties: Prop.AuthenticationMethod("OTHER")));
        await refused.ExpectRefusedAsync(ReasonCode.BadAuthenticationMethod);
        TestClient plain = await broker.OpenAsync();
        await plain.SendAsync(plain.Packets.Connect("e", userName: "u", password: [1]));
        await plain.ExpectConnackAsync();
        Assert.Equal(
            [
                (BrokerEventKind.Authenticated, "c", "anna by Enhanced"), (BrokerEventKind.NotAuthenticated, "c", "anna by Enhanced: a secret cause"),
                (BrokerEventKind.NotAuthenticated, "d", " by Enhanced: only steps here"), (BrokerEventKind.Authenticated, "e", " by Password"),
            ],
            broker.Events.All.Where(one => one.Kind is BrokerEventKind.Authenticated or BrokerEventKind.NotAuthenticated)
                .Select(one => (one.Kind, one.ClientId!, one.Text)));
    }

    [Theory]
    [InlineData(ReasonCode.ServerBusy, false)]
    [InlineData(ReasonCode.ServerUnavailable, false)]
    [InlineData(ReasonCode.ConnectionRateExceeded, false)]
    [InlineData(ReasonCode.BadUserNameOrPassword, true)]
    [InlineData(ReasonCode.NotAuthorized, true)]
    public async Task Who_was_not_looked_at_has_not_failed(ReasonCode reason, bool hasFailed)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new RefusingAuthenticator(reason) });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c", userName: "u", password: [1]));
        await client.ExpectRefusedAsync(reason);
        Assert.Equal(hasFailed ? 1 : 0, broker.Events.Count(BrokerEventKind.NotAuthenticated));
    }

    [Fact]
    public async Task A_listener_that_throws_costs_no_client_anything()
    {
        await using var broker = new TestBroker();
        broker.Broker.Events.Add(new FaultySink());
        TestClient client = await broker.ConnectAsync("c");
        await client.SubscribeAsync("t", 1);
        await client.SendAsync(client.Packets.Publish("t", "m", 1, 9));
        ReceivedPacket[] received = [await client.ReceiveAsync(), await client.ReceiveAsync()];
        Assert.Equal([PacketType.Publish, PacketType.Puback], received.Select(one => one.Type).Order());
        await client.SendAsync(client.Packets.Puback(received.Single(one => one.Type == PacketType.Publish).PacketId));
        await client.DisconnectAsync();
        // Connected, authenticated, subscribed, published, delivered, lost its subscription, disconnected, session ended.
        Assert.Equal(8, broker.Broker.Faults);
        Assert.Equal(8, broker.Events.Count(BrokerEventKind.Fault));
    }

    private sealed class RefusingAuthenticator(ReasonCode reason) : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
            ValueTask.FromResult(AuthenticationResult.Refused(reason));
    }

    private sealed class FaultySink : BrokerEventSink
    {
        public override EventKinds Wanted => ~EventKinds.Fault;

        public override void ClientConnected(in ConnectedEvent what) => throw new InvalidTimeZoneException();

        public override void ClientDisconnected(in DisconnectedEvent what) => throw new InvalidTimeZoneException();

        public override void AuthenticationSucceeded(in AuthenticationSucceededEvent what) => throw new InvalidTimeZoneException();

        public override void SessionEnded(string clientId) => throw new InvalidTimeZoneException();

        public override void SubscriptionCreated(in SubscriptionCreatedEvent what) => throw new InvalidTimeZoneException();

        public override void SubscriptionRemoved(in SubscriptionRemovedEvent what) => throw new InvalidTimeZoneException();

        public override void MessagePublished(in Core.Messages.Publication message) => throw new InvalidTimeZoneException();

        public override void MessageDelivered(in DeliveredEvent what) => throw new InvalidTimeZoneException();
    }
}
