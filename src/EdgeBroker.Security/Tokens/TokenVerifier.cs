using System.Text;
using System.Text.Json;
using EdgeBroker.Core.Security;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace EdgeBroker.Security.Tokens;

/// <summary>Checks JSON Web Tokens (RFC 7519) in compact form: signature, issuer, audience, times, and the claims that say who and what.</summary>
/// <param name="options">What a token must be.</param>
/// <param name="time">The clock; expiry is by the calendar.</param>
public sealed class TokenVerifier(TokenOptions options, TimeProvider time)
{
    private static readonly JsonDocumentOptions Shallow = new() { MaxDepth = 8 };

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = TokenOptions.MaxTokenBytes };

    /// <summary>
    /// Whether these bytes have the form of a signed token: three parts of base64url, the first of which begins an object. Says nothing of its worth.
    /// </summary>
    public static bool IsTokenLike(ReadOnlySpan<byte> secret)
    {
        if (!secret.StartsWith("eyJ"u8) || secret.Count((byte)'.') != 2) return false;
        foreach (byte b in secret)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'.' or (byte)'-' or (byte)'_')) return false;
        }

        return true;
    }

    /// <summary>Checks a token. Takes the time of a signature: not on a thread that others wait for.</summary>
    /// <param name="token">Bytes that <see cref="IsTokenLike"/> accepts.</param>
    /// <param name="keys">The keys in force.</param>
    /// <param name="isKeyUnknown">Whether it was signed with a key that is not among them.</param>
    public TokenVerdict Verify(ReadOnlySpan<byte> token, TokenKeySet keys, out bool isKeyUnknown)
    {
        isKeyUnknown = false;
        if (token.Length > TokenOptions.MaxTokenBytes) return TokenVerdict.Refused($"a token of {token.Length} bytes, above {TokenOptions.MaxTokenBytes}");
        JsonWebToken parsed;
        JsonDocument claims;
        try
        {
            parsed = new JsonWebToken(Encoding.ASCII.GetString(token));
            claims = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(parsed.EncodedPayload), Shallow);
        }
        catch (Exception e) when (e is ArgumentException or JsonException or FormatException or SecurityTokenException)
        {
            return TokenVerdict.Refused("a token that is malformed");
        }

        try
        {
            using (claims) return Verify(parsed, claims.RootElement, keys, ref isKeyUnknown);
        }
        catch (InvalidOperationException)
        {
            // The form of JSON was checked, but that strings are text shows only when they are read.
            return TokenVerdict.Refused("a token with a claim that is not text");
        }
    }

    /// <summary>
    /// Why a token that was good when it was verified is so no more, by the options and keys of today; null: it is. Its times are not looked at.
    /// </summary>
    /// <param name="verified">What it turned out to be.</param>
    /// <param name="keys">The keys in force; null: not read yet, so nothing is known against it.</param>
    public string? FindObjection(TokenVerdict verified, TokenKeySet? keys)
    {
        if (options.Issuer is not null && verified.Issuer != options.Issuer) return $"its token is of another issuer than \"{options.Issuer}\"";
        if (options.Audience is not null && !verified.Audiences.Contains(options.Audience))
        {
            return $"its token is for another audience than \"{options.Audience}\"";
        }

        // What other claims of it say is not known any more: it is presented anew.
        if (verified.CheckedBy?.UserNameClaim != options.UserNameClaim || verified.CheckedBy.AclClaim != options.AclClaim)
        {
            return "other claims of tokens count now (username_claim, acl_claim)";
        }

        return keys is not null && keys.Keys.All(key => key.Thumbprint != verified.Key) ? "the key that signed its token is not accepted any more" : null;
    }

    private TokenVerdict Verify(JsonWebToken token, JsonElement claims, TokenKeySet keys, ref bool isKeyUnknown)
    {
        if (claims.ValueKind != JsonValueKind.Object) return TokenVerdict.Refused("a token that is malformed");
        // Whoever does not understand what "crit" names must refuse (RFC 7515, 4.1.11), and we understand none.
        if (token.TryGetHeaderValue("crit", out object _))
        {
            return TokenVerdict.Refused("the token's header has \"crit\", which asks for more than is understood here");
        }

        TokenKey[] suited = [.. keys.Keys.Where(key => key.Suits(token.Alg, token.Kid))];
        if (suited.Length == 0)
        {
            isKeyUnknown = !string.IsNullOrEmpty(token.Kid) && keys.Keys.All(key => key.Id != token.Kid);
            return TokenVerdict.Refused(isKeyUnknown
                ? $"no key with the token's \"kid\" \"{Short(token.Kid)}\""
                : $"no key is for the token's algorithm \"{Short(token.Alg)}\"; "
                    + $"expected {string.Join(" or ", keys.Keys.Select(key => key.Algorithms).Distinct())}");
        }

        if (CheckSigned(token, suited, out TokenKey? key) is { } refusal) return TokenVerdict.Refused(refusal);
        if (CheckTimes(claims, out DateTimeOffset expires) is { } badTime) return TokenVerdict.Refused(badTime);
        string? userName = TextOf(claims, options.UserNameClaim);
        if (string.IsNullOrEmpty(userName) || userName.Length > Passwords.PasswordFile.MaxUserNameLength || userName.Any(char.IsControl))
        {
            return TokenVerdict.Refused($"the claim \"{options.UserNameClaim}\" does not name a user");
        }

        // Where rules come with the token, one that has none may do nothing beyond the configuration's.
        IReadOnlyList<AclRule>? rules = options.AclClaim is null ? null : [];
        if (options.AclClaim is { } acl && claims.TryGetProperty(acl, out JsonElement claim) && !AclClaim.TryRead(claim, acl, out rules, out string problem))
        {
            return TokenVerdict.Refused($"the claim \"{acl}\" is not a list of rules: {problem}");
        }

        return new TokenVerdict(null, userName, expires, rules)
        {
            CheckedBy = options,
            Key = key!.Thumbprint,
            Issuer = token.Issuer,
            Audiences = [.. token.Audiences],
        };
    }

    private string? CheckSigned(JsonWebToken token, TokenKey[] keys, out TokenKey? used)
    {
        var parameters = new TokenValidationParameters
        {
            IssuerSigningKeys = keys.Select(key => key.Key),
            TryAllIssuerSigningKeys = true,
            RequireSignedTokens = true,
            ValidateIssuer = options.Issuer is not null,
            ValidIssuer = options.Issuer,
            ValidateAudience = options.Audience is not null,
            ValidAudience = options.Audience,
            // The library would take the time from the system; see CheckTimes.
            ValidateLifetime = false,
            LogValidationExceptions = false,
        };
        // There is nothing to be fetched, so the answer is there when the call returns.
        TokenValidationResult result = _handler.ValidateTokenAsync(token, parameters).GetAwaiter().GetResult();
        used = result.IsValid ? Array.Find(keys, key => key.Key == ((JsonWebToken)result.SecurityToken).SigningKey) : null;
        if (used is not null) return null;
        return result.Exception switch
        {
            SecurityTokenInvalidIssuerException => $"the token is of another issuer: \"{Short(token.Issuer)}\", expected \"{options.Issuer}\"",
            SecurityTokenInvalidAudienceException => $"the token is for another audience than \"{options.Audience}\"",
            SecurityTokenInvalidSignatureException or SecurityTokenSignatureKeyNotFoundException => "the token's signature is wrong",
            _ => $"the token cannot be verified ({result.Exception?.GetType().Name})",
        };
    }

    private string? CheckTimes(JsonElement claims, out DateTimeOffset expires)
    {
        expires = default;
        DateTimeOffset now = time.GetUtcNow();
        if (TimeOf(claims, "exp") is not { } exp) return "the token has no time of expiry (\"exp\")";
        expires = exp + options.Leeway;
        if (now >= expires) return $"the token expired at {exp:yyyy-MM-dd HH:mm:ss} UTC";
        if (!claims.TryGetProperty("nbf", out _)) return null;
        if (TimeOf(claims, "nbf") is not { } begins) return "the token's \"nbf\" is not a time";
        return now + options.Leeway < begins ? $"the token is not valid before {begins:yyyy-MM-dd HH:mm:ss} UTC" : null;
    }

    private static DateTimeOffset? TimeOf(JsonElement claims, string name)
    {
        // Up to the year 9998, so that a leeway can be added to it.
        const double most = 253_370_764_800;
        if (!claims.TryGetProperty(name, out JsonElement claim) || claim.ValueKind != JsonValueKind.Number || !claim.TryGetDouble(out double seconds))
        {
            return null;
        }

        return seconds is >= 0 and <= most ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000)) : null;
    }

    private static string? TextOf(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out JsonElement claim) && claim.ValueKind == JsonValueKind.String ? claim.GetString() : null;

    private static string Short(string? text) => text is null ? "" : text.Length <= 64 ? text : text[..64] + "...";
}
