using EdgeBroker.Core.Security;

namespace EdgeBroker.Http.Access;

/// <summary>By what somebody was let in.</summary>
public enum CallerProof
{
    /// <summary>By nothing.</summary>
    Nothing,

    /// <summary>By a token of the configuration.</summary>
    Token,

    /// <summary>By a user's name and password.</summary>
    Basic,

    /// <summary>By a signed token.</summary>
    Jwt,

    /// <summary>By the certificate of its connection.</summary>
    Certificate,

    /// <summary>By the user that runs the program, as the system attests.</summary>
    Peer,

    /// <summary>By a login before.</summary>
    Cookie,
}

/// <summary>Who asks.</summary>
/// <param name="Name">Whom audit and events name; empty: nobody in particular.</param>
/// <param name="Role">What it may do in the administration.</param>
/// <param name="Proof">By what it was let in.</param>
/// <param name="Identity">What it may publish and subscribe to.</param>
public sealed record Caller(string Name, HttpRole Role, CallerProof Proof, AuthenticationResult Identity)
{
    /// <summary>Not authenticated: not let in to anything.</summary>
    public static readonly Caller Unauthenticated = new("", HttpRole.None, CallerProof.Nothing, new AuthenticationResult(
        Protocol.ReasonCode.Success, null, Permissions.None));

    /// <summary>The login it goes on with; null: none.</summary>
    internal CookieSession? Session { get; init; }

    /// <summary>Its client id in rules and events.</summary>
    public string ClientId => "http:" + Name;

    /// <summary>The proof in a word.</summary>
    public string By => Proof switch
    {
        CallerProof.Token => "token",
        CallerProof.Basic => "basic",
        CallerProof.Jwt => "jwt",
        CallerProof.Certificate => "certificate",
        CallerProof.Peer => "peer",
        CallerProof.Cookie => "cookie",
        _ => "nothing",
    };
}
