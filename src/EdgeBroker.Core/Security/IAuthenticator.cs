using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>Decides who a connecting client is and what it may do.</summary>
public interface IAuthenticator
{
    /// <summary>
    /// Answers at once where it can. What takes time (hashing, a key server) runs on a thread of its own: the caller may be a reactor, which must not wait.
    /// </summary>
    ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation);

    /// <summary>
    /// What an identity that was let in earlier is worth by the users and rules now in force: with the permissions it has now, or refused. Does not check a password
    /// again, and answers at once; for after users or rules were replaced.
    /// </summary>
    AuthenticationResult Review(AuthenticationResult identity) => identity;
}

/// <summary>What a client presents.</summary>
/// <param name="ClientId">Its client id, assigned or its own.</param>
/// <param name="UserName">The user name; null: none given.</param>
/// <param name="Password">The password; null: none given. Handed over: whoever has checked it wipes it.</param>
/// <param name="RemoteEndPoint">Where it connects from.</param>
/// <param name="AnonymousAllowed">Whether its listener lets clients in that present nothing.</param>
public sealed record AuthenticationRequest(string ClientId, string? UserName, byte[]? Password, string RemoteEndPoint, bool AnonymousAllowed)
{
    /// <summary>The address of its listener, as configured.</summary>
    public string Listener { get; init; } = "";

    /// <summary>The name that the transport has proved to be the client's, by a certificate the listener trusts; null: none. It stands above the user name given.</summary>
    public string? TransportIdentity { get; init; }
}

/// <summary>The verdict.</summary>
/// <param name="Reason">Success, or why not.</param>
/// <param name="UserName">The name the client acts under; null: anonymous.</param>
/// <param name="Permissions">What it may do.</param>
public sealed record AuthenticationResult(ReasonCode Reason, string? UserName, Permissions Permissions)
{
    /// <summary>How long from now the verdict holds; the connection is ended then. Null: for good.</summary>
    public TimeSpan? ValidFor { get; init; }

    /// <summary>Why a client is refused, for the log; the client is not told.</summary>
    public string? Cause { get; init; }

    /// <summary>What the client was let in by, for <see cref="IAuthenticator.Review"/>; the authenticator's own affair.</summary>
    public object? Credential { get; init; }

    /// <summary>Refuses.</summary>
    public static AuthenticationResult Refused(ReasonCode reason, string? cause = null) => new(reason, null, Permissions.None) { Cause = cause };
}
