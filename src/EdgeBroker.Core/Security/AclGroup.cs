namespace EdgeBroker.Core.Security;

/// <summary>Users by one name.</summary>
/// <param name="Name">The group's name.</param>
/// <param name="Users">Globs of user names.</param>
public sealed record AclGroup(string Name, IReadOnlyList<string> Users)
{
    /// <summary>Whether a user belongs to it; nobody anonymous does.</summary>
    public bool Has(string? userName)
    {
        if (userName is null) return false;
        foreach (string user in Users)
        {
            if (Glob.Matches(user, userName)) return true;
        }

        return false;
    }
}
