using System.Text;

namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>Enhanced authentication (4.12), re-authentication (4.12.1) and the AUTH packets they are made of (3.15).</summary>
public sealed class Section_4_12_Enhanced_authentication
{
    private const string Method = SteppingAuthenticator.Method;

    private static readonly byte[] Question = Packets.Auth(ReasonCode.ContinueAuthentication, Method, SteppingAuthenticator.Question);
    private static readonly byte[] Answer = Packets.Auth(ReasonCode.ContinueAuthentication, Method, SteppingAuthenticator.Answer);
    private static readonly byte[] Again = Packets.Auth(ReasonCode.ReAuthenticate, Method, "anna"u8.ToArray());
    private static readonly byte[] Success = Packets.Auth(ReasonCode.Success, Method, SteppingAuthenticator.LastWord);

    [Fact]
    [Requirement("MQTT-3.15.2-1")]
    [Requirement("MQTT-3.2.0-1")]
    [Requirement("MQTT-4.12.0-2")]
    [Requirement("MQTT-4.12.0-3")]
    [Requirement("MQTT-4.12.0-5")]
    public async Task A_client_is_asked_until_the_broker_is_content()
    {
        await using var broker = Broker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        // Reason code, method and data, and nothing else: exactly these bytes.
        await client.ExpectAsync(
            [0xF0, 17, 0x18, 15, 21, 0, 5, (byte)'S', (byte)'T', (byte)'E', (byte)'P', (byte)'S', 22, 0, 4, (byte)'w', (byte)'h', (byte)'y', (byte)'?']);
        await client.SendAsync(Packets.Auth(ReasonCode.ContinueAuthentication, Method, "hm"u8.ToArray()));
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        ReceivedPacket connack = await client.ExpectConnackAsync(sessionPresent: false);
        Assert.Equal(Method, connack.Properties.Text(PropertyId.AuthenticationMethod));
        Assert.Equal(SteppingAuthenticator.LastWord, connack.Properties.Binary(PropertyId.AuthenticationData));
        await client.SubscribeAsync("a", 1);
        await client.PublishAsync("a", "x", 1);
        await client.ExpectPublishAsync("a", "x", 1);
    }

    [Fact]
    [Requirement("MQTT-3.15.2-2")]
    [Requirement("MQTT-3.15.2-3")]
    public async Task AUTH_says_no_more_than_it_must_and_is_not_sent_to_a_client_it_does_not_fit()
    {
        await using var broker = Broker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect(Prop.MaximumPacketSize((uint)Question.Length)));
        await client.ExpectAsync(Question);
        client = await broker.OpenAsync();
        await client.SendAsync(Connect(Prop.MaximumPacketSize((uint)Question.Length - 1)));
        ReceivedPacket refusal = await client.ExpectRefusedAsync(ReasonCode.PacketTooLarge);
        Assert.True(refusal.Bytes.Length < Question.Length);
    }

    [Theory]
    [InlineData("no")]
    [InlineData("wrong password")]
    [Requirement("MQTT-4.12.0-4")]
    public async Task A_wrong_answer_is_refused(string answer)
    {
        await using var broker = Broker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        await client.ExpectAsync(Question);
        await client.SendAsync(Packets.Auth(ReasonCode.ContinueAuthentication, Method, Encoding.ASCII.GetBytes(answer)), Packets.Pingreq());
        ReceivedPacket refusal = await client.ExpectRefusedAsync(answer == "no" ? ReasonCode.NotAuthorized : ReasonCode.BadUserNameOrPassword);
        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(refusal.Bytes), StringComparison.Ordinal);
        Assert.Equal("a secret cause", Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Refused).Text);
    }

    [Fact]
    [Requirement("MQTT-4.12.0-1")]
    public async Task Methods_are_told_apart_by_every_letter()
    {
        foreach (string method in new[] { "", "steps", "STEPS ", "STEPS-PLUS" })
        {
            await using var broker = Broker();
            TestClient client = await broker.OpenAsync();
            await client.SendAsync(Packets.V5.Connect("one", properties: Prop.AuthenticationMethod(method)));
            await client.ExpectRefusedAsync(ReasonCode.BadAuthenticationMethod);
        }
    }

    public static TheoryData<string, byte[], ReasonCode> Wrong => new()
    {
        { "PUBLISH", Packets.V5.Publish("a", "x"), ReasonCode.ProtocolError },
        { "SUBSCRIBE", Packets.V5.Subscribe(1, "a"), ReasonCode.ProtocolError },
        { "PINGREQ", Packets.Pingreq(), ReasonCode.ProtocolError },
        { "CONNECT", Packets.V5.Connect("one"), ReasonCode.ProtocolError },
        { "AUTH of a re-authentication", Again, ReasonCode.ProtocolError },
        { "AUTH of success", Packets.Auth(ReasonCode.Success, Method), ReasonCode.ProtocolError },
        { "AUTH of success without a body", [0xF0, 0], ReasonCode.ProtocolError },
        { "AUTH with a code there is not", Packets.Auth((ReasonCode)0x17, Method), ReasonCode.ProtocolError },
        { "AUTH of failure", Packets.Auth(ReasonCode.NotAuthorized, Method), ReasonCode.ProtocolError },
        { "AUTH without a method", Wire.Packet(0xF0, 0x18, 0), ReasonCode.ProtocolError },
        { "AUTH with another method", Packets.Auth(ReasonCode.ContinueAuthentication, "STEP", SteppingAuthenticator.Answer), ReasonCode.ProtocolError },
        { "AUTH with two data", Wire.Packet(
            0xF0,
            [0x18, .. Wire.Properties(
                [.. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData(1), .. Prop.AuthenticationData(2)])]), ReasonCode.ProtocolError },
        { "AUTH with a property that is not its", Wire.Packet(
            0xF0, [0x18, .. Wire.Properties([.. Prop.AuthenticationMethod(Method), .. Prop.ReceiveMaximum(1)])]), ReasonCode.MalformedPacket },
        { "AUTH that is cut off", Wire.Packet(0xF0, 0x18, 9, 21, 0, 9), ReasonCode.MalformedPacket },
        { "AUTH with flags", Wire.Packet(0xF2, [0x18, .. Wire.Properties(Prop.AuthenticationMethod(Method))]), ReasonCode.MalformedPacket },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    [Requirement("MQTT-3.1.2-30")]
    [Requirement("MQTT-3.15.1-1")]
    [Requirement("MQTT-4.12.0-3")]
    [Requirement("MQTT-4.12.0-5")]
    public async Task Before_CONNACK_nothing_but_the_answer_is_heard(string what, byte[] packet, ReasonCode reason)
    {
        await using var broker = Broker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        await client.ExpectAsync(Question);
        await client.SendAsync(packet);
        await client.ExpectRefusedAsync(reason);
        Assert.True(broker.Events.Count(BrokerEventKind.Connected) == 0, what);
    }

    [Fact]
    [Requirement("MQTT-3.1.2-30")]
    public async Task A_client_may_give_up_with_DISCONNECT()
    {
        await using var broker = Broker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        await client.ExpectAsync(Question);
        await client.SendAsync(client.Packets.Disconnect());
        await client.ExpectClosedAsync();
        Assert.Equal("the client gave up while it was authenticated", Assert.Single(broker.Events.All).Text);
    }

    [Fact]
    [Requirement("MQTT-4.12.0-5")]
    [Requirement("MQTT-4.12.1-1")]
    public async Task A_client_is_authenticated_again_while_everything_goes_on()
    {
        await using var broker = Broker();
        TestClient client = await AdmittedAsync(broker);
        await client.SubscribeAsync("a");
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync(Again);
            await client.ExpectAsync(Question);
            await client.SendAsync(client.Packets.Publish("a", "meanwhile"));
            await client.ExpectPublishAsync("a", "meanwhile");
            await client.ExpectNothingAsync();
            await client.SendAsync(Answer);
            await client.ExpectAsync(Success);
        }

        await client.PublishAsync("a", "after");
        await client.ExpectPublishAsync("a", "after");
        Assert.Equal(0, broker.Events.Count(BrokerEventKind.Disconnected));
    }

    [Theory]
    [InlineData("no")]
    [InlineData("wrong password")]
    [Requirement("MQTT-4.12.1-2")]
    public async Task A_re_authentication_that_fails_ends_the_connection(string answer)
    {
        await using var broker = Broker();
        TestClient client = await AdmittedAsync(broker);
        await client.SendAsync(Again);
        await client.ExpectAsync(Question);
        await client.SendAsync(Packets.Auth(ReasonCode.ContinueAuthentication, Method, Encoding.ASCII.GetBytes(answer)), Packets.Pingreq());
        ReceivedPacket goodbye = (await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized))!;
        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(goodbye.Bytes), StringComparison.Ordinal);
        Assert.Equal("re-authentication failed: a secret cause", Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Disconnected).Text);
    }

    [Fact]
    [Requirement("MQTT-4.12.1-2")]
    public async Task A_client_stays_who_it_is()
    {
        await using var broker = Broker();
        TestClient client = await AdmittedAsync(broker);
        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method, "bert"u8.ToArray()));
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        Assert.Contains(
            "is user \"anna\" and tried to become \"bert\"", Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Disconnected).Text,
            StringComparison.Ordinal);
    }

    public static TheoryData<string, bool, byte[]> Misplaced => new()
    {
        { "an answer without a question", false, Answer },
        { "success", false, Success },
        { "success without a body", false, [0xF0, 0] },
        { "another method", false, Packets.Auth(ReasonCode.ReAuthenticate, "STEP") },
        { "no method", false, Wire.Packet(0xF0, 0x19, 0) },
        { "beginning anew in the middle", true, Again },
        { "another method in the middle", true, Packets.Auth(ReasonCode.ContinueAuthentication, "STEP", SteppingAuthenticator.Answer) },
    };

    [Theory]
    [MemberData(nameof(Misplaced))]
    [Requirement("MQTT-4.12.0-5")]
    [Requirement("MQTT-4.12.1-1")]
    public async Task AUTH_out_of_place_is_a_protocol_error(string what, bool isAsked, byte[] packet)
    {
        await using var broker = Broker();
        TestClient client = await AdmittedAsync(broker);
        if (isAsked)
        {
            await client.SendAsync(Again);
            await client.ExpectAsync(Question);
        }

        await client.SendAsync(packet);
        ReceivedPacket goodbye = (await client.ExpectDisconnectAsync(ReasonCode.ProtocolError))!;
        Assert.True(goodbye.Properties.Has(PropertyId.ReasonString), what);
    }

    [Fact]
    [Requirement("MQTT-4.12.0-6")]
    [Requirement("MQTT-4.12.0-7")]
    public async Task Without_a_method_in_CONNECT_there_is_none_afterwards()
    {
        await using var broker = Broker();
        TestClient client = await broker.ConnectAsync("one");
        Assert.False(client.Connack.Properties.Has(PropertyId.AuthenticationMethod) || client.Connack.Properties.Has(PropertyId.AuthenticationData));
        await client.SendAsync(Again);
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        TestClient old = await broker.ConnectAsync("three", ProtocolVersion.V311);
        await old.SendAsync(Again);
        await old.ExpectClosedAsync();
    }

    private static TestBroker Broker() => new(new TestBrokerOptions { Authenticator = new SteppingAuthenticator() });

    private static byte[] Connect(params byte[] properties) =>
        Packets.V5.Connect("one", properties: [.. properties, .. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData("anna"u8.ToArray())]);

    private static async Task<TestClient> AdmittedAsync(TestBroker broker)
    {
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        await client.ExpectConnackAsync();
        return client;
    }
}
