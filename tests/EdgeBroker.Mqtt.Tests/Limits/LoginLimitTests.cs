using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>auth_failures_per_ip.</summary>
public sealed class LoginLimitTests : IAuthenticator
{
    private const string Guesser = "192.0.2.1";
    private const string Other = "192.0.2.2";

    private int _asked;

    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _asked);
        bool isRight = request.Password is { } password && Encoding.UTF8.GetString(password) == "right";
        return ValueTask.FromResult(
            isRight
                ? new AuthenticationResult(ReasonCode.Success, request.UserName, Permissions.All)
                : AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword));
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, (ReasonCode)0x04)]
    [InlineData(ProtocolVersion.V5, ReasonCode.BadUserNameOrPassword)]
    public async Task After_five_failures_the_next_waits_unheard_and_nobody_elsewhere_does(ProtocolVersion version, ReasonCode wrong)
    {
        await using TestBroker broker = Broker(new LimitOptions());
        for (int i = 0; i < 5; i++) await (await TryAsync(broker, "anna", "wrong" + i, version, Guesser)).ExpectRefusedAsync(wrong);
        TestClient held = await TryAsync(broker, "anna", "right", version, Guesser);
        await broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Limited, ClientId: Guesser }, "the login to be held up");
        Assert.Equal(5, _asked);
        await (await TryAsync(broker, "anna", "right", version, Other)).ExpectConnackAsync();
        await (await TryAsync(broker, "bert", "wrong", version, Other)).ExpectRefusedAsync(wrong);
        Assert.Equal(7, _asked);
        await broker.AdvanceUntilAsync(held.ExpectConnackAsync());
        Assert.True(broker.Broker.Clock.NowMs >= 6_000);
        await held.FenceAsync();
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.AuthFailuresPerIp, LimitAction.Delayed]);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, (ReasonCode)0x04, (ReasonCode)0x03)]
    [InlineData(ProtocolVersion.V5, ReasonCode.BadUserNameOrPassword, ReasonCode.ConnectionRateExceeded)]
    public async Task Beyond_what_can_wait_attempts_are_refused_unheard(ProtocolVersion version, ReasonCode wrong, ReasonCode told)
    {
        await using TestBroker broker = Broker(new LimitOptions { AuthFailuresPerIp = new RateLimit(1, TimeSpan.FromHours(1), 1) });
        await (await TryAsync(broker, "anna", "wrong", version, Guesser)).ExpectRefusedAsync(wrong);
        await (await TryAsync(broker, "anna", "right", version, Guesser)).ExpectRefusedAsync(told);
        Assert.Equal(1, _asked);
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.AuthFailuresPerIp, LimitAction.Refused]);
    }

    [Fact]
    public async Task A_login_that_failed_after_its_wait_is_a_failure_too()
    {
        await using TestBroker broker = Broker(new LimitOptions { AuthFailuresPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 1) });
        await (await TryAsync(broker, "anna", "wrong", ProtocolVersion.V5, Guesser)).ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        TestClient second = await TryAsync(broker, "anna", "wrong", ProtocolVersion.V5, Guesser);
        await broker.AdvanceUntilAsync(second.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword));
        Assert.Equal(2, _asked);
        // The second failure doubles it, however far the clock has moved on since.
        Assert.Equal(2_000, broker.Broker.Limits.Logins.AskWaitMs(ClientNetwork.Of(System.Net.IPAddress.Parse(Guesser)), "anna"));
    }

    [Fact]
    public async Task Whoever_goes_while_it_waits_leaves_nothing_behind()
    {
        await using TestBroker broker = Broker(new LimitOptions { AuthFailuresPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 1) });
        await (await TryAsync(broker, "anna", "wrong", ProtocolVersion.V5, Guesser)).ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        TestClient waiting = await TryAsync(broker, "anna", "right", ProtocolVersion.V5, Guesser);
        await broker.Events.WaitForAsync(one => one.Kind == BrokerEventKind.Limited, "the login to be held up");
        Task gone = waiting.DropAsync();
        await broker.AdvanceUntilAsync(gone);
        await Deadline.Until(() => broker.Broker.Limits.Connections.OpenCount == 0, "its place to be given back");
    }

    [Fact]
    public async Task Who_presents_nothing_guesses_nothing()
    {
        await using TestBroker broker = Broker(new LimitOptions());
        for (int i = 0; i < 20; i++)
        {
            TestClient client = await broker.OpenAsync(ProtocolVersion.V5, Guesser);
            await client.SendAsync(client.Packets.Connect("c"));
            await client.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        }

        Assert.Equal(20, _asked);
    }

    private TestBroker Broker(LimitOptions limits) => new(new TestBrokerOptions { Limits = limits, Authenticator = this });

    private static async Task<TestClient> TryAsync(TestBroker broker, string userName, string password, ProtocolVersion version, string address)
    {
        TestClient client = await broker.OpenAsync(version, address);
        await client.SendAsync(client.Packets.Connect("c", userName: userName, password: Encoding.UTF8.GetBytes(password)));
        return client;
    }
}
