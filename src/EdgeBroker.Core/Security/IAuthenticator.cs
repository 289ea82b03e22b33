using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>Decides who a connecting client is and what it may do.</summary>
public interface IAuthenticator
{
    /// <summary>
    /// Answers at once where it can. What takes time (hashing, a key server) runs on a thread of its own: the caller may be a reactor, which must not wait. The
    /// answer is a verdict, or <see cref="ReasonCode.ContinueAuthentication"/> with a question to the client in <see cref="AuthenticationResult.Reply"/>; only
    /// a request with a <see cref="AuthenticationRequest.Method"/> may be asked back. With <see cref="AuthenticationResult.Wait"/> there is no question: the
    /// caller lets that time pass and goes on without data.
    /// </summary>
    ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation);

    /// <summary>
    /// What an identity that was let in earlier is worth by the users and rules now in force: with the permissions it has now, or refused. Does not check a
    /// password again, and answers at once; for after users or rules were replaced.
    /// </summary>
    /// <param name="identity">What this or another authenticator let the client in with.</param>
    /// <param name="subject">The client, under the name it was let in with.</param>
    AuthenticationResult Review(AuthenticationResult identity, AclSubject subject) => identity;

    /// <summary>Whether exactly this was verified before, so that it is no guess. Answers at once.</summary>
    bool IsRemembered(AuthenticationRequest request) => false;

    /// <summary>
    /// What failed logins of one address are counted by: the name that is tried, where somebody has it. All names that nobody has are one, since there is no
    /// end of them, and so are tokens.
    /// </summary>
    /// <param name="request">What the client presents.</param>
    /// <param name="claimedName">The name that is tried; null: none.</param>
    string GuessedAt(AuthenticationRequest request, string? claimedName) => claimedName ?? "";
}

/// <summary>An authentication that waits for the client's answer. Used once: what it returns has the next one, if there is a next one.</summary>
public interface IAuthenticationExchange
{
    /// <summary>Goes on with the client's answer; as <see cref="IAuthenticator.AuthenticateAsync"/>, at once where it can.</summary>
    /// <param name="data">What the client sent, unchecked, up to 65,535 bytes. Handed over.</param>
    /// <param name="cancellation">Ends what takes time.</param>
    ValueTask<AuthenticationResult> ContinueAsync(byte[] data, CancellationToken cancellation);

    /// <summary>The client is gone and gives no answer: what it handed over is wiped.</summary>
    void Abandon()
    {
    }
}

/// <summary>What a client presents.</summary>
/// <param name="ClientId">Its client id, assigned or its own.</param>
/// <param name="UserName">The user name; null: none given.</param>
/// <param name="Password">The password; null: none given. Handed over: whoever has checked it wipes it.</param>
/// <param name="RemoteEndPoint">Where it connects from.</param>
/// <param name="AnonymousAllowed">Whether its listener lets clients in that present nothing.</param>
public sealed record AuthenticationRequest(string ClientId, string? UserName, byte[]? Password, string RemoteEndPoint, bool AnonymousAllowed)
{
    /// <summary>The network it connects from, which is what counts where clients are counted by address.</summary>
    public ClientNetwork Network { get; init; }

    /// <summary>The address of its listener, as configured.</summary>
    public string Listener { get; init; } = "";

    /// <summary>
    /// The name that the transport has proved to be the client's, by a certificate the listener trusts; null: none. It stands above the user name given.
    /// </summary>
    public string? TransportIdentity { get; init; }

    /// <summary>What the transport has proved that name by.</summary>
    public AuthenticationMethod TransportMethod { get; init; } = AuthenticationMethod.Certificate;

    /// <summary>
    /// The method the client wants to be authenticated by (5.0, 4.12), and that alone: whoever does not offer it refuses with
    /// <see cref="ReasonCode.BadAuthenticationMethod"/>. Null: by what else it presents.
    /// </summary>
    public string? Method { get; init; }

    /// <summary>What the method begins with, unchecked, up to 65,535 bytes; empty when the client sent nothing. Handed over as the password is.</summary>
    public byte[] MethodData { get; init; } = [];

    /// <summary>Whether the client is connected already, and proves itself again.</summary>
    public bool IsRenewal { get; init; }
}

/// <summary>What a client is let in by, or tries to be.</summary>
public enum AuthenticationMethod : byte
{
    /// <summary>The authenticator does not say.</summary>
    Unknown,

    /// <summary>Nothing.</summary>
    Anonymous,

    /// <summary>A user name and a password.</summary>
    Password,

    /// <summary>A signed token, as a password or by a method of its own.</summary>
    Jwt,

    /// <summary>SCRAM.</summary>
    Scram,

    /// <summary>Another method of 5.0.</summary>
    Enhanced,

    /// <summary>A client certificate.</summary>
    Certificate,

    /// <summary>The user that runs the client, as the kernel attests.</summary>
    Peer,

    /// <summary>A key that both sides know beforehand (DTLS).</summary>
    Psk,
}

/// <summary>The verdict.</summary>
/// <param name="Reason">Success, or why not.</param>
/// <param name="UserName">The name the client acts under; null: anonymous.</param>
/// <param name="Permissions">What it may do.</param>
public sealed record AuthenticationResult(ReasonCode Reason, string? UserName, Permissions Permissions)
{
    private static readonly AuthenticationResult Unrestricted =
        new(ReasonCode.Success, null, Permissions.All) { Method = AuthenticationMethod.Anonymous };

    /// <summary>How long from now the verdict holds; the connection is ended then. Null: for good.</summary>
    public TimeSpan? ValidFor { get; init; }

    /// <summary>What it was looked at for, and of who is let in: what the name is proved by. Unknown: the authenticator does not say.</summary>
    public AuthenticationMethod Method { get; init; }

    /// <summary>Why a client is refused, for the log; the client is not told.</summary>
    public string? Cause { get; init; }

    /// <summary>Of one that is refused: the name it claimed, where a method's data say it and not the request; else null.</summary>
    public string? ClaimedUser { get; init; }

    /// <summary>What the client was let in by, for <see cref="IAuthenticator.Review"/>; the authenticator's own affair.</summary>
    public object? Credential { get; init; }

    /// <summary>
    /// After what time <see cref="AuthenticationReply.Next"/> is to be called, without data: the login has not been looked at yet. Null: it has.
    /// </summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>What the client is told by the method it asked for: a question, or the last word of a success; null: nothing.</summary>
    public AuthenticationReply? Reply { get; init; }

    /// <summary>
    /// Lets a client in that nothing but its transport says anything of. Anonymous clients whom nothing restricts share one: there may be many, and each would
    /// keep its own.
    /// </summary>
    /// <param name="userName">The name its transport has proved; null: none.</param>
    /// <param name="permissions">What it may do.</param>
    /// <param name="method">What it has proved the name by.</param>
    public static AuthenticationResult Admitted(string? userName, Permissions permissions, AuthenticationMethod method = AuthenticationMethod.Unknown) =>
        userName is null && ReferenceEquals(permissions, Permissions.All)
            ? Unrestricted
            : new AuthenticationResult(ReasonCode.Success, userName, permissions)
            {
                Method = userName is null ? AuthenticationMethod.Anonymous : method,
            };

    /// <summary>Has a login looked at later.</summary>
    public static AuthenticationResult Later(TimeSpan wait, IAuthenticationExchange next) =>
        Refused(ReasonCode.ContinueAuthentication) with { Wait = wait, Reply = new AuthenticationReply([], next) };

    /// <summary>Refuses.</summary>
    public static AuthenticationResult Refused(ReasonCode reason, string? cause = null) => new(reason, null, Permissions.None) { Cause = cause };
}

/// <summary>What a method has to say to the client.</summary>
/// <param name="Data">The data of AUTH or CONNACK.</param>
/// <param name="Next">What takes the client's answer to a question; null: this is the last word.</param>
public sealed record AuthenticationReply(byte[] Data, IAuthenticationExchange? Next)
{
    /// <summary>Asks the client.</summary>
    public static AuthenticationResult Ask(byte[] data, IAuthenticationExchange next) =>
        AuthenticationResult.Refused(ReasonCode.ContinueAuthentication) with { Reply = new AuthenticationReply(data, next) };
}
