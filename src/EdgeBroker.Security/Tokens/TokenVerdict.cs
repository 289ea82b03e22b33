using EdgeBroker.Core.Security;

namespace EdgeBroker.Security.Tokens;

/// <summary>What a token turned out to be.</summary>
/// <param name="Refusal">Why it is refused, without any of it; null: it is good.</param>
/// <param name="UserName">Who its bearer is.</param>
/// <param name="Expires">When it ends, leeway included.</param>
/// <param name="Rules">The access rules it carries; null: none.</param>
public sealed record TokenVerdict(string? Refusal, string UserName, DateTimeOffset Expires, IReadOnlyList<AclRule>? Rules)
{
    internal static TokenVerdict Refused(string why) => new(why, "", default, null);
}
