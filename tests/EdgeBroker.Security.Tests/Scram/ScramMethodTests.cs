using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Verification;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Security.Tests.Scram;

/// <summary>SCRAM-SHA-256 against a password file: who comes in, who does not, and what can be learned from the difference.</summary>
public sealed class ScramMethodTests : IDisposable
{
    private const string Method = "SCRAM-SHA-256";

    private static readonly PasswordHash Anna = PasswordHash.Scram("geheim", 4096);
    private static readonly PasswordHash Bert = PasswordHash.Scram("geheim", 5000);
    private static readonly PasswordHash Clara = PasswordHash.Bcrypt("geheim", 4);

    private readonly VerificationQueue _queue = new(1, NullLogger.Instance);
    private readonly VerificationCache _cache = new(100);
    private readonly AuthenticationCounters _counters = new();
    private readonly Replaceable<AclRuleSet> _rules = new(AclRuleSet.Unrestricted);

    public void Dispose() => _queue.Dispose();

    [Theory]
    [InlineData("n,,")]
    [InlineData("y,,")]
    [InlineData("n,a=anna,")]
    public async Task The_right_password_lets_in_and_is_answered_by_the_servers_own_proof(string header)
    {
        var peer = new ScramPeer("anna", "geheim") { Header = header };
        AuthenticationResult question = await AskAsync(With(Users()), peer.First);
        Assert.Equal(ReasonCode.ContinueAuthentication, question.Reason);
        AuthenticationResult verdict = await AnswerAsync(question, peer.Answer(question.Reply!.Data));
        Assert.Equal((ReasonCode.Success, "anna"), (verdict.Reason, verdict.UserName));
        Assert.Same(Permissions.All, verdict.Permissions);
        Assert.Equal(peer.Last, verdict.Reply!.Data);
        Assert.Null(verdict.Reply.Next);
        Assert.Equal((1, 0), (_counters.Admitted, _counters.Refused));
    }

    [Theory]
    [InlineData("anna", "falsch", "wrong password for user \"anna\"")]
    [InlineData("zoe", "geheim", "there is no user \"zoe\"")]
    [InlineData("clara", "geheim", "user \"clara\" has no SCRAM credentials; `edgebroker passwd add --scram` makes them")]
    public async Task Everyone_is_asked_and_who_is_wrong_fails_at_the_end(string user, string password, string cause)
    {
        var peer = new ScramPeer(user, password);
        AuthenticationResult question = await AskAsync(With(Users()), peer.First);
        Assert.Equal(ReasonCode.ContinueAuthentication, question.Reason);
        AuthenticationResult verdict = await AnswerAsync(question, peer.Answer(question.Reply!.Data));
        Assert.Equal((ReasonCode.NotAuthorized, cause, user), (verdict.Reason, verdict.Cause, verdict.ClaimedUser));
        Assert.Equal((0, 1), (_counters.Admitted, _counters.Refused));
    }

    [Fact]
    public async Task A_name_nobody_has_is_asked_as_if_somebody_had_it()
    {
        CredentialAuthenticator before = With(Users());
        (string Salt, int Iterations) zoe = await QuestionAsync(before, "zoe");
        (string Salt, int Iterations) zora = await QuestionAsync(before, "zora");
        (string Salt, int Iterations) anna = await QuestionAsync(before, "anna");
        (string Salt, int Iterations) clara = await QuestionAsync(before, "clara");
        Assert.Equal(4, new[] { zoe, zora, anna, clara }.Select(one => one.Salt).Distinct().Count());
        Assert.All([zoe, zora, clara], one => Assert.True(one.Salt.Length == anna.Salt.Length && one.Iterations is 4096 or 5000));
        // The same each time, also after the users were read again.
        Assert.Equal((zoe, anna, clara), (await QuestionAsync(before, "zoe"), await QuestionAsync(before, "anna"), await QuestionAsync(before, "clara")));
        Assert.Equal(zoe, await QuestionAsync(With(Users()), "zoe"));
        // And not to be foretold: another process has another secret.
        var other = new CredentialAuthenticator(new CredentialSources(Users()), _rules, _queue, new VerificationCache(100), _counters, TimeProvider.System);
        Assert.NotEqual(zoe.Salt, (await QuestionAsync(other, "zoe")).Salt);
        Assert.Equal(anna, await QuestionAsync(other, "anna"));
    }

    [Theory]
    [InlineData("p=tls-exporter,,n=anna,r=abc", ReasonCode.BadAuthenticationMethod, "SCRAM-SHA-256-PLUS")]
    [InlineData("n,a=bert,n=anna,r=abc", ReasonCode.NotAuthorized, "somebody else")]
    [InlineData("n,,n=an\u0007na,r=abc", ReasonCode.NotAuthorized, "a user name that SCRAM does not take")]
    [InlineData("n,,m=x,n=anna,r=abc", ReasonCode.ProtocolError, "extension")]
    [InlineData("n,,anna", ReasonCode.ProtocolError, "not a message of SCRAM-SHA-256")]
    [InlineData("", ReasonCode.ProtocolError, "not a message of SCRAM-SHA-256")]
    public async Task What_is_not_offered_is_refused_at_once_and_explained(string first, ReasonCode reason, string cause)
    {
        AuthenticationResult verdict = await AskAsync(With(Users()), Encoding.UTF8.GetBytes(first));
        Assert.Equal(reason, verdict.Reason);
        Assert.Contains(cause, verdict.Cause, StringComparison.Ordinal);
        Assert.Equal(1, _counters.Refused);
    }

    [Fact]
    public async Task An_answer_to_another_question_is_refused()
    {
        CredentialAuthenticator authenticator = With(Users());
        var peer = new ScramPeer("anna", "geheim");
        AuthenticationResult one = await AskAsync(authenticator, peer.First);
        AuthenticationResult two = await AskAsync(authenticator, peer.First);
        byte[] answer = peer.Answer(one.Reply!.Data);
        Assert.Equal(ReasonCode.NotAuthorized, (await AnswerAsync(two, answer)).Reason);
        Assert.Equal(ReasonCode.ProtocolError, (await AnswerAsync(await AskAsync(authenticator, peer.First), "nonsense"u8.ToArray())).Reason);
        Assert.Equal(ReasonCode.Success, (await AnswerAsync(one, answer)).Reason);
    }

    [Theory]
    [InlineData("SCRAM-SHA-1")]
    [InlineData("SCRAM-SHA-256-PLUS")]
    [InlineData("scram-sha-256")]
    [InlineData("JWT")]
    [InlineData("")]
    public async Task Other_methods_are_refused_with_the_ones_there_are(string method)
    {
        AuthenticationResult verdict = await AskAsync(With(Users()), new ScramPeer("anna", "geheim").First, method);
        Assert.Equal(
            (ReasonCode.BadAuthenticationMethod, "this authentication method is not offered here; offered: SCRAM-SHA-256"), (verdict.Reason, verdict.Cause));
    }

    [Fact]
    public async Task Where_nobody_has_such_credentials_the_method_is_not_offered()
    {
        AuthenticationResult verdict = await AskAsync(With(File($"clara:{Clara.Text}")), new ScramPeer("clara", "geheim").First);
        Assert.Equal((ReasonCode.BadAuthenticationMethod, "this authentication method is not offered here; offered: none"), (verdict.Reason, verdict.Cause));
    }

    [Theory]
    [InlineData("anna", ReasonCode.Success)]
    [InlineData("press7", ReasonCode.NotAuthorized)]
    public async Task A_certificate_must_name_the_same_user(string name, ReasonCode expected)
    {
        var peer = new ScramPeer("anna", "geheim");
        AuthenticationResult question = await AskAsync(With(Users()), peer.First, transportIdentity: name);
        Assert.Equal(expected, (await AnswerAsync(question, peer.Answer(question.Reply!.Data))).Reason);
    }

    [Fact]
    public async Task A_user_with_commas_and_equals_signs_is_found()
    {
        var peer = new ScramPeer("a=b,c", "geheim");
        AuthenticationResult question = await AskAsync(With(File($"a=b,c:{Anna.Text}")), peer.First);
        Assert.Equal("a=b,c", (await AnswerAsync(question, peer.Answer(question.Reply!.Data))).UserName);
    }

    [Fact]
    public async Task Who_came_in_by_it_is_reviewed_like_others()
    {
        var peer = new ScramPeer("anna", "geheim");
        AuthenticationResult question = await AskAsync(With(Users()), peer.First);
        AuthenticationResult anna = await AnswerAsync(question, peer.Answer(question.Reply!.Data));
        Assert.Equal(ReasonCode.Success, With(Users()).Review(anna).Reason);
        Assert.Equal(ReasonCode.NotAuthorized, With(File($"bert:{Bert.Text}")).Review(anna).Reason);
        Assert.Equal(ReasonCode.NotAuthorized, With(File($"anna:{PasswordHash.Scram("geheim", 4096).Text}")).Review(anna).Reason);
    }

    [Fact]
    public async Task Such_a_line_takes_the_password_in_CONNECT_too()
    {
        CredentialAuthenticator authenticator = With(Users());
        var attempts = new[] { ("geheim", ReasonCode.Success), ("falsch", ReasonCode.BadUserNameOrPassword), ("geheim", ReasonCode.Success) };
        foreach ((string password, ReasonCode expected) in attempts)
        {
            var request = new AuthenticationRequest("c", "anna", Encoding.UTF8.GetBytes(password), "127.0.0.1:9", false);
            Assert.Equal(expected, (await Deadline.Within(authenticator.AuthenticateAsync(request, CancellationToken.None).AsTask(), "the verdict")).Reason);
        }

        Assert.Equal((2, 1, 1), (_counters.Admitted, _counters.Remembered, _counters.Refused));
    }

    [Fact]
    public async Task A_password_beside_a_method_is_wiped_and_not_looked_at()
    {
        byte[] password = "geheim"u8.ToArray();
        var request = new AuthenticationRequest("c", "anna", password, "127.0.0.1:9", true)
        {
            Method = Method,
            MethodData = new ScramPeer("anna", "falsch").First,
        };
        ValueTask<AuthenticationResult> asked = With(Users()).AuthenticateAsync(request, CancellationToken.None);
        Assert.True(asked.IsCompletedSuccessfully);
        Assert.Equal(ReasonCode.ContinueAuthentication, (await asked).Reason);
        Assert.Equal(new byte[6], password);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_is_let_in_and_authenticated_again(bool overSockets)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = With(Users()), AllowAnonymous = false, OverSockets = overSockets });
        TestClient client = await broker.OpenAsync();
        var peer = new ScramPeer("anna", "geheim");
        await client.SendAsync(client.Packets.Connect("one", properties: [.. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData(peer.First)]));
        await AnswerAsync(client, peer);
        ReceivedPacket connack = await client.ExpectConnackAsync();
        Assert.Equal(Method, connack.Properties.Text(PropertyId.AuthenticationMethod));
        Assert.Equal(peer.Last, connack.Properties.Binary(PropertyId.AuthenticationData));
        var second = new ScramPeer("anna", "geheim", "anothernonce");
        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method, second.First));
        await AnswerAsync(client, second);
        await client.ExpectAsync(Packets.Auth(ReasonCode.Success, Method, second.Last));
        var bert = new ScramPeer("bert", "geheim");
        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method, bert.First));
        await AnswerAsync(client, bert);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [Theory]
    [InlineData("anna", "falsch")]
    [InlineData("zoe", "geheim")]
    [InlineData("clara", "geheim")]
    public async Task Wrong_clients_cannot_be_told_apart_by_what_they_hear(string user, string password)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = With(Users()), AllowAnonymous = false });
        TestClient client = await broker.OpenAsync();
        var peer = new ScramPeer(user, password);
        await client.SendAsync(client.Packets.Connect("one", properties: [.. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData(peer.First)]));
        await AnswerAsync(client, peer);
        ReceivedPacket refusal = await client.ExpectRefusedAsync(ReasonCode.NotAuthorized);
        Assert.Equal([(PropertyId.ReasonString, "not let in: no valid credentials")], refusal.Properties.All);
        Assert.All(broker.Events.All, one => Assert.Equal((ReasonCode.NotAuthorized, "one"), (one.Reason, one.ClientId)));
        Assert.Equal([BrokerEventKind.NotAuthenticated, BrokerEventKind.Refused], broker.Events.All.Select(one => one.Kind));
        Assert.StartsWith($"{user} by Scram: ", broker.Events.All[0].Text, StringComparison.Ordinal);
    }

    private static PasswordFile Users() => File($"anna:{Anna.Text}", $"bert:{Bert.Text}", $"clara:{Clara.Text}");

    private static PasswordFile File(params string[] lines)
    {
        var problems = new List<FileProblem>();
        PasswordFile file = PasswordFile.Parse(string.Join('\n', lines), problems);
        Assert.Empty(problems);
        return file;
    }

    private static async Task<AuthenticationResult> AskAsync(
        IAuthenticator authenticator, byte[] first, string method = Method, string? transportIdentity = null)
    {
        var request = new AuthenticationRequest("c", null, null, "127.0.0.1:9", false)
        {
            Method = method,
            MethodData = first,
            TransportIdentity = transportIdentity,
        };
        ValueTask<AuthenticationResult> asked = authenticator.AuthenticateAsync(request, CancellationToken.None);
        // On the calling thread: there is nothing to wait for.
        Assert.True(asked.IsCompletedSuccessfully);
        return await asked;
    }

    private static async Task<AuthenticationResult> AnswerAsync(AuthenticationResult question, byte[] answer) =>
        await question.Reply!.Next!.ContinueAsync(answer, CancellationToken.None);

    private static async Task AnswerAsync(TestClient client, ScramPeer peer)
    {
        ReceivedPacket question = await client.ExpectAsync(PacketType.Auth);
        Assert.Equal((ReasonCode.ContinueAuthentication, Method), (question.Reason, question.Properties.Text(PropertyId.AuthenticationMethod)));
        await client.SendAsync(
            Packets.Auth(ReasonCode.ContinueAuthentication, Method, peer.Answer(question.Properties.Binary(PropertyId.AuthenticationData)!)));
    }

    private static async Task<(string Salt, int Iterations)> QuestionAsync(IAuthenticator authenticator, string user)
    {
        AuthenticationResult question = await AskAsync(authenticator, new ScramPeer(user, "x").First);
        string[] parts = Encoding.UTF8.GetString(question.Reply!.Data).Split(',');
        return (parts[1][2..], int.Parse(parts[2][2..], System.Globalization.CultureInfo.InvariantCulture));
    }

    private CredentialAuthenticator With(PasswordFile users) => new(new CredentialSources(users), _rules, _queue, _cache, _counters, TimeProvider.System);
}
