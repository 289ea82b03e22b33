using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>Authentication in steps: what it waits for, for how long, and what becomes of rights and of time on the way.</summary>
public sealed class EnhancedAuthenticationTests
{
    private const string Method = SteppingAuthenticator.Method;

    private static readonly byte[] Question = Packets.Auth(ReasonCode.ContinueAuthentication, Method, SteppingAuthenticator.Question);
    private static readonly byte[] Answer = Packets.Auth(ReasonCode.ContinueAuthentication, Method, SteppingAuthenticator.Answer);
    private static readonly byte[] Hm = Packets.Auth(ReasonCode.ContinueAuthentication, Method, "hm"u8.ToArray());
    private static readonly byte[] Again = Packets.Auth(ReasonCode.ReAuthenticate, Method, "anna"u8.ToArray());
    private static readonly byte[] Success = Packets.Auth(ReasonCode.Success, Method, SteppingAuthenticator.LastWord);

    private readonly SteppingAuthenticator _steps = new();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Steps_may_take_their_time_and_come_in_any_pieces(bool overSockets, bool later)
    {
        if (later) _steps.Wait = async () => await Task.Yield();
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps, OverSockets = overSockets });
        TestClient client = await broker.OpenAsync();
        await client.SendByteByByteAsync(Connect());
        await client.ExpectAsync(Question);
        await client.SendByteByByteAsync(Hm);
        await client.ExpectAsync(Question);
        await client.SendByteByByteAsync(Answer);
        await client.ExpectConnackAsync();
        await client.SendByteByByteAsync([.. Again]);
        await client.ExpectAsync(Question);
        await client.SendAsync([.. Packets.Pingreq(), .. Answer, .. Packets.Pingreq()]);
        // In which order pings and verdict come depends on how long that takes.
        ReceivedPacket[] answers = [await client.ReceiveAsync(), await client.ReceiveAsync(), await client.ReceiveAsync()];
        Assert.Equal(Success, Assert.Single(answers, one => one.Type == PacketType.Auth).Bytes);
        Assert.Equal(2, answers.Count(one => one.Type == PacketType.Pingresp));
    }

    [Fact]
    public async Task What_a_client_sends_ahead_is_read_in_its_turn()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync([.. Connect(), .. Hm, .. Answer, .. client.Packets.Subscribe(1, "a"), .. Again, .. Answer, .. Packets.Pingreq()]);
        await client.ExpectAsync(Question, Question);
        await client.ExpectConnackAsync();
        await client.ExpectAsync(client.Packets.Suback(1, 0), Question, Success, Packets.Pingresp());
    }

    [Fact]
    public async Task What_the_authenticator_sees_has_no_password_the_second_time()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(
            client.Packets.Connect(
                "one", properties: [.. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData("anna"u8.ToArray())], userName: "u", password: [1, 2]));
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        await client.ExpectConnackAsync();
        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method));
        await client.ExpectAsync(Question);
        Assert.Equal([Method, Method], _steps.Requests.Select(one => one.Method));
        Assert.Equal([[1, 2], null], _steps.Requests.Select(one => one.Password));
        Assert.Equal(["anna", ""], _steps.Requests.Select(one => System.Text.Encoding.UTF8.GetString(one.MethodData)));
        Assert.All(_steps.Requests, one => Assert.Equal("one", one.ClientId));
    }

    [Fact]
    public async Task A_client_has_the_connect_timeout_for_all_its_answers()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        for (int i = 0; i < 9; i++)
        {
            await client.ExpectAsync(Question);
            broker.Advance(1);
            await client.SendAsync(Hm);
        }

        await client.ExpectAsync(Question);
        broker.Advance(2);
        await client.ExpectRefusedAsync(ReasonCode.UnspecifiedError);
        Assert.Equal("the client did not answer within limits.connect_timeout while it was authenticated", Assert.Single(broker.Events.All).Text);
    }

    [Fact]
    public async Task A_re_authentication_has_the_connect_timeout_as_well()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await AdmittedAsync(broker);
        await client.SendAsync(Again);
        await client.ExpectAsync(Question);
        broker.Advance(5);
        await client.SendAsync(Hm);
        await client.ExpectAsync(Question);
        broker.Advance(6);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [Fact]
    public async Task A_re_authentication_that_is_over_leaves_no_deadline()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await AdmittedAsync(broker, keepAliveSeconds: 100);
        await client.SendAsync(Again);
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        await client.ExpectAsync(Success);
        broker.Advance(60);
        await client.ExpectNothingAsync();
        // The keep alive is still looked after.
        broker.Advance(151);
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }

    [Fact]
    public async Task Credentials_that_are_renewed_do_not_expire()
    {
        _steps.ValidFor = TimeSpan.FromSeconds(60);
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await AdmittedAsync(broker);
        for (int i = 0; i < 3; i++)
        {
            broker.Advance(50);
            await client.SendAsync(Again);
            await client.ExpectAsync(Question);
            await client.SendAsync(Answer);
            await client.ExpectAsync(Success);
        }

        await client.ExpectNothingAsync();
        broker.Advance(61);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [Fact]
    public async Task Credentials_expire_also_while_new_ones_are_looked_at()
    {
        _steps.ValidFor = TimeSpan.FromSeconds(20);
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await AdmittedAsync(broker);
        broker.Advance(15);
        await client.SendAsync(Again);
        await client.ExpectAsync(Question);
        broker.Advance(6);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        Assert.Equal("the credentials have expired", Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Disconnected).Text);
    }

    [Fact]
    public async Task New_rights_hold_from_the_re_authentication_on()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await AdmittedAsync(broker);
        await client.SubscribeAsync("a/#", 1);
        _steps.Rules = new AclRuleSet([Rule("a/#")], []);
        await client.SendAsync(Again);
        await client.ExpectAsync(Question);
        await client.SendAsync(client.Packets.Publish("b", "x", 1, 5));
        Assert.False((await client.ExpectAsync(PacketType.Puback)).Reason.IsError());
        await client.SendAsync(Answer);
        await client.ExpectAsync(Success);
        await client.SendAsync(client.Packets.Publish("b", "x", 1, 6));
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Puback)).Reason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_new_rights_do_not_cover_ends_the_connection(bool isWill)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient witness = await broker.ConnectAsync("witness");
        await witness.SubscribeAsync("b");
        TestClient client = await AdmittedAsync(broker, will: isWill ? new TestWill("b", "x") : null);
        if (!isWill) await client.SubscribeAsync("b", 1);
        _steps.Rules = new AclRuleSet([Rule("a/#")], []);
        await client.SendAsync(Again);
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await witness.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Users_who_were_removed_while_they_were_asked_do_not_come_in(bool again)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = again ? await AdmittedAsync(broker) : await broker.OpenAsync();
        await client.SendAsync(again ? Again : Connect());
        await client.ExpectAsync(Question);
        _steps.Reviewing = _ => AuthenticationResult.Refused(ReasonCode.NotAuthorized, "removed");
        await client.SendAsync(Answer);
        if (again) await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        else await client.ExpectRefusedAsync(ReasonCode.NotAuthorized);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_goes_while_the_broker_thinks_is_forgotten(bool again)
    {
        var thought = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = again ? await AdmittedAsync(broker) : await broker.OpenAsync();
        _steps.Wait = () => thought.Task;
        await client.SendAsync(again ? Again : Connect());
        // Not only asked: what comes after the question, the deadline above all, is in place as well.
        await client.TakenAsync();
        if (again)
        {
            // Another connection takes the session over; the answer comes to nobody.
            _steps.Wait = null;
            TestClient second = await AdmittedAsync(broker);
            await client.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
            thought.SetResult();
            await second.ExpectNothingAsync();
            return;
        }

        broker.Advance(11);
        await client.ExpectRefusedAsync(ReasonCode.ServerUnavailable);
        thought.SetResult();
        _steps.Wait = null;
        await AdmittedAsync(broker);
        Assert.Equal(1, broker.Events.Count(BrokerEventKind.Connected));
    }

    [Fact]
    public async Task While_the_broker_thinks_everything_goes_on_but_AUTH()
    {
        var thought = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await AdmittedAsync(broker);
        await client.SubscribeAsync("a");
        _steps.Wait = () => thought.Task;
        await client.SendAsync(Again);
        await client.SendAsync(client.Packets.Publish("a", "meanwhile"));
        await client.ExpectPublishAsync("a", "meanwhile");
        thought.SetResult();
        await client.ExpectAsync(Question);
        _steps.Wait = () => new TaskCompletionSource().Task;
        await client.SendAsync(Answer, Answer);
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Fact]
    public async Task An_authenticator_that_breaks_lets_nobody_in()
    {
        _steps.Wait = () => Task.FromException(new IOException("broken"));
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = _steps });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        await client.ExpectRefusedAsync(ReasonCode.UnspecifiedError);
    }

    [Fact]
    public async Task A_broker_without_users_offers_no_method()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect());
        ReceivedPacket refusal = await client.ExpectRefusedAsync(ReasonCode.BadAuthenticationMethod);
        Assert.StartsWith("no authentication method is offered here", refusal.Properties.Text(PropertyId.ReasonString), StringComparison.Ordinal);
    }

    private static byte[] Connect(int keepAliveSeconds = 0, TestWill? will = null) => Packets.V5.Connect(
        "one", keepAliveSeconds: keepAliveSeconds, properties: [.. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData("anna"u8.ToArray())],
        will: will);

    private static async Task<TestClient> AdmittedAsync(TestBroker broker, int keepAliveSeconds = 0, TestWill? will = null)
    {
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect(keepAliveSeconds, will));
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        await client.ExpectConnackAsync();
        return client;
    }

    private static AclRule Rule(string topic) =>
        new() { Source = "test", Allows = true, Actions = AccessActions.Publish | AccessActions.Subscribe, Topics = [new AclPattern(topic)] };
}
