using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>Decides who a connecting client is and what it may do.</summary>
public interface IAuthenticator
{
    /// <summary>
    /// Answers at once where it can. What takes time (hashing, a key server) runs on a thread of its own: the caller may be a reactor, which must not wait.
    /// </summary>
    ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation);
}

/// <summary>What a client presents.</summary>
/// <param name="ClientId">Its client id, assigned or its own.</param>
/// <param name="UserName">The user name; null: none given.</param>
/// <param name="Password">The password; null: none given.</param>
/// <param name="RemoteEndPoint">Where it connects from.</param>
/// <param name="AnonymousAllowed">Whether its listener lets clients in that present nothing.</param>
public sealed record AuthenticationRequest(string ClientId, string? UserName, byte[]? Password, string RemoteEndPoint, bool AnonymousAllowed)
{
    /// <summary>The name that the transport has proved to be the client's, by a certificate the listener trusts; null: none. It stands above the user name given.</summary>
    public string? TransportIdentity { get; init; }
}

/// <summary>The verdict.</summary>
/// <param name="Reason">Success, or why not.</param>
/// <param name="UserName">The name the client acts under; null: anonymous.</param>
/// <param name="Permissions">What it may do.</param>
public sealed record AuthenticationResult(ReasonCode Reason, string? UserName, Permissions Permissions)
{
    /// <summary>Refuses.</summary>
    public static AuthenticationResult Refused(ReasonCode reason) => new(reason, null, Permissions.All);
}
