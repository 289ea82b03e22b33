using EdgeBroker.Core.Security;

namespace EdgeBroker.Http.Access;

/// <summary>Who may administer the broker over HTTP, and by which names it is reached; replaced as a whole.</summary>
public sealed record HttpOptions
{
    /// <summary>What the broker calls itself, by which browsers may reach it, too.</summary>
    public string NodeName { get; init; } = "";

    /// <summary>Other names by which browsers may reach it, in lower case.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The tokens programs show.</summary>
    public IReadOnlyList<AccessToken> Tokens { get; init; } = [];

    /// <summary>Users by group; those that bear the name of a role give it.</summary>
    public IReadOnlyList<AclGroup> Groups { get; init; } = [];

    /// <summary>The access rules, for tokens that publish.</summary>
    public AclRuleSet Rules { get; init; } = AclRuleSet.Unrestricted;

    /// <summary>The highest role of a user.</summary>
    public HttpRole RoleOf(string? user)
    {
        HttpRole role = HttpRole.None;
        foreach (AclGroup group in Groups)
        {
            HttpRole given = group.Name switch
            {
                "viewer" => HttpRole.Viewer,
                "operator" => HttpRole.Operator,
                "admin" => HttpRole.Admin,
                _ => HttpRole.None,
            };
            if (given > role && group.Has(user)) role = given;
        }

        return role;
    }

    /// <summary>Whether anybody can log in: there is a token, or a user with a role.</summary>
    public bool AdmitsSomebody => Tokens.Count > 0 || Groups.Any(group => group.Name is "viewer" or "operator" or "admin" && group.Users.Count > 0);
}

/// <summary>A token that gives a role. Only its digest is kept.</summary>
/// <param name="Name">Whom audit names.</param>
/// <param name="Role">What it gives.</param>
/// <param name="Digest">SHA-256 of the token.</param>
public sealed record AccessToken(string Name, HttpRole Role, byte[] Digest);
