using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Tests.Rig;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Security.Verification;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Security.Tests.Tokens;

/// <summary>The method JWT: a client stays beyond its token's expiry by sending a newer one.</summary>
public sealed class TokenMethodTests : IDisposable
{
    private const string Method = CredentialAuthenticator.TokenMethod;

    private static readonly byte[] Secret = "0123456789abcdef0123456789abcdef"u8.ToArray();

    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    private readonly VerificationQueue _queue = new(1, NullLogger.Instance);
    private readonly VerificationCache _cache = new(100);
    private readonly AuthenticationCounters _counters = new();

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task A_client_with_a_fresh_token_outlives_its_first_one()
    {
        await using TestBroker broker = Broker();
        TestClient client = await ConnectAsync(broker, Token("press-7", 60));
        ReceivedPacket connack = await client.ExpectConnackAsync();
        Assert.Equal(Method, connack.Properties.Text(PropertyId.AuthenticationMethod));
        Assert.False(connack.Properties.Has(PropertyId.AuthenticationData));
        for (int i = 0; i < 3; i++)
        {
            // A leeway of 30 s comes on top of the minute.
            broker.Advance(80);
            await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method, Token("press-7", 60)));
            await client.ExpectAsync(Packets.Auth(ReasonCode.Success, Method));
        }

        await client.ExpectNothingAsync();
        broker.Advance(91);
        await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        Assert.Equal("the credentials have expired", Assert.Single(broker.Events.All, one => one.Kind == BrokerEventKind.Disconnected).Text);
    }

    [Fact]
    public async Task A_newer_token_of_somebody_else_or_of_nobody_ends_the_connection()
    {
        byte[] expired = Token("press-7", 60);
        _time.Advance(TimeSpan.FromSeconds(100));
        foreach (byte[] newer in new[] { Token("press-8", 60), expired, [
            .. Token("press-7", 60)[..^2], (byte)'x', (byte)'x',
        ], "nonsense"u8.ToArray(), [], new byte[9000] })
        {
            await using TestBroker broker = Broker();
            TestClient client = await ConnectAsync(broker, Token("press-7", 60));
            await client.ExpectConnackAsync();
            await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method, newer));
            await client.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        }
    }

    [Fact]
    public async Task A_client_without_a_good_token_is_refused()
    {
        await using TestBroker broker = Broker();
        foreach (byte[] token in new[] { Token("press-7", -60), [
            .. Token("press-7", 60)[..^2], (byte)'x', (byte)'x',
        ], "nonsense"u8.ToArray(), [], new byte[9000] })
        {
            TestClient client = await ConnectAsync(broker, token);
            await client.ExpectRefusedAsync(ReasonCode.NotAuthorized);
        }

        Assert.Equal(5, _counters.Refused);
    }

    [Fact]
    public async Task A_token_in_the_passwords_place_cannot_be_followed_by_another()
    {
        await using TestBroker broker = Broker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", userName: "any", password: Token("press-7", 60)));
        await client.ExpectConnackAsync();
        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Method, Token("press-7", 60)));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Theory]
    [InlineData("press-7", ReasonCode.Success)]
    [InlineData("press-8", ReasonCode.NotAuthorized)]
    public async Task A_certificate_must_name_the_tokens_user(string name, ReasonCode expected)
    {
        var request = new AuthenticationRequest("c", null, null, "127.0.0.1:9", false)
        {
            Method = Method,
            MethodData = Token("press-7", 60),
            TransportIdentity = name,
        };
        Assert.Equal(expected, (await Deadline.Within(Authenticator().AuthenticateAsync(request, CancellationToken.None).AsTask(), "the verdict")).Reason);
    }

    [Fact]
    public async Task Tokens_are_offered_where_they_are_configured()
    {
        await using TestBroker broker = Broker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", properties: Prop.AuthenticationMethod("SCRAM-SHA-256")));
        ReceivedPacket refusal = await client.ExpectRefusedAsync(ReasonCode.BadAuthenticationMethod);
        Assert.EndsWith("offered: JWT", refusal.Properties.Text(PropertyId.ReasonString), StringComparison.Ordinal);
    }

    private static async Task<TestClient> ConnectAsync(TestBroker broker, byte[] token)
    {
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", properties: [.. Prop.AuthenticationMethod(Method), .. Prop.AuthenticationData(token)]));
        return client;
    }

    private TestBroker Broker() => new(new TestBrokerOptions { Authenticator = Authenticator(), AllowAnonymous = false, Time = _time });

    private CredentialAuthenticator Authenticator()
    {
        var keys = new FixedTokenKeys(TokenKeySet.Of(TokenKey.FromFile(Secret, out _)!));
        return new CredentialAuthenticator(
            new CredentialSources(null, new TokenVerifier(new TokenOptions(), _time), keys),
            new Replaceable<AclRuleSet>(AclRuleSet.Unrestricted),
            _queue,
            _cache,
            _counters,
            _time);
    }

    private byte[] Token(string user, int seconds)
    {
        long expires = _time.GetUtcNow().ToUnixTimeSeconds() + seconds;
        return Encoding.ASCII.GetBytes(
            Encoding.ASCII.GetString(TokenMaker.Make("""{"alg":"HS256"}""", $$"""{"sub":"{{user}}","exp":{{expires}}}""", TokenMaker.Hmac(Secret))));
    }
}
