namespace EdgeBroker.Security.Tokens;

/// <summary>What a token must be to let its bearer in.</summary>
public sealed record TokenOptions
{
    /// <summary>Longest token looked at, in bytes.</summary>
    public const int MaxTokenBytes = 8 * 1024;

    /// <summary>The <c>iss</c> it must have; null: any.</summary>
    public string? Issuer { get; init; }

    /// <summary>What its <c>aud</c> must be or hold; null: anything.</summary>
    public string? Audience { get; init; }

    /// <summary>How far clocks may be apart.</summary>
    public TimeSpan Leeway { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The claim whose text is the user name.</summary>
    public string UserNameClaim { get; init; } = "sub";

    /// <summary>The claim with access rules; null: none is looked at.</summary>
    public string? AclClaim { get; init; }
}
