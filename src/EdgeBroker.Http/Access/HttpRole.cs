namespace EdgeBroker.Http.Access;

/// <summary>What somebody may see and do in the administration; each may what those before it may.</summary>
public enum HttpRole
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Everything that is read, without payloads.</summary>
    Viewer,

    /// <summary>What keeps a plant going: kick a client, see and delete a value, publish.</summary>
    Operator,

    /// <summary>All.</summary>
    Admin,
}

/// <summary>The words for roles, which are the names of their groups.</summary>
public static class HttpRoles
{
    /// <summary>The role as configuration and answers write it.</summary>
    public static string ToWord(this HttpRole role) => role switch
    {
        HttpRole.Viewer => "viewer",
        HttpRole.Operator => "operator",
        HttpRole.Admin => "admin",
        _ => "none",
    };
}
