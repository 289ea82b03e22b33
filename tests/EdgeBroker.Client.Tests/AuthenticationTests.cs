using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;
using EdgeBroker.Security;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Verification;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Client.Tests;

/// <summary>Authentication by a method: with this broker, and with servers that are not what they say.</summary>
public sealed class AuthenticationTests : IDisposable
{
    private static readonly PasswordHash Anna = PasswordHash.Scram("geheim", 4096);

    private readonly FakeServer _server = new();
    private readonly VerificationQueue _queue = new(1, NullLogger.Instance);

    public void Dispose()
    {
        _server.Dispose();
        _queue.Dispose();
    }

    [Fact]
    public async Task The_right_password_is_proved_and_not_sent_and_again_later()
    {
        await using TestBroker broker = Broker();
        var trace = new List<PacketTrace>();
        await using MqttClient client = To(broker, "geheim", packet =>
        {
            lock (trace) trace.Add(packet);
        });
        await client.ConnectAsync().Within();
        await client.SubscribeAsync([new Subscription("a", new SubscriptionOptions(QoS.AtLeastOnce))]).Within();
        for (int i = 0; i < 3; i++)
        {
            Task renewed = client.ReauthenticateAsync();
            await client.PublishAsync(new PublishMessage("a", "x"u8.ToArray()) { QoS = QoS.AtLeastOnce }).Within();
            await renewed.Within();
            Assert.Equal("a", (await client.NextAsync()).TopicText);
        }

        await client.DisconnectAsync().Within();
        await client.Completion.Within();
        PacketType[] sent, received;
        lock (trace)
        {
            sent = [.. trace.Where(one => one.Sent).Select(one => one.Type)];
            received = [.. trace.Where(one => !one.Sent).Select(one => one.Type)];
        }

        Assert.Equal([PacketType.Connect, PacketType.Auth], sent.Take(2));
        Assert.Equal([PacketType.Auth, PacketType.Connack], received.Take(2));
        Assert.Equal((7, 7), (sent.Count(type => type == PacketType.Auth), received.Count(type => type == PacketType.Auth)));
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        await using TestBroker broker = Broker();
        await using MqttClient client = To(broker, "falsch");
        MqttException refused = await Assert.ThrowsAsync<MqttException>(client.ConnectAsync().Within);
        Assert.Equal(ReasonCode.NotAuthorized, refused.Reason);
    }

    [Fact]
    public async Task A_server_that_does_not_offer_the_method_is_named()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using MqttClient client = To(broker, "geheim");
        MqttException refused = await Assert.ThrowsAsync<MqttException>(client.ConnectAsync().Within);
        Assert.Equal(ReasonCode.BadAuthenticationMethod, refused.Reason);
    }

    [Fact]
    public async Task Connect_and_answer_are_these_bytes()
    {
        await using MqttClient client = To(_server);
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync();
        byte[] connect = await connection.ReadPacketAsync();
        string text = Encoding.Latin1.GetString(connect);
        int data = text.IndexOf("n,,n=anna,r=", StringComparison.Ordinal);
        Assert.Contains("\u0015\0\rSCRAM-SHA-256\u0016\0", text, StringComparison.Ordinal);
        // Neither user name nor password by themselves.
        Assert.Equal((0x02, true), (connect[9], data > 0));
        string nonce = text.Substring(data + 12, 24);
        (byte[] question, ScramServer server) = Ask($"n,,n=anna,r={nonce}");
        await connection.SendAsync(Packets.Auth(ReasonCode.ContinueAuthentication, "SCRAM-SHA-256", question));
        byte[] answer = await connection.ReadPacketAsync();
        byte[] head = Packets.Auth(ReasonCode.ContinueAuthentication, "SCRAM-SHA-256", new byte[answer.Length - 2 - 2 - 16 - 3]);
        Assert.Equal(head[..23], answer[..23]);
        Assert.Equal(ScramOutcome.Right, server.Finish(answer.AsSpan(23), out byte[] last));
        await connection.SendAsync(Packets.V5.Connack(properties: [.. Prop.AuthenticationMethod("SCRAM-SHA-256"), .. Prop.AuthenticationData(last)]));
        await connecting.Within();
    }

    [Theory]
    [InlineData("no proof", "without showing that it knows the password")]
    [InlineData("wrong proof", "without showing that it knows the password")]
    [InlineData("no question", "without showing that it knows the password")]
    [InlineData("other method", "another authentication method")]
    [InlineData("no method", "another authentication method")]
    [InlineData("few iterations", "number of iterations")]
    [InlineData("nonsense", "not SCRAM's")]
    [InlineData("second question", "a second time")]
    [InlineData("success by AUTH", "does not ask anything")]
    public async Task A_server_that_does_not_know_the_password_is_not_believed(string kind, string text)
    {
        await using MqttClient client = To(_server);
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync();
        string connect = Encoding.Latin1.GetString(await connection.ReadPacketAsync());
        string nonce = connect.Substring(connect.IndexOf("n,,n=anna,r=", StringComparison.Ordinal) + 12, 24);
        (byte[] question, _) = Ask($"n,,n=anna,r={nonce}");
        if (kind == "few iterations") question = Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(question).Replace("i=4096", "i=1", StringComparison.Ordinal));
        if (kind == "nonsense") question = "nonsense"u8.ToArray();
        if (kind != "no question")
        {
            await connection.SendAsync(
                Packets.Auth(kind == "success by AUTH" ? ReasonCode.Success : ReasonCode.ContinueAuthentication, "SCRAM-SHA-256", question));
        }

        if (kind is "no proof" or "wrong proof" or "other method" or "no method" or "second question") await connection.ReadPacketAsync();
        if (kind == "second question") await connection.SendAsync(Packets.Auth(ReasonCode.ContinueAuthentication, "SCRAM-SHA-256", question));
        byte[]? properties = kind switch
        {
            "no proof" or "no question" => Prop.AuthenticationMethod("SCRAM-SHA-256"),
            "wrong proof" =>
                [.. Prop.AuthenticationMethod("SCRAM-SHA-256"), .. Prop.AuthenticationData("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="u8.ToArray())],
            "other method" => Prop.AuthenticationMethod("SCRAM-SHA-1"),
            "no method" => [],
            _ => null,
        };
        if (properties is not null) await connection.SendAsync(Packets.V5.Connack(properties: properties));
        MqttException failure = await Assert.ThrowsAsync<MqttException>(connecting.Within);
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
        await connection.ExpectEndAsync();
    }

    [Fact]
    public async Task A_re_authentication_the_server_refuses_ends_with_the_connection()
    {
        await using MqttClient client = new(new MqttClientOptions { Transport = _server.Transport, Authentication = new TokenAuthentication(() => "a.b.c") });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync(Convert.ToHexString(Packets.V5.Connack(properties: Prop.AuthenticationMethod("JWT"))));
        await connecting.Within();
        Task renewing = client.ReauthenticateAsync();
        await connection.ExpectAsync(Convert.ToHexString(Packets.Auth(ReasonCode.ReAuthenticate, "JWT", "a.b.c"u8.ToArray())));
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.ReauthenticateAsync());
        await connection.SendAsync(Packets.V5.Disconnect(ReasonCode.NotAuthorized));
        MqttException refused = await Assert.ThrowsAsync<MqttException>(renewing.Within);
        Assert.Equal(ReasonCode.NotAuthorized, refused.Reason);
        await Assert.ThrowsAsync<MqttException>(client.Completion.Within);
        await Assert.ThrowsAsync<MqttException>(() => client.ReauthenticateAsync());
    }

    [Theory]
    [InlineData(ReasonCode.Success, false)]
    [InlineData(ReasonCode.ContinueAuthentication, false)]
    [InlineData(ReasonCode.ContinueAuthentication, true)]
    [InlineData(ReasonCode.ReAuthenticate, true)]
    public async Task AUTH_that_was_not_asked_for_ends_the_connection(ReasonCode reason, bool isAsked)
    {
        await using MqttClient client = new(new MqttClientOptions { Transport = _server.Transport, Authentication = new TokenAuthentication(() => "a.b.c") });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync(Convert.ToHexString(Packets.V5.Connack(properties: Prop.AuthenticationMethod("JWT"))));
        await connecting.Within();
        Task renewing = Task.CompletedTask;
        if (isAsked)
        {
            renewing = client.ReauthenticateAsync();
            await connection.ReadPacketAsync();
        }

        await connection.SendAsync(Packets.Auth(reason, "JWT"));
        await Assert.ThrowsAsync<MqttException>(client.Completion.Within);
        if (isAsked) await Assert.ThrowsAsync<MqttException>(renewing.Within);
    }

    [Fact]
    public async Task A_method_needs_MQTT_5_and_text_that_SCRAM_takes()
    {
        Assert.Throws<ArgumentException>(
            () =>
                new MqttClient(
                    new MqttClientOptions
                    {
                        Transport = _server.Transport,
                        Version = ProtocolVersion.V311,
                        Authentication = new TokenAuthentication(() => "x"),
                    }));
        Assert.Throws<ArgumentException>(() => new ScramAuthentication("anna", "\u0007"));
        Assert.Throws<ArgumentException>(() => new ScramAuthentication("", "geheim"));
        await using var client = new MqttClient(new MqttClientOptions { Transport = _server.Transport });
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.ReauthenticateAsync());
    }

    private static (byte[] Question, ScramServer Server) Ask(string first)
    {
        Assert.Equal(ScramOutcome.Right, ScramClientFirst.TryParse(Encoding.ASCII.GetBytes(first), out ScramClientFirst read));
        var server = new ScramServer(read, ScramCredentials.Make("geheim", new byte[16], 4096), "server");
        return (server.First, server);
    }

    private static MqttClient To(FakeServer server) =>
        new(new MqttClientOptions { Transport = server.Transport, Authentication = new ScramAuthentication("anna", "geheim") });

    private static MqttClient To(TestBroker broker, string password, Action<PacketTrace>? trace = null) =>
        new(
            new MqttClientOptions
            {
                Transport = new TcpTransport("127.0.0.1", broker.Port),
                Authentication = new ScramAuthentication("anna", password),
                Trace = trace,
            });

    private TestBroker Broker()
    {
        PasswordFile users = PasswordFile.Parse($"anna:{Anna.Text}", []);
        var authenticator = new CredentialAuthenticator(
            new CredentialSources(users), new Replaceable<AclRuleSet>(AclRuleSet.Unrestricted), _queue, new VerificationCache(10), new AuthenticationCounters(),
            TimeProvider.System);
        return new TestBroker(new TestBrokerOptions { Authenticator = authenticator, AllowAnonymous = false, OverSockets = true });
    }
}
