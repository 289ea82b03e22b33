using System.Net;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>auth_failures_per_ip for those who log in by a method, and prove themselves again by it.</summary>
public sealed class MethodLoginLimitTests
{
    private const string Guesser = "192.0.2.1";
    private const string Method = SteppingAuthenticator.Method;

    private static readonly LimitOptions OneFailure = new() { AuthFailuresPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 1) };
    private static readonly byte[] Question = Packets.Auth(ReasonCode.ContinueAuthentication, Method, SteppingAuthenticator.Question);
    private static readonly byte[] Answer = Packets.Auth(ReasonCode.ContinueAuthentication, Method, SteppingAuthenticator.Answer);
    private static readonly byte[] Wrong = Packets.Auth(ReasonCode.ContinueAuthentication, Method, "wrong password"u8.ToArray());

    private readonly SteppingAuthenticator _steps = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wrong_answer_is_a_failure_and_the_next_login_waits_before_it_is_asked(bool later)
    {
        if (later) _steps.Wait = async () => await Task.Yield();
        // However far the clock has been moved when the question is read here, there is time to answer it.
        await using TestBroker broker = Broker(_steps, TestBrokerOptions.Quiet with { ConnectTimeout = TimeSpan.FromHours(1) });
        await FailAsync(broker);
        TestClient held = await ConnectAsync(broker);
        await HeldAsync(broker);
        Assert.Single(_steps.Requests);
        await broker.AdvanceUntilAsync(held.ExpectAsync(Question));
        await held.SendAsync(Answer);
        await held.ExpectConnackAsync();
        await held.FenceAsync();
    }

    [Fact]
    public async Task After_its_wait_a_client_has_the_connect_timeout_for_its_answer()
    {
        await using TestBroker broker = Broker(_steps);
        await FailAsync(broker);
        TestClient held = await ConnectAsync(broker);
        await HeldAsync(broker);
        await broker.AdvanceUntilAsync(held.ExpectAsync(Question));
        await broker.AdvanceUntilAsync(held.ExpectRefusedAsync(ReasonCode.UnspecifiedError));
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.ConnectTimeout, LimitAction.Disconnected]);
    }

    [Fact]
    public async Task A_re_authentication_that_fails_is_a_failure_too()
    {
        await using TestBroker broker = Broker(_steps);
        TestClient client = await ConnectAsync(broker);
        await client.ExpectAsync(Question);
        await client.SendAsync(Answer);
        await client.ExpectConnackAsync();
        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method, "anna"u8.ToArray()));
        await client.ExpectAsync(Question);
        await client.SendAsync(Wrong);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await ConnectAsync(broker);
        await HeldAsync(broker);
    }

    [Fact]
    public async Task What_is_wrong_with_the_method_is_no_guess()
    {
        await using TestBroker broker = Broker(_steps);
        for (int i = 0; i < 5; i++)
        {
            TestClient client = await broker.OpenAsync(ProtocolVersion.V5, Guesser);
            await client.SendAsync(client.Packets.Connect("c", properties: Prop.AuthenticationMethod("OTHER")));
            await client.ExpectRefusedAsync(ReasonCode.BadAuthenticationMethod);
        }

        Assert.Equal(5, _steps.Requests.Count);
    }

    [Fact]
    public async Task From_this_machine_it_is_the_user_that_scram_names_whose_logins_wait()
    {
        await using TestBroker broker = Broker(new Refusing());
        for (int i = 0; i < 2; i++)
        {
            // Whatever CONNECT says.
            TestClient client = await broker.OpenAsync(ProtocolVersion.V5, "127.0.0.1");
            byte[] data = Encoding.UTF8.GetBytes("n,,n=anna,r=fyko+d2lbbFgONRv9qkxdawL");
            await client.SendAsync(
                client.Packets.Connect(
                    "c", properties: [.. Prop.AuthenticationMethod(ScramSha256.Name), .. Prop.AuthenticationData(data)], userName: "user" + i));
            if (i == 0) await client.ExpectRefusedAsync(ReasonCode.NotAuthorized);
            else await broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Limited }, "the login to be held up");
        }

        Assert.Equal(0, broker.Broker.Limits.Logins.AskWaitMs(ClientNetwork.Of(IPAddress.Loopback), "user0"));
        Assert.True(broker.Broker.Limits.Logins.AskWaitMs(ClientNetwork.Of(IPAddress.Loopback), "anna") is null or > 0);
    }

    private static TestBroker Broker(IAuthenticator authenticator, MqttOptions? mqtt = null)
    {
        var options = new TestBrokerOptions { Limits = OneFailure, Authenticator = authenticator };
        return new TestBroker(mqtt is null ? options : options with { Mqtt = mqtt });
    }

    private static async Task<TestClient> ConnectAsync(TestBroker broker)
    {
        TestClient client = await broker.OpenAsync(ProtocolVersion.V5, Guesser);
        await client.SendAsync(client.Packets.Connect("c", properties: [.. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData("anna"u8.ToArray())]));
        return client;
    }

    private static async Task FailAsync(TestBroker broker)
    {
        TestClient client = await ConnectAsync(broker);
        await client.ExpectAsync(Question);
        await client.SendAsync(Wrong);
        await client.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
    }

    private static Task<BrokerEvent> HeldAsync(TestBroker broker) =>
        broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Limited, ClientId: Guesser }, "the login to be held up");

    private sealed class Refusing : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
            ValueTask.FromResult(AuthenticationResult.Refused(ReasonCode.NotAuthorized));
    }
}
