using EdgeBroker.Security.Tokens;

namespace EdgeBroker.Configuration;

/// <summary>The <c>[auth]</c> table as read, before the files it names are.</summary>
internal sealed record AuthDraft
{
    public Located<string>? PasswordFile { get; init; }

    public bool DisconnectOnDeniedPublish { get; init; }

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
