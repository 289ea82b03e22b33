using System.Net;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Tests.Limits;
using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Core.Tests.Security;

/// <summary>Who is asked, who waits and what counts as a failure, whatever protocol the client speaks.</summary>
public sealed class GuardedAuthenticatorTests : IAuthenticator
{
    private static readonly ClientNetwork Guesser = ClientNetwork.Of(IPAddress.Parse("192.0.2.1"));

    private readonly Keeper _keeper = new(new LimitOptions { AuthFailuresPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 1) });
    private readonly GuardedAuthenticator _guarded;
    private readonly List<AuthenticationRequest> _asked = [];
    private Func<AuthenticationRequest, ValueTask<AuthenticationResult>> _answer = _ =>
        ValueTask.FromResult(AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword));

    public GuardedAuthenticatorTests() => _guarded = new GuardedAuthenticator(this, _keeper.Limits);

    ValueTask<AuthenticationResult> IAuthenticator.AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        _asked.Add(request);
        return _answer(request);
    }

    [Fact]
    public void After_a_failure_the_next_login_is_looked_at_when_its_wait_is_over()
    {
        Assert.Equal(ReasonCode.BadUserNameOrPassword, Ask(Login()).Reason);
        AuthenticationResult held = Ask(Login());
        Assert.Equal(TimeSpan.FromSeconds(1), held.Wait);
        Assert.Single(_asked);
        Assert.Equal(1, _keeper.Limits.Counters[LimitKind.AuthFailuresPerIp, LimitAction.Delayed]);
        _keeper.Advance(1);
        // The second failure doubles the wait.
        Assert.Equal(ReasonCode.BadUserNameOrPassword, Done(held.Reply!.Next!.ContinueAsync([], CancellationToken.None)).Reason);
        Assert.Equal(2, _asked.Count);
        Assert.Equal(TimeSpan.FromSeconds(2), Ask(Login()).Wait);
    }

    [Fact]
    public void Whoever_would_wait_too_long_is_refused_and_its_password_wiped()
    {
        _keeper.Limits.Replace(new LimitOptions { AuthFailuresPerIp = new RateLimit(1, TimeSpan.FromHours(1), 1) });
        Ask(Login());
        AuthenticationRequest refused = Login();
        AuthenticationResult verdict = Ask(refused);
        Assert.Equal(ReasonCode.ConnectionRateExceeded, verdict.Reason);
        Assert.Equal("limits.auth_failures_per_ip (1 in 3600 s, burst 1) is reached", verdict.Cause);
        Assert.Equal([0, 0], refused.Password);
        Assert.Single(_asked);
        Assert.Equal(1, _keeper.Limits.Counters[LimitKind.AuthFailuresPerIp, LimitAction.Refused]);
    }

    [Fact]
    public void What_waits_is_wiped_when_its_client_goes()
    {
        Ask(Login());
        AuthenticationRequest waiting = Login();
        Ask(waiting).Reply!.Next!.Abandon();
        Assert.Equal([0, 0], waiting.Password);
    }

    [Fact]
    public async Task A_verdict_that_comes_later_counts_as_well()
    {
        var thought = new TaskCompletionSource<AuthenticationResult>();
        _answer = _ => new ValueTask<AuthenticationResult>(thought.Task);
        ValueTask<AuthenticationResult> pending = _guarded.AuthenticateAsync(Login(), CancellationToken.None);
        Assert.False(pending.IsCompleted);
        thought.SetResult(AuthenticationResult.Refused(ReasonCode.NotAuthorized));
        Assert.Equal(ReasonCode.NotAuthorized, (await pending).Reason);
        Assert.NotNull(Ask(Login()).Wait);
    }

    [Fact]
    public void A_wrong_answer_to_a_question_is_a_failure_of_the_name_it_was_about()
    {
        AuthenticationRequest scram = Login() with
        {
            Network = ClientNetwork.None,
            UserName = "somebody",
            Method = ScramSha256.Name,
            MethodData = "n,,n=anna,r=fyko+d2lbbFgONRv9qkxdawL"u8.ToArray(),
        };
        _answer = _ => ValueTask.FromResult(AuthenticationReply.Ask([1], new Step()));
        AuthenticationResult question = Ask(scram);
        Assert.Equal([1], question.Reply!.Data);
        Assert.Equal(0, _keeper.Limits.Logins.AskWaitMs(ClientNetwork.None, "anna"));
        Assert.Equal(ReasonCode.NotAuthorized, Done(question.Reply.Next!.ContinueAsync([2], CancellationToken.None)).Reason);
        Assert.Equal(1_000, _keeper.Limits.Logins.AskWaitMs(ClientNetwork.None, "anna"));
        Assert.Equal(0, _keeper.Limits.Logins.AskWaitMs(ClientNetwork.None, "somebody"));
    }

    [Fact]
    public void A_re_authentication_does_not_wait_and_its_failure_counts()
    {
        Ask(Login());
        Assert.Equal(ReasonCode.BadUserNameOrPassword, Ask(Login() with { IsRenewal = true, Method = "M" }).Reason);
        Assert.Equal(2, _asked.Count);
        Assert.Equal(TimeSpan.FromSeconds(2), Ask(Login()).Wait);
    }

    [Fact]
    public void Who_can_guess_nothing_never_waits()
    {
        Ask(Login());
        AuthenticationRequest anonymous = Login() with { UserName = null, Password = null };
        AuthenticationRequest known = Login() with { TransportIdentity = "press" };
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(ReasonCode.BadUserNameOrPassword, Ask(anonymous).Reason);
            Assert.Equal(ReasonCode.BadUserNameOrPassword, Ask(known).Reason);
        }

        // None of those counted, either.
        Assert.Equal(TimeSpan.FromSeconds(1), Ask(Login()).Wait);
    }

    [Theory]
    [InlineData(ReasonCode.Success)]
    [InlineData(ReasonCode.ServerBusy)]
    [InlineData(ReasonCode.BadAuthenticationMethod)]
    public void What_is_no_wrong_guess_is_no_failure(ReasonCode reason)
    {
        _answer = _ => ValueTask.FromResult(AuthenticationResult.Refused(reason));
        for (int i = 0; i < 5; i++) Assert.Equal(reason, Ask(Login()).Reason);
    }

    private static AuthenticationRequest Login() => new("c", "anna", [1, 2], "192.0.2.1:9", AnonymousAllowed: false) { Network = Guesser };

    private static AuthenticationResult Done(ValueTask<AuthenticationResult> verdict)
    {
        Assert.True(verdict.IsCompleted);
        return verdict.GetAwaiter().GetResult();
    }

    private AuthenticationResult Ask(AuthenticationRequest request) => Done(_guarded.AuthenticateAsync(request, CancellationToken.None));

    private sealed class Step : IAuthenticationExchange
    {
        public ValueTask<AuthenticationResult> ContinueAsync(byte[] data, CancellationToken cancellation) =>
            ValueTask.FromResult(AuthenticationResult.Refused(ReasonCode.NotAuthorized));
    }
}
