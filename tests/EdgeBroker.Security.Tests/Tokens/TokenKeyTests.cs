using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Security.Tests.Rig;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Security.Tests.Tokens;

/// <summary>Key files, key sets, and sets that change.</summary>
public sealed class TokenKeyTests
{
    private static readonly byte[] Secret = "0123456789abcdef0123456789abcdef"u8.ToArray();

    [Fact]
    public void Files_that_hold_no_usable_key_are_explained()
    {
        using RSA small = RSA.Create(1024);
        using RSA rsa = RSA.Create(2048);
        Assert.Contains("a shared secret of 5 bytes", Problem("short"u8), StringComparison.Ordinal);
        Assert.Contains("holds a private key", Problem(Encoding.ASCII.GetBytes(rsa.ExportPkcs8PrivateKeyPem())), StringComparison.Ordinal);
        Assert.Contains("1024 bits; expected at least 2048", Problem(Encoding.ASCII.GetBytes(small.ExportSubjectPublicKeyInfoPem())), StringComparison.Ordinal);
        Assert.Contains(
            "neither an RSA nor an EC public key", Problem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"u8), StringComparison.Ordinal);
        Assert.Contains("the PEM cannot be read", Problem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"u8), StringComparison.Ordinal);
        Assert.NotNull(TokenKey.FromFile("0123456789abcdef0123456789abcdef\n"u8, out _));
    }

    [Fact]
    public void A_key_set_of_every_kind_is_read_and_the_named_key_used()
    {
        using RSA rsa = RSA.Create(2048);
        using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        TokenKeySet? keys = TokenKeySet.Parse(
            Encoding.UTF8.GetBytes(
                $$"""{"keys":[{{Json(rsa, "r")}},{{Json(ec, "e")}},{{Json(Secret, "s")}},{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"},"""
            + """{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"""), true, out string problem);
        Assert.True(keys is not null, problem);
        Assert.Equal(["r", "e", "s"], keys.Keys.Select(key => key.Id));
        var verifier = new TokenVerifier(new TokenOptions(), TimeProvider.System);
        object claims = new { sub = "x", exp = 4_000_000_000 };
        Assert.Null(verifier.Verify(TokenMaker.Make("RS256", claims, TokenMaker.Rsa(rsa, HashAlgorithmName.SHA256), "r"), keys, out _).Refusal);
        Assert.Null(verifier.Verify(TokenMaker.Make("ES256", claims, TokenMaker.Ecdsa(ec, HashAlgorithmName.SHA256), "e"), keys, out _).Refusal);
        Assert.Null(verifier.Verify(TokenMaker.Make("HS256", claims, TokenMaker.Hmac(Secret), "s"), keys, out _).Refusal);
        Assert.Null(verifier.Verify(TokenMaker.Make("HS256", claims, TokenMaker.Hmac(Secret)), keys, out bool isUnknown).Refusal);
        Assert.False(isUnknown);
        Assert.Equal(
            "no key with the token's \"kid\" \"new\"",
            verifier.Verify(TokenMaker.Make("HS256", claims, TokenMaker.Hmac(Secret), "new"), keys, out isUnknown).Refusal);
        Assert.True(isUnknown);
        // A key of the right name and another kind.
        Assert.StartsWith(
            "no key is for the token's algorithm", verifier.Verify(TokenMaker.Make("HS256", claims, TokenMaker.Hmac(Secret), "r"), keys, out _).Refusal,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":[]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","n":"!","e":"AQAB"}]}""")]
    [InlineData("""{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}""")]
    [InlineData("""{"keys":[{"kty":"oct","k":"AAAA"}]}""")]
    [InlineData("""{"keys":[{"kty":"oct","alg":"RS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}""")]
    public void Key_sets_without_a_usable_key_are_explained(string json)
    {
        Assert.Null(TokenKeySet.Parse(Encoding.UTF8.GetBytes(json), true, out string problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void A_server_s_key_set_holds_no_secrets() =>
        Assert.Null(TokenKeySet.Parse(Encoding.UTF8.GetBytes($$"""{"keys":[{{Json(Secret, "s")}}]}"""), allowSecrets: false, out _));

    [Fact]
    public async Task Newer_keys_are_taken_and_bad_ones_leave_the_last_good_ones_in_force()
    {
        var time = new FakeTimeProvider();
        var answers = new Queue<Func<byte[]>>();
        int reads = 0;
        byte[] first = Encoding.UTF8.GetBytes($$"""{"keys":[{{Json(Secret, "1")}}]}""");
        byte[] second = Encoding.UTF8.GetBytes($$"""{"keys":[{{Json(Secret, "2")}}]}""");
        Task<byte[]> Read(CancellationToken cancellation)
        {
            reads++;
            return Task.FromResult(answers.Dequeue()());
        }

        answers.Enqueue(() => throw new IOException("the network is away"));
        using var keys = new RefreshedTokenKeys("https://keys.example", Read, allowSecrets: true, null, TimeSpan.FromHours(1), time, NullLogger.Instance);
        await WaitForAsync(() => reads == 1);
        Assert.Null(keys.Current);
        answers.Enqueue(() => first);
        // A failure is followed up soon.
        time.Advance(TimeSpan.FromSeconds(30));
        await WaitForAsync(() => keys.Current?.Keys[0].Id == "1");
        answers.Enqueue(() => "nonsense"u8.ToArray());
        time.Advance(TimeSpan.FromHours(1));
        await WaitForAsync(() => reads == 3);
        Assert.Equal("1", keys.Current!.Keys[0].Id);
        // Asked for within ten seconds: not read again.
        keys.AskForNewer();
        Assert.Equal(3, reads);
        answers.Enqueue(() => second);
        time.Advance(TimeSpan.FromSeconds(10));
        keys.AskForNewer();
        await WaitForAsync(() => keys.Current!.Keys[0].Id == "2");
        Assert.Equal(4, reads);
    }

    [Fact]
    public async Task A_server_is_read_within_bounds_and_over_https_only()
    {
        Assert.Throws<ArgumentException>(() => new KeySetServer(new Uri("http://keys.example/jwks")));
        using var good = new KeySetServer(new Uri("https://keys.example/jwks"), new Canned(System.Net.HttpStatusCode.OK, 10));
        Assert.Equal(10, (await good.ReadAsync(CancellationToken.None)).Length);
        using var large = new KeySetServer(new Uri("https://keys.example/jwks"), new Canned(System.Net.HttpStatusCode.OK, TokenKeySet.MaxBytes + 1));
        await Assert.ThrowsAsync<HttpRequestException>(() => large.ReadAsync(CancellationToken.None));
        using var moved = new KeySetServer(new Uri("https://keys.example/jwks"), new Canned(System.Net.HttpStatusCode.Found, 0));
        await Assert.ThrowsAsync<HttpRequestException>(() => moved.ReadAsync(CancellationToken.None));
    }

    // What is waited for happens on the thread pool without a signal of its own.
    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(Deadline.Timeout);
        while (!condition())
        {
            timeout.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static string Problem(ReadOnlySpan<byte> file)
    {
        Assert.Null(TokenKey.FromFile(file, out string problem));
        return problem;
    }

    private static string Json(RSA rsa, string kid)
    {
        RSAParameters key = rsa.ExportParameters(false);
        return $$"""{"kty":"RSA","kid":"{{kid}}","use":"sig","n":"{{Base64Url.EncodeToString(key.Modulus)}}","""
            + $$""" "e":"{{Base64Url.EncodeToString(key.Exponent)}}"}""";
    }

    private static string Json(ECDsa ec, string kid)
    {
        ECParameters key = ec.ExportParameters(false);
        return $$"""{"kty":"EC","kid":"{{kid}}","crv":"P-256","alg":"ES256","""
            + $$""" "x":"{{Base64Url.EncodeToString(key.Q.X)}}","y":"{{Base64Url.EncodeToString(key.Q.Y)}}"}""";
    }

    private static string Json(byte[] secret, string kid) => $$"""{"kty":"oct","kid":"{{kid}}","k":"{{Base64Url.EncodeToString(secret)}}"}""";

    private sealed class Canned(System.Net.HttpStatusCode status, int bytes) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new ByteArrayContent(new byte[bytes]) });
    }
}
