using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Tests.Rig;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Security.Verification;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Security.Tests;

public sealed class CredentialAuthenticatorTests : IDisposable
{
    private static readonly byte[] Secret = "0123456789abcdef0123456789abcdef"u8.ToArray();

    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    private readonly VerificationQueue _queue = new(1, NullLogger.Instance);
    private readonly VerificationCache _cache = new(100);
    private readonly AuthenticationCounters _counters = new();
    private readonly Replaceable<AclRuleSet> _rules = new(AclRuleSet.Unrestricted);

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task The_right_password_lets_in_and_is_remembered()
    {
        CredentialAuthenticator authenticator = With(Users(("anna", "geheim")));
        AuthenticationResult result = await VerdictAsync(authenticator, "anna", "geheim");
        Assert.Equal((ReasonCode.Success, "anna", null), (result.Reason, result.UserName, result.ValidFor));
        Assert.Same(Permissions.All, result.Permissions);
        ValueTask<AuthenticationResult> second = Ask(authenticator, "anna", "geheim");
        Assert.True(second.IsCompletedSuccessfully);
        Assert.Equal(ReasonCode.Success, (await second).Reason);
        Assert.Equal((2, 1, 0), (_counters.Admitted, _counters.Remembered, _counters.Refused));
    }

    [Fact]
    public async Task Wrong_passwords_and_unknown_users_get_one_answer_and_the_log_says_which()
    {
        CredentialAuthenticator authenticator = With(Users(("anna", "geheim")));
        AuthenticationResult wrong = await VerdictAsync(authenticator, "anna", "falsch");
        AuthenticationResult unknown = await VerdictAsync(authenticator, "zoe", "geheim");
        AuthenticationResult nothing = await VerdictAsync(authenticator, "anna", null);
        Assert.All([wrong, unknown, nothing], one => Assert.Equal((ReasonCode.BadUserNameOrPassword, null), (one.Reason, one.UserName)));
        Assert.All([wrong, unknown, nothing], one => Assert.False(one.Permissions.MayPublish("a"u8, QoS.AtMostOnce, false)));
        Assert.Equal("wrong password for user \"anna\"", wrong.Cause);
        Assert.Equal("there is no user \"zoe\"", unknown.Cause);
        Assert.Equal(3, _counters.Refused);
    }

    [Fact]
    public async Task An_unknown_user_costs_as_much_as_a_known_one()
    {
        // Both wait for the queue: neither is answered out of hand.
        CredentialAuthenticator authenticator = With(Users(("anna", "geheim")));
        using (Hold())
        {
            Task<AuthenticationResult> unknown = Ask(authenticator, "zoe", "geheim").AsTask();
            Task<AuthenticationResult> known = Ask(authenticator, "anna", "falsch").AsTask();
            Assert.False(unknown.IsCompleted);
            Assert.False(known.IsCompleted);
        }

        // The hash that is verified in its stead is anna's, but her password does not let zoe in, now or later.
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await VerdictAsync(authenticator, "zoe", "geheim")).Reason);
    }

    [Fact]
    public async Task Passwords_are_wiped()
    {
        CredentialAuthenticator authenticator = With(Users(("anna", "geheim")));
        for (int i = 0; i < 2; i++)
        {
            byte[] password = "geheim"u8.ToArray();
            await authenticator.AuthenticateAsync(new AuthenticationRequest("c", "anna", password, "127.0.0.1:9", false), CancellationToken.None);
            Assert.Equal(new byte[6], password);
        }
    }

    [Fact]
    public async Task What_was_remembered_dies_with_the_user_s_line()
    {
        PasswordFile before = Users(("anna", "geheim"));
        Assert.Equal(ReasonCode.Success, (await VerdictAsync(With(before), "anna", "geheim")).Reason);
        Task<AuthenticationResult> remembered = Ask(With(before), "anna", "geheim").AsTask();
        Assert.True(remembered.IsCompletedSuccessfully);
        // The same password hashed anew is another line.
        CredentialAuthenticator changed = With(Users(("anna", "geheim")));
        Assert.Equal(ReasonCode.Success, (await VerdictAsync(changed, "anna", "geheim")).Reason);
        Assert.Equal((3, 1), (_counters.Admitted, _counters.Remembered));
        CredentialAuthenticator removed = With(Users(("bert", "geheim")));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await VerdictAsync(removed, "anna", "geheim")).Reason);
    }

    [Theory]
    [InlineData(true, ReasonCode.Success)]
    [InlineData(false, ReasonCode.NotAuthorized)]
    public async Task Who_presents_nothing_is_let_in_where_the_listener_allows_it(bool allowed, ReasonCode expected)
    {
        _rules.Current = new AclRuleSet([Rule("a", user: "")], []);
        var request = new AuthenticationRequest("c", null, null, "127.0.0.1:9", allowed);
        AuthenticationResult result = await With(Users(("anna", "geheim"))).AuthenticateAsync(request, CancellationToken.None);
        Assert.Equal((expected, null), (result.Reason, result.UserName));
        Assert.Equal(allowed, result.Permissions.MayPublish("a"u8, QoS.AtMostOnce, false));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("anna", "falsch")]
    public async Task Whom_the_transport_identifies_needs_no_password_and_is_that_user_to_the_rules(string? name, string? password)
    {
        _rules.Current = new AclRuleSet([Rule("press", user: "press7"), Rule("anna", user: "anna")], []);
        byte[]? presented = password is null ? null : Encoding.UTF8.GetBytes(password);
        var request = new AuthenticationRequest("c", name, presented, "127.0.0.1:9", AnonymousAllowed: false) { TransportIdentity = "press7" };
        CredentialAuthenticator authenticator = With(Users(("anna", "geheim")));
        ValueTask<AuthenticationResult> verdict = authenticator.AuthenticateAsync(request, CancellationToken.None);
        Assert.True(verdict.IsCompletedSuccessfully);
        AuthenticationResult result = await verdict;
        Assert.Equal((ReasonCode.Success, "press7"), (result.Reason, result.UserName));
        Assert.True(result.Permissions.MayPublish("press"u8, QoS.AtMostOnce, false));
        Assert.False(result.Permissions.MayPublish("anna"u8, QoS.AtMostOnce, false));
        Assert.True(presented is null || presented.All(b => b == 0));
        _rules.Current = new AclRuleSet([Rule("anna", user: "anna")], []);
        AuthenticationResult reviewed = authenticator.Review(result);
        Assert.Equal((ReasonCode.Success, "press7"), (reviewed.Reason, reviewed.UserName));
        Assert.False(reviewed.Permissions.MayPublish("press"u8, QoS.AtMostOnce, false));
    }

    [Fact]
    public async Task Wrong_credentials_are_refused_also_where_none_are_needed()
    {
        var request = new AuthenticationRequest("c", "anna", "falsch"u8.ToArray(), "127.0.0.1:9", AnonymousAllowed: true);
        AuthenticationResult result = await With(Users(("anna", "geheim"))).AuthenticateAsync(request, CancellationToken.None);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, result.Reason);
    }

    [Fact]
    public async Task When_too_many_wait_a_client_is_told_so_and_counted()
    {
        CredentialAuthenticator authenticator = With(Users(("anna", "geheim")));
        Held held = Hold();
        List<ValueTask<AuthenticationResult>> waiting =
        [
            .. Enumerable.Range(0, VerificationQueue.MaxPerSource).Select(_ => Ask(authenticator, "anna", "falsch")),
        ];
        AuthenticationResult busy = await Ask(authenticator, "anna", "geheim");
        Assert.Equal(ReasonCode.ServerBusy, busy.Reason);
        Assert.Equal(1, _counters.Busy);
        held.Dispose();
        foreach (ValueTask<AuthenticationResult> one in waiting) Assert.Equal(ReasonCode.BadUserNameOrPassword, (await one).Reason);
    }

    [Fact]
    public async Task A_token_lets_in_under_its_own_name_until_it_expires()
    {
        CredentialAuthenticator authenticator = WithTokens();
        string token = Token("press-7", 600);
        AuthenticationResult result = await VerdictAsync(authenticator, "whoever", token);
        Assert.Equal((ReasonCode.Success, "press-7", TimeSpan.FromSeconds(630)), (result.Reason, result.UserName, result.ValidFor));
        _time.Advance(TimeSpan.FromSeconds(30));
        ValueTask<AuthenticationResult> again = Ask(authenticator, null, token);
        Assert.True(again.IsCompleted);
        Assert.Equal(TimeSpan.FromSeconds(600), (await again).ValidFor);
        _time.Advance(TimeSpan.FromSeconds(600));
        AuthenticationResult late = await VerdictAsync(authenticator, null, token);
        Assert.Equal(ReasonCode.NotAuthorized, late.Reason);
        Assert.StartsWith("the token expired at ", late.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_s_rules_come_after_the_configuration_s()
    {
        _rules.Current = new AclRuleSet([Rule("lock", allows: false)], []);
        AuthenticationResult result = await VerdictAsync(WithTokens(), null, Token("press-7", 600, """[{"allow":["publish"],"topics":["lock","dev/%u"]}]"""));
        Assert.False(result.Permissions.MayPublish("lock"u8, QoS.AtMostOnce, false));
        Assert.True(result.Permissions.MayPublish("dev/press-7"u8, QoS.AtMostOnce, false));
    }

    [Fact]
    public async Task Passwords_and_tokens_go_together()
    {
        CredentialAuthenticator authenticator = WithTokens(Users(("anna", "geheim")));
        Assert.Equal(ReasonCode.Success, (await VerdictAsync(authenticator, "anna", "geheim")).Reason);
        AuthenticationResult right = await VerdictAsync(authenticator, "anna", Token("press-7", 60));
        AuthenticationResult wrong = await VerdictAsync(authenticator, "anna", Token("press-7", 60)[..^2]);
        Assert.Equal((ReasonCode.Success, AuthenticationMethod.Jwt), (right.Reason, right.Method));
        Assert.Equal((ReasonCode.NotAuthorized, AuthenticationMethod.Jwt), (wrong.Reason, wrong.Method));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await VerdictAsync(WithTokens(), "anna", "geheim")).Reason);
    }

    [Fact]
    public async Task A_review_says_who_stays_and_with_which_rights()
    {
        PasswordFile users = Users(("anna", "geheim"), ("bert", "geheim"));
        var inForce = new Replaceable<IAuthenticator>(With(users));
        var authenticator = new SwitchableAuthenticator(inForce);
        AuthenticationResult anna = await VerdictAsync(authenticator, "anna", "geheim");
        AuthenticationResult token = await VerdictAsync(WithTokens(), null, Token("press-7", 60));
        Assert.Same(Permissions.All, authenticator.Review(anna).Permissions);
        _rules.Current = new AclRuleSet([Rule("a", user: "anna")], []);
        AuthenticationResult narrowed = authenticator.Review(anna);
        Assert.Equal((ReasonCode.Success, "anna"), (narrowed.Reason, narrowed.UserName));
        Assert.True(narrowed.Permissions.MayPublish("a"u8, QoS.AtMostOnce, false));
        Assert.False(narrowed.Permissions.MayPublish("b"u8, QoS.AtMostOnce, false));
        inForce.Current = With(Users(("bert", "geheim")));
        Assert.Equal(ReasonCode.NotAuthorized, authenticator.Review(anna).Reason);
        Assert.Equal(ReasonCode.NotAuthorized, authenticator.Review(token).Reason);
        inForce.Current = With(Users(("anna", "neu")));
        Assert.Equal(ReasonCode.NotAuthorized, authenticator.Review(narrowed).Reason);
    }

    [Fact]
    public async Task A_review_asks_of_a_token_what_it_was_asked_when_it_came()
    {
        byte[] other = "fedcba9876543210fedcba9876543210"u8.ToArray();
        var options = new TokenOptions { AclClaim = "acl", Issuer = "plant", Audience = "edgebroker" };
        string token = Encoding.ASCII.GetString(TokenMaker.Make(
            """{"alg":"HS256"}""", """{"sub":"press-7","iss":"plant","aud":["edgebroker","shop"],"exp":1800000060}""", TokenMaker.Hmac(Secret)));
        AuthenticationResult press = await VerdictAsync(WithTokens(options, Secret), null, token);
        Assert.Equal(ReasonCode.Success, press.Reason);
        Assert.Equal((ReasonCode.Success, "press-7"), (WithTokens(options, Secret).Review(press).Reason, press.UserName));
        Assert.Equal(ReasonCode.Success, WithTokens(options with { Audience = "shop", Leeway = TimeSpan.Zero }, Secret).Review(press).Reason);
        Assert.Equal(ReasonCode.Success, WithTokens(options with { Issuer = null, Audience = null }, Secret).Review(press).Reason);
        foreach ((TokenOptions changed, byte[] key, string cause) in new[]
        {
            (options, other, "the key that signed its token is not accepted any more"),
            (options with { Issuer = "office" }, Secret, "its token is of another issuer than \"office\""),
            (options with { Audience = "office" }, Secret, "its token is for another audience than \"office\""),
            (options with { AclClaim = null }, Secret, "other claims of tokens count now (username_claim, acl_claim)"),
            (options with { UserNameClaim = "name" }, Secret, "other claims of tokens count now (username_claim, acl_claim)"),
        })
        {
            CredentialAuthenticator authenticator = WithTokens(changed, key);
            Assert.Equal((ReasonCode.NotAuthorized, cause), (authenticator.Review(press).Reason, authenticator.Review(press).Cause));
            // Nor is it let in again because it was remembered.
            if (changed.UserNameClaim == "name" || changed.AclClaim is not null)
            {
                Assert.Equal(ReasonCode.NotAuthorized, (await VerdictAsync(authenticator, null, token)).Reason);
            }
        }
    }

    [Fact]
    public async Task Where_there_are_no_users_any_more_a_review_refuses_those_who_came_with_credentials()
    {
        AuthenticationResult anna = await VerdictAsync(With(Users(("anna", "geheim"))), "anna", "geheim");
        var anonymous = new AnonymousAuthenticator(_rules);
        Assert.Equal(ReasonCode.NotAuthorized, anonymous.Review(anna).Reason);
        AuthenticationResult nobody =
            await anonymous.AuthenticateAsync(new AuthenticationRequest("c", null, null, "127.0.0.1:9", true), CancellationToken.None);
        Assert.Equal(ReasonCode.Success, anonymous.Review(nobody).Reason);
        Assert.Equal(ReasonCode.Success, With(Users(("anna", "neu"))).Review(nobody).Reason);
    }

    [Fact]
    public async Task Before_the_first_keys_have_come_a_client_is_told_to_try_later()
    {
        using var keys = new RefreshedTokenKeys(
            "x", _ => Task.FromException<byte[]>(new IOException("away")), false, null, TimeSpan.FromHours(1), _time, NullLogger.Instance);
        var authenticator = new CredentialAuthenticator(
            new CredentialSources(null, new TokenVerifier(new TokenOptions(), _time), keys), _rules, _queue, _cache, _counters, _time);
        Assert.Equal(ReasonCode.ServerUnavailable, (await VerdictAsync(authenticator, null, Token("x", 60))).Reason);
    }

    private static PasswordFile Users(params (string Name, string Password)[] users)
    {
        var problems = new List<FileProblem>();
        PasswordFile file = PasswordFile.Parse(string.Join('\n', users.Select(user => $"{user.Name}:{PasswordHash.Bcrypt(user.Password, 4).Text}")), problems);
        Assert.Empty(problems);
        return file;
    }

    /// <summary>Keeps the queue's thread busy until disposed of.</summary>
    private Held Hold()
    {
        var held = new Held();
        Assert.True(_queue.TryEnqueue(new ClientNetwork(0, 1), default, held.Wait, out _));
        Assert.True(held.Taken.Wait(Deadline.Timeout));
        return held;
    }

    private sealed class Held : IDisposable
    {
        private readonly ManualResetEventSlim _end = new();

        public ManualResetEventSlim Taken { get; } = new();

        public AuthenticationResult Wait()
        {
            Taken.Set();
            _end.Wait();
            return AuthenticationResult.Refused(ReasonCode.UnspecifiedError);
        }

        public void Dispose() => _end.Set();
    }

    private static AclRule Rule(string topic, bool allows = true, string user = "*") =>
        new() { Source = "test", Allows = allows, Actions = AccessActions.Publish, Topics = [new AclPattern(topic)], User = user };

    private string Token(string user, int seconds, string acl = "null")
    {
        long expires = _time.GetUtcNow().ToUnixTimeSeconds() + seconds;
        return Encoding.ASCII.GetString(
            TokenMaker.Make(
                """{"alg":"HS256"}""", $$"""{"sub":"{{user}}","exp":{{expires}}{{(acl == "null" ? "" : ",\"acl\":" + acl)}}}""", TokenMaker.Hmac(Secret)));
    }

    private CredentialAuthenticator With(PasswordFile users) => new(new CredentialSources(users), _rules, _queue, _cache, _counters, _time);

    private CredentialAuthenticator WithTokens(TokenOptions options, byte[] secret) =>
        new(
            new CredentialSources(null, new TokenVerifier(options, _time), new FixedTokenKeys(TokenKeySet.Of(TokenKey.FromFile(secret, out _)!))), _rules,
            _queue, _cache, _counters, _time);

    private CredentialAuthenticator WithTokens(PasswordFile? users = null)
    {
        var keys = new FixedTokenKeys(TokenKeySet.Of(TokenKey.FromFile(Secret, out _)!));
        return new CredentialAuthenticator(
            new CredentialSources(users, new TokenVerifier(new TokenOptions { AclClaim = "acl" }, _time), keys), _rules, _queue, _cache, _counters, _time);
    }

    private static ValueTask<AuthenticationResult> Ask(IAuthenticator authenticator, string? user, string? password) => authenticator.AuthenticateAsync(
        new AuthenticationRequest("c", user, password is null ? null : Encoding.UTF8.GetBytes(password), "127.0.0.1:9", false) { Listener = "127.0.0.1:1883" },
        CancellationToken.None);

    private static Task<AuthenticationResult> VerdictAsync(IAuthenticator authenticator, string? user, string? password) =>
        Deadline.Within(Ask(authenticator, user, password).AsTask(), "the verdict");
}
