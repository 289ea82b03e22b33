using EdgeBroker.Core.Security;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Tokens;

namespace EdgeBroker.Configuration;

/// <summary>Who may come in and what they may do, with the files it stands in read.</summary>
internal sealed record AuthOptions
{
    /// <summary>The users of the password file; null: there is none.</summary>
    public PasswordFile? Users { get; init; }

    /// <summary>What tokens must be; null: tokens are not accepted.</summary>
    public TokenOptions? Tokens { get; init; }

    /// <summary>The token keys as read at start; null where a server has them.</summary>
    public TokenKeySet? Keys { get; init; }

    /// <summary>Where newer keys come from: a file's full path or an https URL; null: they do not change.</summary>
    public string? KeySetPlace { get; init; }

    public TimeSpan KeySetRefresh { get; init; }

    public AclRuleSet Rules { get; init; } = AclRuleSet.Unrestricted;

    /// <summary>Whether a client can prove who it is.</summary>
    public bool HasCredentials => Users is not null || Tokens is not null;
}
