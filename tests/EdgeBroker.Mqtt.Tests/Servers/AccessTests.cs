using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>What connections do with an authenticator's verdict: its permissions, its end, and whom a session belongs to.</summary>
public sealed class AccessTests
{
    private readonly SyncRoot _lock = new();

    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task A_connection_ends_when_its_credentials_do(ProtocolVersion version)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _lock });
        _lock.ValidFor = TimeSpan.FromSeconds(60);
        TestClient client = await broker.ConnectAsync("c", version, keepAliveSeconds: 50);
        broker.Advance(40);
        await client.SendAsync(Packets.Pingreq());
        await client.ExpectAsync(Packets.Pingresp());
        // The keep alive's time has not come, and it was heard of meanwhile.
        broker.Advance(21);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        Assert.Contains(
            broker.Events.All, one => one is { Kind: BrokerEventKind.Disconnected, Reason: ReasonCode.NotAuthorized, Text: "the credentials have expired" });
    }

    [Fact]
    public async Task Until_then_the_connection_stays_also_without_a_keep_alive()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _lock });
        _lock.ValidFor = TimeSpan.FromSeconds(60);
        TestClient client = await broker.ConnectAsync("c");
        broker.Advance(59);
        await client.ExpectNothingAsync();
        broker.Advance(2);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [Theory]
    [InlineData("$local/x", ProtocolVersion.V5)]
    [InlineData("$bridge/x", ProtocolVersion.V311)]
    [InlineData("$node/x", ProtocolVersion.V5)]
    public async Task A_client_id_of_the_broker_s_own_is_refused(string clientId, ProtocolVersion version)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync(version);
        await client.SendAsync(client.Packets.Connect(clientId));
        if (version == ProtocolVersion.V5) await client.ExpectRefusedAsync(ReasonCode.ClientIdentifierNotValid);
        else await client.ExpectAsync(client.Packets.Connack(code: 2));
        await client.ExpectClosedAsync();
        Assert.Contains("the broker's own", Assert.Single(broker.Events.All).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cause_of_a_refusal_is_logged_and_not_told()
    {
        _lock.Refusal = AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, "there is no user \"zoe\"");
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _lock });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c"));
        ReceivedPacket connack = await client.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        Assert.DoesNotContain("zoe", System.Text.Encoding.UTF8.GetString(connack.Bytes), StringComparison.Ordinal);
        Assert.Equal("there is no user \"zoe\"", Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Refused).Text);
    }

    [Fact]
    public async Task What_is_denied_in_5_0_is_told_0x87()
    {
        _lock.Rules = new AclRuleSet([Rule(true, "open/#", QoS.AtLeastOnce)], []);
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _lock });
        TestClient client = await broker.ConnectAsync("c");
        await client.SendAsync(client.Packets.Publish("closed", "x", qos: 1, packetId: 1));
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Puback)).Reason);
        await client.SendAsync(client.Packets.Publish("open/a", "x", qos: 2, packetId: 2));
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Pubrec)).Reason);
        await client.SendAsync(client.Packets.Subscribe(3, null, ("#", 0), ("open/+", 2), ("$share/g/open/#", 2), ("$share/g/#", 2)));
        await client.ExpectAsync(client.Packets.Suback(3, 0x87, 1, 1, 0x87));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_3_1_1_client_is_ignored_or_disconnected_as_configured(bool disconnect)
    {
        _lock.Rules = new AclRuleSet([Rule(true, "open/#")], []);
        await using var broker =
            new TestBroker(new TestBrokerOptions { Authenticator = _lock, Mqtt = TestBrokerOptions.Quiet with { DisconnectOnDeniedPublish = disconnect } });
        TestClient witness = await broker.ConnectAsync("witness");
        await witness.SubscribeAsync("open/#");
        TestClient client = await broker.ConnectAsync("c", ProtocolVersion.V311);
        await client.SendAsync(client.Packets.Publish("closed", "x", qos: 1, packetId: 1));
        if (disconnect) await client.ExpectClosedAsync();
        else await client.ExpectAsync(client.Packets.Puback(1));
        TestClient other = await broker.ConnectAsync("d", ProtocolVersion.V311);
        await other.PublishAsync("open/x", "fence", qos: 1);
        await witness.ExpectPublishAsync("open/x", "fence");
    }

    [Fact]
    public async Task A_will_that_may_not_be_published_is_refused()
    {
        _lock.Rules = new AclRuleSet([Rule(true, "open/#")], []);
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _lock });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("c", will: new TestWill("closed", "x")));
        await client.ExpectRefusedAsync(ReasonCode.NotAuthorized);
        BrokerEvent refusal = Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Refused);
        Assert.Equal("the client may not publish its will: no [[acl]] rule allows to publish there", refusal.Text);
    }

    [Fact]
    public async Task A_session_is_not_resumed_when_its_filters_are_no_longer_permitted()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _lock });
        TestClient first = await broker.ConnectAsync("c", properties: Prop.SessionExpiry(1000));
        await first.SubscribeAsync("$share/g/open/#", options: 1);
        await first.SubscribeAsync("secret/#", options: 1);
        await first.DropAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("secret/a", "not for you any more", qos: 1);
        _lock.Rules = new AclRuleSet([Rule(true, "open/#")], []);
        TestClient second = await broker.ConnectAsync("c", cleanStart: false, properties: Prop.SessionExpiry(1000), sessionPresent: false);
        await second.ExpectNothingAsync();
        await publisher.PublishAsync("secret/a", "nor is this", qos: 1);
        await second.ExpectNothingAsync();
        await second.SubscribeAsync("open/#", options: 1);
        await second.DropAsync();
        await broker.ConnectAsync("c", cleanStart: false, sessionPresent: true);
    }

    [Fact]
    public async Task A_session_belongs_to_the_user_who_began_it()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _lock });
        _lock.UserName = "anna";
        TestClient anna = await broker.ConnectAsync("c", properties: Prop.SessionExpiry(1000));
        await anna.SubscribeAsync("a", options: 1);
        await anna.DropAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "for anna", qos: 1);
        _lock.UserName = "bert";
        await RefusedAsync(broker, ProtocolVersion.V5);
        await RefusedAsync(broker, ProtocolVersion.V311);
        _lock.UserName = null;
        await RefusedAsync(broker, ProtocolVersion.V5);
        _lock.UserName = "anna";
        anna = await broker.ConnectAsync("c", cleanStart: false, sessionPresent: true);
        await anna.ExpectPublishAsync("a", "for anna", qos: 1);
    }

    /// <summary>Neither a clean start nor another version takes a client id from the user it belongs to.</summary>
    private static async Task RefusedAsync(TestBroker broker, ProtocolVersion version)
    {
        foreach (bool cleanStart in new[] { true, false })
        {
            TestClient other = await broker.OpenAsync(version);
            await other.SendAsync(other.Packets.Connect("c", cleanStart));
            if (version == ProtocolVersion.V5)
            {
                await other.ExpectRefusedAsync(ReasonCode.ClientIdentifierNotValid);
                continue;
            }

            await other.ExpectAsync([0x20, 2, 0, 2]);
            await other.ExpectClosedAsync();
        }
    }

    private static AclRule Rule(bool allows, string topic, QoS most = QoS.ExactlyOnce) => new()
    {
        Source = "broker.toml:7",
        Allows = allows,
        Actions = AccessActions.Publish | AccessActions.Subscribe,
        Topics = [new AclPattern(topic)],
        MaximumQoS = most,
    };

    private sealed class SyncRoot : IAuthenticator
    {
        public AuthenticationResult? Refusal { get; set; }

        public TimeSpan? ValidFor { get; set; }

        public string? UserName { get; set; }

        public AclRuleSet Rules { get; set; } = AclRuleSet.Unrestricted;

        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) => ValueTask.FromResult(
            Refusal
                ?? new AuthenticationResult(ReasonCode.Success, UserName, Rules.PermissionsFor(new AclSubject(UserName, request.ClientId, request.Listener)))
                {
                    ValidFor = ValidFor,
                });
    }
}
