using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Security.Tokens;

namespace EdgeBroker.Fuzz;

/// <summary>
/// The bytes as a token, and as the claims of a token that is signed as it should be. What is let in must be by an oracle that looks at nothing but the
/// signature and the claims it names.
/// </summary>
internal static class TokenTarget
{
    private static readonly byte[] Secret = "0123456789abcdef0123456789abcdef"u8.ToArray();
    private static readonly TokenKeySet Keys = TokenKeySet.Of(TokenKey.FromFile(Secret, out _)!);
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly TokenVerifier Verifier = new(new TokenOptions { AclClaim = "acl", Issuer = "me", Leeway = TimeSpan.Zero }, new StoppedClock());

    /// <summary>The bytes as they came in the password field.</summary>
    public static void RunToken(byte[] input)
    {
        if (!TokenVerifier.IsTokenLike(input)) return;
        TokenVerdict verdict = Verifier.Verify(input, Keys, out _);
        if (verdict.Refusal is not null) return;
        string[] parts = Encoding.ASCII.GetString(input).Split('.');
        byte[] mac = HMACSHA256.HashData(Secret, Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]));
        if (!Decode(parts[2]).SequenceEqual(mac)) throw new DisagreementException("A wrong signature is accepted", input);
        CheckClaims(Decode(parts[1]), verdict, input);
    }

    /// <summary>The bytes as claims, signed rightly.</summary>
    public static void RunClaims(byte[] input)
    {
        if (input.Length > 2048) return;
        string signed = "eyJhbGciOiJIUzI1NiJ9." + Base64Url.EncodeToString(input);
        byte[] token = Encoding.ASCII.GetBytes(signed + "." + Base64Url.EncodeToString(HMACSHA256.HashData(Secret, Encoding.ASCII.GetBytes(signed))));
        TokenVerdict verdict = Verifier.Verify(token, Keys, out _);
        if (verdict.Refusal is null) CheckClaims(input, verdict, input);
        else if (verdict.Refusal.Length == 0) throw new DisagreementException("Refused without a reason", input);
    }

    private static void CheckClaims(byte[] claims, TokenVerdict verdict, byte[] input)
    {
        using JsonDocument json = JsonDocument.Parse(claims);
        JsonElement root = json.RootElement;
        bool isGood = root.GetProperty("sub").GetString() == verdict.UserName && verdict.UserName.Length > 0 && root.GetProperty("iss").GetString() == "me"
            && root.GetProperty("exp").GetDouble() * 1000 >= Now.ToUnixTimeMilliseconds() && verdict.Expires > Now
            && (!root.TryGetProperty("nbf", out JsonElement begins) || begins.GetDouble() * 1000 < Now.ToUnixTimeMilliseconds() + 1)
            && (!root.TryGetProperty("acl", out JsonElement acl) || acl.GetArrayLength() == verdict.Rules!.Count);
        if (!isGood) throw new DisagreementException("Claims that do not admit are accepted", input);
    }

    // As a decoder that takes what base64url allows and no more would.
    private static byte[] Decode(string text)
    {
        string padded = text.Replace('-', '+').Replace('_', '/');
        while (padded.Length % 4 != 0) padded += "=";
        return Convert.FromBase64String(padded);
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
