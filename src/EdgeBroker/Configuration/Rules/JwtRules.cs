using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Security.Tokens;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What the keys of <c>[auth.jwt]</c> mean together.</summary>
internal sealed class JwtRules(SecretFiles files, ConfigurationErrors errors, List<string> warnings)
{
    public AuthOptions Apply(JwtDraft draft, AuthOptions auth)
    {
        auth = auth with { Tokens = draft.Tokens, KeySetRefresh = draft.JwksRefresh };
        if (draft.Key is not null && draft.Jwks is not null)
        {
            errors.Add(draft.Jwks.Position, "[auth.jwt] has both \"key\" and \"jwks\"; keep one");
            return auth;
        }

        WarnOfWideDoors(draft);
        if (draft.Key is { } key) return auth with { Keys = ReadKey(key) };
        if (draft.Jwks is { } jwks) return ReadKeySet(jwks, auth);
        errors.Add(draft.Position, "[auth.jwt] needs \"key\" or \"jwks\": what tokens are signed with");
        return auth;
    }

    private TokenKeySet? ReadKey(SecretSource source)
    {
        if (files.Read(source, "key") is not { } bytes) return null;
        if (TokenKey.FromFile(bytes, out string problem) is { } key) return TokenKeySet.Of(key);
        errors.Add(source.Position, $"\"key\": {problem}");
        return null;
    }

    private AuthOptions ReadKeySet(Located<string> jwks, AuthOptions auth)
    {
        if (jwks.Value.Contains("://", StringComparison.Ordinal))
        {
            // Not fetched here: a gateway starts, and its file is checked, also while the network is away.
            if (!Uri.TryCreate(jwks.Value, UriKind.Absolute, out Uri? url) || url.Scheme != Uri.UriSchemeHttps)
            {
                errors.Add(
                    jwks.Position,
                    $"\"jwks\" expects a file or an https URL: over anything else keys could be forged on the way; found {ValueText.Quote(jwks.Value)}");
            }

            return auth with { KeySetPlace = jwks.Value };
        }

        if (files.Read(jwks.Value, jwks.Position, "jwks", isSecret: false) is not { } json) return auth;
        TokenKeySet? keys = TokenKeySet.Parse(json, allowSecrets: true, out string problem);
        if (keys is null) errors.Add(jwks.Position, $"\"jwks\": {Printable.Escape(jwks.Value)} {Printable.Escape(problem)}");
        return auth with { Keys = keys, KeySetPlace = files.FullPath(jwks.Value) };
    }

    private void WarnOfWideDoors(JwtDraft draft)
    {
        if (draft.Tokens.Audience is null)
        {
            warnings.Add(
                $"{draft.Position}: [auth.jwt] names no \"audience\": every token signed with the key lets its bearer in, also one made for another service");
        }

        if (draft.Tokens.Issuer is null && draft.Jwks is not null)
        {
            warnings.Add($"{draft.Position}: [auth.jwt] names no \"issuer\": tokens of every issuer that uses these keys are accepted");
        }
    }
}
