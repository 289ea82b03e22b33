namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>What the broker answers to CONNECT (3.1, 3.1.4), and CONNACK (3.2).</summary>
public sealed class Section_3_1_4_Connect_response
{
    [Fact]
    [Requirement("MQTT-3.1.0-2", "3.1.1")]
    public async Task A_second_CONNECT_cuts_the_client_off()
    {
        await Check.CutsOffAsync(Check.Packets.Connect("one"));
        await Check.CutsOffAsync(Check.Packets.Connect("another"));
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "no flags", Wire.Packet(0x10, [.. Wire.Text("MQTT"), 4]) },
        { "no keep alive", Wire.Packet(0x10, [.. Wire.Text("MQTT"), 4, 2, 0]) },
        { "no client id", Check.Connect(0x02) },
        { "client id shorter than its length", Check.Connect(0x02, 0, 4, (byte)'a') },
        { "more than its fields", Check.Connect(0x02, [.. Wire.Text("one"), 0]) },
        { "will QoS without will", Check.Connect(0x0A, Wire.Text("one")) },
        { "will retain without will", Check.Connect(0x22, Wire.Text("one")) },
        { "will QoS 3", Check.Connect(0x1E, [.. Wire.Text("one"), .. Wire.Text("t"), .. Wire.Text("m")]) },
        { "will topic with a wildcard", Check.Connect(0x06, [.. Wire.Text("one"), .. Wire.Text("t/#"), .. Wire.Text("m")]) },
        { "empty will topic", Check.Connect(0x06, [.. Wire.Text("one"), .. Wire.Text(""), .. Wire.Text("m")]) },
        { "user name missing", Check.Connect(0x82, Wire.Text("one")) },
        { "password missing", Check.Connect(0xC2, [.. Wire.Text("one"), .. Wire.Text("user")]) },
        { "password without user name", Check.Connect(0x42, [.. Wire.Text("one"), .. Wire.Text("secret")]) },
        { "user name without its flag", Check.Connect(0x02, [.. Wire.Text("one"), .. Wire.Text("user")]) },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    [Requirement("MQTT-3.1.4-1", "3.1.1")]
    public async Task A_malformed_CONNECT_is_closed_without_CONNACK(string what, byte[] connect)
    {
        Assert.NotEmpty(what);
        await Check.ClosesSilentlyAsync(connect);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [Requirement("MQTT-3.1.4-2", "3.1.1")]
    public async Task The_newer_connection_wins(bool oldClean, bool newClean)
    {
        await using var broker = new TestBroker();
        TestClient older = await broker.SubscriberAsync("a", 1, "one", oldClean);
        TestClient newer = await broker.JoinAsync("one", newClean, sessionPresent: !oldClean && !newClean);
        await older.ExpectClosedAsync();
        await newer.SubscribeAsync("a", 1);
        await broker.PublishAsync("a", "to the newer", 1);
        await newer.ExpectPublishAsync("a", "to the newer", 1);
        await newer.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.4-4", "3.1.1")]
    [Requirement("MQTT-3.2.0-1", "3.1.1")]
    public async Task CONNACK_comes_first()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Check.Packets.Connect("one", cleanStart: false), Packets.Pingreq(), Check.Packets.Subscribe(7, "a", 1));
        await client.ExpectAsync([0x20, 2, 0, 0], Packets.Pingresp(), Check.Packets.Suback(7, 1));
        await client.DropAsync();
        await broker.PublishAsync("a", "waiting", 1);
        client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendByteByByteAsync(Check.Packets.Connect("one", cleanStart: false));
        await client.ExpectAsync([0x20, 2, 1, 0]);
        await client.ExpectPublishAsync("a", "waiting", 1);
    }

    [Fact]
    [Requirement("MQTT-3.1.4-5", "3.1.1")]
    [Requirement("MQTT-3.2.2-4", "3.1.1")]
    [Requirement("MQTT-3.2.2-5", "3.1.1")]
    public async Task A_refused_client_is_not_listened_to()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new OnlyTheWitness() });
        TestClient witness = await broker.SubscriberAsync("#", 0, "witness");
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(
            Check.Packets.Connect("stranger", cleanStart: false, will: new TestWill("gone")), Check.Packets.Publish("a", "unheard"), Packets.Pingreq());
        await client.ExpectAsync([0x20, 2, 0, 5]);
        await client.ExpectClosedAsync();
        await witness.ExpectNothingAsync();
        Assert.Null(broker.Broker.FindSession("stranger"));
    }

    [Theory]
    [InlineData(ReasonCode.ServerUnavailable, 3)]
    [InlineData(ReasonCode.BadUserNameOrPassword, 4)]
    [InlineData(ReasonCode.NotAuthorized, 5)]
    [Requirement("MQTT-3.2.2-4", "3.1.1")]
    [Requirement("MQTT-3.2.2-5", "3.1.1")]
    public async Task A_refusal_has_the_code_that_fits_and_ends_the_connection(ReasonCode reason, int code)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new Refusing(reason) });
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Check.Packets.Connect("one", cleanStart: false));
        await client.ExpectAsync([0x20, 2, 0, (byte)code]);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Requirement("MQTT-3.2.2-6", "3.1.1")]
    public async Task Without_a_code_that_fits_there_is_no_CONNACK()
    {
        await Check.ClosesSilentlyAsync(
            Check.Packets.Connect("one", will: new TestWill("gone", "", Retain: true)),
            new TestBrokerOptions { Mqtt = TestBrokerOptions.Quiet with { RetainAvailable = false } });
        await Check.ClosesSilentlyAsync(Check.Packets.Connect("one"), new TestBrokerOptions { Authenticator = new Refusing(ReasonCode.UnspecifiedError) });
    }

    private sealed class OnlyTheWitness : Core.Security.IAuthenticator
    {
        public ValueTask<Core.Security.AuthenticationResult> AuthenticateAsync(Core.Security.AuthenticationRequest request, CancellationToken cancellation) =>
            ValueTask.FromResult(request.ClientId == "witness"
                ? new Core.Security.AuthenticationResult(ReasonCode.Success, null, Core.Security.Permissions.All)
                : Core.Security.AuthenticationResult.Refused(ReasonCode.NotAuthorized));
    }
}
