using EdgeBroker.Configuration.Toml;
using EdgeBroker.Security.Tokens;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The <c>[auth]</c> table as read, before the files it names are.</summary>
internal sealed record AuthDraft
{
    public Located<string>? PasswordFile { get; init; }

    public bool WatchesUsers { get; init; } = true;

    /// <summary>Null: the table is not there.</summary>
    public JwtDraft? Jwt { get; init; }
}

/// <summary>The <c>[auth.jwt]</c> table as read.</summary>
internal sealed record JwtDraft(SourcePosition Position)
{
    public SecretSource? Key { get; init; }

    public Located<string>? Jwks { get; init; }

    public TimeSpan JwksRefresh { get; init; } = TimeSpan.FromHours(1);

    public TokenOptions Tokens { get; init; } = new();
}

/// <summary>The keys of <c>[auth]</c> and <c>[auth.jwt]</c>.</summary>
internal static class AuthTable
{
    private static readonly ChoiceKind<bool> OnDeniedPublish = Kinds.Choice(("ignore", false), ("disconnect", true));

    private static readonly TableSchema<JwtDraft> Jwt = new TableSchema<JwtDraft>("[auth.jwt]")
    {
        IsExample = true,
        Comment = "a JSON Web Token in place of the password; \"sub\" is then the user, whatever name comes with it. The connection ends when it expires, "
            + "unless a 5.0 client has sent it by the method JWT and sends a newer one in time (AUTH). "
            + "Tokens without \"exp\" are refused, since nothing could take them back",
    }
        .Key(
            "key",
            Kinds.Secret,
            o => o.Key,
            (o, v) => o with { Key = v },
            Applies.AtOnceWithReview,
            "or { env = \"NAME\" }: a public key or certificate (PEM: RS256.., ES256..), or a secret (HS256..)",
            example: "{ file = \"certs/token.pub\" }")
        .Key(
            "jwks",
            Kinds.Located(Kinds.Text("the path of a file or an https URL", Kinds.IsPath)),
            o => o.Jwks,
            (o, v) => o with { Jwks = v },
            Applies.AtOnceWithReview,
            "or in its place a key set: a file or an https URL, read again when a token names an unknown key",
            example: "\"certs/jwks.json\"")
        .Key(
            "jwks_refresh", Kinds.Seconds(10, 7 * 86_400), o => o.JwksRefresh, (o, v) => o with { JwksRefresh = v }, Applies.AtOnce,
            "how often it is read again besides")
        .Key(
            "issuer",
            Kinds.Name("the \"iss\" tokens have"),
            o => o.Tokens.Issuer,
            (o, v) => o with { Tokens = o.Tokens with { Issuer = v } },
            Applies.AtOnceWithReview,
            "default: not checked",
            example: "\"https://plant.example\"")
        .Key(
            "audience",
            Kinds.Name("the \"aud\" tokens have"),
            o => o.Tokens.Audience,
            (o, v) => o with { Tokens = o.Tokens with { Audience = v } },
            Applies.AtOnceWithReview,
            "default: not checked",
            example: "\"edgebroker\"")
        .Key(
            "leeway",
            Kinds.Seconds(0, 600),
            o => o.Tokens.Leeway,
            (o, v) => o with { Tokens = o.Tokens with { Leeway = v } },
            Applies.AtOnceWithReview,
            "how far clocks may be apart")
        .Key(
            "username_claim",
            Kinds.Name("the name of a claim"),
            o => o.Tokens.UserNameClaim,
            (o, v) => o with { Tokens = o.Tokens with { UserNameClaim = v } },
            Applies.AtOnceWithReview,
            "the claim that is the user name")
        .Key(
            "acl_claim",
            Kinds.Name("the name of a claim"),
            o => o.Tokens.AclClaim,
            (o, v) => o with { Tokens = o.Tokens with { AclClaim = v } },
            Applies.AtOnceWithReview,
            "rules in the token, [{ \"allow\": [\"publish\"], \"topics\": [\"a/#\"] }]; asked after the [[acl]] here; "
                + "a token without the claim has none. Default: no claim is looked at",
            example: "\"acl\"");

    public static readonly TableSchema<BrokerConfiguration> Schema = new TableSchema<BrokerConfiguration>("[auth]")
    {
        Comment = "who may come in; without it clients with a certificate (client_auth), and anonymous ones where a listener allows them",
    }
        .Key(
            "password_file",
            Kinds.Located(Kinds.File),
            c => c.Written.Auth.PasswordFile,
            (c, v) => WithAuth(c, c.Written.Auth with { PasswordFile = v }),
            Applies.AtOnceWithReview,
            "made by `edgebroker passwd add users.passwd NAME`; mosquitto_passwd's files are read as well. "
            + "With --scram a user may prove the password instead of sending it (5.0, method SCRAM-SHA-256). "
            + "A user name without a password, and an empty one, is refused",
            example: "\"users.passwd\"")
        .Key(
            "watch_password_file",
            Kinds.Boolean,
            c => c.Written.Auth.WatchesUsers,
            (c, v) => WithAuth(c, c.Written.Auth with { WatchesUsers = v }),
            Applies.AtOnce,
            "a changed password file is taken by itself, together with the [[acl]] and [[group]] that stand here then; false: by a reload alone")
        .Key(
            "on_denied_publish_v311",
            OnDeniedPublish,
            c => c.Mqtt.DisconnectOnDeniedPublish,
            (c, v) => c with { Mqtt = c.Mqtt with { DisconnectOnDeniedPublish = v } },
            Applies.ToNewConnections,
            "3.1.1 has no way to say no (5.0 clients are told 0x87)")
        .Table("jwt", Jwt, c => c.Written.Auth.Jwt, table => new JwtDraft(table.Position), (c, v) => WithAuth(c, c.Written.Auth with { Jwt = v }));

    private static BrokerConfiguration WithAuth(BrokerConfiguration configuration, AuthDraft auth) =>
        configuration with { Written = configuration.Written with { Auth = auth } };
}
