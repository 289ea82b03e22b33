using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Tests.Rig;
using EdgeBroker.Security.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Security.Tests.Tokens;

public sealed class TokenVerifierTests : IDisposable
{
    private static readonly byte[] Secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"u8.ToArray();

    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    private readonly RSA _rsa = RSA.Create(2048);

    private static TokenOptions Options => new() { Issuer = "https://plant.example", Audience = "edgebroker", AclClaim = "acl" };

    private long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    public void Dispose() => _rsa.Dispose();

    [Theory]
    [InlineData("HS256")]
    [InlineData("HS384")]
    [InlineData("HS512")]
    public void Tokens_signed_with_a_secret(string algorithm)
    {
        TokenVerdict verdict = Verify(TokenMaker.Make(algorithm, Good(), TokenMaker.Hmac(Secret, algorithm)), KeyOf(Secret));
        Assert.Null(verdict.Refusal);
        Assert.Equal("press-7", verdict.UserName);
        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromSeconds(630), verdict.Expires);
        // Rules are expected in a claim, and it has none: it may do nothing by itself.
        Assert.Empty(verdict.Rules!);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    public void Tokens_signed_with_RSA(string algorithm)
    {
        byte[] token = TokenMaker.Make(algorithm, Good(), TokenMaker.Rsa(_rsa, HashOf(algorithm)));
        Assert.Null(Verify(token, KeyOf(_rsa.ExportSubjectPublicKeyInfoPem())).Refusal);
        using RSA other = RSA.Create(2048);
        Assert.Equal("the token's signature is wrong", Verify(token, KeyOf(other.ExportSubjectPublicKeyInfoPem())).Refusal);
    }

    [Theory]
    [InlineData("ES256", "nistP256")]
    [InlineData("ES384", "nistP384")]
    [InlineData("ES512", "nistP521")]
    public void Tokens_signed_with_ECDSA(string algorithm, string curve)
    {
        using ECDsa key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        byte[] token = TokenMaker.Make(algorithm, Good(), TokenMaker.Ecdsa(key, HashOf(algorithm)));
        Assert.Null(Verify(token, KeyOf(key.ExportSubjectPublicKeyInfoPem())).Refusal);
        using ECDsa other = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        Assert.Equal("the token's signature is wrong", Verify(token, KeyOf(other.ExportSubjectPublicKeyInfoPem())).Refusal);
    }

    [Fact]
    public void A_certificate_is_a_key_too()
    {
        var request =
            new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=issuer", _rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        Assert.Null(
            Verify(TokenMaker.Make("RS256", Good(), TokenMaker.Rsa(_rsa, HashAlgorithmName.SHA256)), KeyOf(certificate.ExportCertificatePem())).Refusal);
    }

    [Fact]
    public void A_token_without_a_signature_is_refused_whatever_the_case_of_its_none()
    {
        foreach (string none in new[] { "none", "None", "NONE", "" })
        {
            Assert.StartsWith(
                "no key is for the token's algorithm", Verify(TokenMaker.Make(none, Good(), _ => []), KeyOf(Secret)).Refusal, StringComparison.Ordinal);
        }

        Assert.Equal("the token's signature is wrong", Verify(TokenMaker.Make("HS256", Good(), _ => []), KeyOf(Secret)).Refusal);
    }

    [Fact]
    public void A_public_key_is_no_shared_secret()
    {
        // The classic: the attacker knows the public key and signs with its text as if it were an HMAC secret.
        string pem = _rsa.ExportSubjectPublicKeyInfoPem();
        foreach (byte[] secret in new[] { Encoding.ASCII.GetBytes(pem), Encoding.ASCII.GetBytes(pem + "\n"), _rsa.ExportSubjectPublicKeyInfo() })
        {
            Assert.Equal(
                "no key is for the token's algorithm \"HS256\"; expected RS256, RS384, RS512",
                Verify(TokenMaker.Make("HS256", Good(), TokenMaker.Hmac(secret)), KeyOf(pem)).Refusal);
        }
    }

    [Fact]
    public void A_token_that_asks_for_more_than_is_understood_is_refused()
    {
        byte[] token =
            TokenMaker.Make("""{"alg":"HS256","crit":["b64"],"b64":false}""", System.Text.Json.JsonSerializer.Serialize(Good()), TokenMaker.Hmac(Secret));
        Assert.StartsWith("the token's header has \"crit\"", Verify(token, KeyOf(Secret)).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_claim_that_is_not_text_refuses_the_token()
    {
        string[] halves =
        [
            "{\"iss\":\"https://plant.example\",\"aud\":\"edgebroker\",\"exp\":1800000600,\"sub\":\"\\ud800\"}", "{\"sub\":\"\\ud800x\",\"exp\":1800000600}",
        ];
        foreach (string claims in halves)
        {
            Assert.NotNull(Verify(TokenMaker.Make("{\"alg\":\"HS256\"}", claims, TokenMaker.Hmac(Secret)), KeyOf(Secret)).Refusal);
        }
    }

    [Fact]
    public void A_changed_token_is_refused()
    {
        byte[] token = TokenMaker.Make("HS256", Good(), TokenMaker.Hmac(Secret));
        int claims = Array.IndexOf(token, (byte)'.') + 10;
        token[claims] = token[claims] == 'A' ? (byte)'B' : (byte)'A';
        Assert.NotNull(Verify(token, KeyOf(Secret)).Refusal);
    }

    [Fact]
    public void Each_claim_is_checked_and_the_refusal_says_which()
    {
        Assert.Equal(
            "the token is of another issuer: \"https://else.example\", expected \"https://plant.example\"",
            Refusal(new { iss = "https://else.example", aud = "edgebroker", sub = "x", exp = Now + 60 }));
        Assert.StartsWith("the token is of another issuer", Refusal(new { aud = "edgebroker", sub = "x", exp = Now + 60 }), StringComparison.Ordinal);
        Assert.Equal(
            "the token is for another audience than \"edgebroker\"", Refusal(new { iss = "https://plant.example", aud = "shop", sub = "x", exp = Now + 60 }));
        Assert.Equal("the token is for another audience than \"edgebroker\"", Refusal(new { iss = "https://plant.example", sub = "x", exp = Now + 60 }));
        Assert.Null(Refusal(new { iss = "https://plant.example", aud = new[] { "shop", "edgebroker" }, sub = "x", exp = Now + 60 }));
        Assert.Equal(
            "the token expired at 2027-01-15 07:59:30 UTC", Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = "x", exp = Now - 30 }));
        Assert.Null(Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = "x", exp = Now - 29 }));
        Assert.Equal(
            "the token is not valid before 2027-01-15 08:00:31 UTC",
            Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = "x", exp = Now + 60, nbf = Now + 31 }));
        Assert.Null(Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = "x", exp = Now + 60, nbf = Now + 30 }));
        Assert.Equal("the token has no time of expiry (\"exp\")", Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = "x" }));
        Assert.NotNull(Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = "x", exp = 1e300 }));
        Assert.Equal("the claim \"sub\" does not name a user", Refusal(new { iss = "https://plant.example", aud = "edgebroker", exp = Now + 60 }));
        Assert.Equal("the claim \"sub\" does not name a user", Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = 7, exp = Now + 60 }));
        Assert.Equal(
            "the claim \"sub\" does not name a user", Refusal(new { iss = "https://plant.example", aud = "edgebroker", sub = "a\nb", exp = Now + 60 }));
    }

    [Fact]
    public void A_token_carries_rules()
    {
        TokenVerdict verdict = Verify(
            TokenMaker.Make(
                "HS256", Good("""[{"deny":["publish"],"topics":["a/lock"]},{"allow":["publish","retain"],"topics":["a/#","%c"],"max_qos":1}]"""),
                TokenMaker.Hmac(Secret)), KeyOf(Secret));
        Assert.Null(verdict.Refusal);
        Assert.Equal(2, verdict.Rules!.Count);
        Assert.False(verdict.Rules[0].Allows);
        Assert.Equal(AccessActions.Publish | AccessActions.Retain, verdict.Rules[1].Actions);
        Assert.Equal(QoS.AtLeastOnce, verdict.Rules[1].MaximumQoS);
        Assert.Equal("the token's claim acl[1]", verdict.Rules[1].Source);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""[{"allow":["publish"]}]""")]
    [InlineData("""[{"topics":["a"]}]""")]
    [InlineData("""[{"allow":[],"topics":["a"]}]""")]
    [InlineData("""[{"allow":["fly"],"topics":["a"]}]""")]
    [InlineData("""[{"allow":["publish"],"deny":["publish"],"topics":["a"]}]""")]
    [InlineData("""[{"allow":["publish"],"topics":["a/#/b"]}]""")]
    [InlineData("""[{"allow":["publish"],"topics":[]}]""")]
    [InlineData("""[{"allow":["publish"],"topics":["a"],"max_qos":3}]""")]
    [InlineData("""[{"allow":["publish"],"topics":["a"],"user":"*"}]""")]
    public void Rules_that_make_no_sense_refuse_the_token(string acl) =>
        Assert.StartsWith(
            "the claim \"acl\" is not a list of rules", Verify(TokenMaker.Make("HS256", Good(acl), TokenMaker.Hmac(Secret)), KeyOf(Secret)).Refusal,
            StringComparison.Ordinal);

    [Fact]
    public void Malformed_and_oversized_tokens_are_refused()
    {
        string[] tokens =
        [
            "eyJ..", "eyJ.a.b", "eyJhbGciOiJIUzI1NiJ9..", "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJIUzI1NiJ9.W10.AAAA", "eyJ4IjoxfQ.e30.AAAA",
        ];
        foreach (string token in tokens)
        {
            Assert.NotNull(Verify(Encoding.ASCII.GetBytes(token), KeyOf(Secret)).Refusal);
        }

        byte[] large = TokenMaker.Make("HS256", new { sub = new string('x', TokenOptions.MaxTokenBytes) }, TokenMaker.Hmac(Secret));
        Assert.StartsWith("a token of ", Verify(large, KeyOf(Secret)).Refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eyJh.b.c", true)]
    [InlineData("eyJh.b_-.c", true)]
    [InlineData("eyJh.b", false)]
    [InlineData("eyJh.b.c.d", false)]
    [InlineData("eyJh.b.c\n", false)]
    [InlineData("secret", false)]
    [InlineData("", false)]
    public void What_looks_like_a_token(string secret, bool isToken) => Assert.Equal(isToken, TokenVerifier.IsTokenLike(Encoding.UTF8.GetBytes(secret)));

    private static HashAlgorithmName HashOf(string algorithm) =>
        algorithm[2..] switch { "256" => HashAlgorithmName.SHA256, "384" => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };

    private static TokenKeySet KeyOf(string pem) => KeyOf(Encoding.ASCII.GetBytes(pem));

    private static TokenKeySet KeyOf(byte[] file)
    {
        TokenKey? key = TokenKey.FromFile(file, out string problem);
        Assert.True(key is not null, problem);
        return TokenKeySet.Of(key);
    }

    private object Good() => new { iss = "https://plant.example", aud = "edgebroker", sub = "press-7", exp = Now + 600 };

    private object Good(string acl) =>
        new { iss = "https://plant.example", aud = "edgebroker", sub = "press-7", exp = Now + 600, acl = System.Text.Json.Nodes.JsonNode.Parse(acl) };

    private string? Refusal(object claims) => Verify(TokenMaker.Make("HS256", claims, TokenMaker.Hmac(Secret)), KeyOf(Secret)).Refusal;

    private TokenVerdict Verify(byte[] token, TokenKeySet keys)
    {
        TokenVerdict verdict = new TokenVerifier(Options, _time).Verify(token, keys, out _);
        if (verdict.Refusal is not null) Assert.DoesNotContain(Encoding.ASCII.GetString(token), verdict.Refusal, StringComparison.Ordinal);
        return verdict;
    }
}
