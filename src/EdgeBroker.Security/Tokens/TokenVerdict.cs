using EdgeBroker.Core.Security;

namespace EdgeBroker.Security.Tokens;

/// <summary>What a token turned out to be.</summary>
/// <param name="Refusal">Why it is refused, without any of it; null: it is good.</param>
/// <param name="UserName">Who its bearer is.</param>
/// <param name="Expires">When it ends, leeway included.</param>
/// <param name="Rules">The access rules it carries; null: none.</param>
public sealed record TokenVerdict(string? Refusal, string UserName, DateTimeOffset Expires, IReadOnlyList<AclRule>? Rules)
{
    /// <summary>What it was checked by.</summary>
    internal TokenOptions? CheckedBy { get; init; }

    /// <summary>The thumbprint of the key it is signed with.</summary>
    internal string Key { get; init; } = "";

    /// <summary>Its <c>iss</c>.</summary>
    internal string Issuer { get; init; } = "";

    /// <summary>Its <c>aud</c>.</summary>
    internal IReadOnlyList<string> Audiences { get; init; } = [];

    internal static TokenVerdict Refused(string why) => new(why, "", default, null);
}
