using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.Tls;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Access;

/// <summary>
/// Finds out who asks: by a token, a user's password, a signed token, the certificate, the peer of a Unix socket, or a cookie. Users are judged by the
/// authenticator that judges MQTT's, with its delays for those who guess.
/// </summary>
internal sealed class RequestAuthentication(
    Broker broker, IAuthenticator authenticator, Replaceable<HttpOptions> options, CookieSessions sessions, OnceTokens once, TimeProvider time)
{
    /// <summary>The audit's name of who shows the token of <c>http.admin_token</c>.</summary>
    public const string AdminToken = "admin-token";

    private const string Failed = "the user, password or token is wrong";
    private const string Bearer = "Bearer ";
    private const string Scheme = "Basic realm=\"EdgeBroker\", charset=\"UTF-8\"";

    /// <summary>Whether whoever asks shows what is looked up at once: a token, a login, or what the connection attests. It may yet be worth nothing.</summary>
    public bool KnowsAtOnce(HttpContext context, ListenerSettings listener)
    {
        string? header = context.Request.Headers.Authorization;
        if (!string.IsNullOrEmpty(header))
        {
            return header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && FindToken(header[Bearer.Length..].Trim()) is not null;
        }

        return (context.Request.Cookies[CookieName(listener)] is { } cookie && sessions.Has(cookie)) || LocalPeer.IdentityOf(context.Features) is not null;
    }

    /// <summary>Who asks. A caller without any role or right is nobody.</summary>
    /// <param name="context">The request.</param>
    /// <param name="listener">The listener it came by.</param>
    /// <param name="isRulesOnly">Whether access rules decide, and no role is needed.</param>
    /// <param name="address">Where it comes from.</param>
    /// <param name="isActivity">Whether a login that it shows counts as used.</param>
    /// <exception cref="HttpProblem">What is shown is not good.</exception>
    public async ValueTask<Caller> FindAsync(HttpContext context, ListenerSettings listener, bool isRulesOnly, string address, bool isActivity)
    {
        string? header = context.Request.Headers.Authorization;
        if (!string.IsNullOrEmpty(header)) return await FindAsync(context, header, listener, isRulesOnly, address).ConfigureAwait(false);
        if (context.Request.Cookies[CookieName(listener)] is { } cookie && Resume(cookie, isActivity) is { } resumed) return resumed;
        if (LocalPeer.IdentityOf(context.Features) is { } identity)
        {
            bool isPeer = context.Features.Get<TlsSession>()?.Identity is null;
            AuthenticationRequest request = Request(context, listener, identity, null, address) with
            {
                TransportIdentity = identity,
                TransportMethod = isPeer ? AuthenticationMethod.Peer : AuthenticationMethod.Certificate,
            };
            AuthenticationResult result = await AskAsync(request with { UserName = null }, context.RequestAborted).ConfigureAwait(false);
            if (result.Reason == ReasonCode.Success)
            {
                HttpRole role = isPeer && (identity == "root" || identity == Environment.UserName) ? HttpRole.Admin : options.Current.RoleOf(result.UserName);
                return new Caller(result.UserName ?? identity, role, isPeer ? CallerProof.Peer : CallerProof.Certificate, result);
            }

            return Caller.Unauthenticated;
        }

        if (!isRulesOnly || !listener.AllowAnonymous) return Caller.Unauthenticated;
        AuthenticationResult anonymous = await AskAsync(Request(context, listener, null, null, address), context.RequestAborted).ConfigureAwait(false);
        return anonymous.Reason == ReasonCode.Success ? Caller.Unauthenticated with { Identity = anonymous } : Caller.Unauthenticated;
    }

    /// <summary>Lets a browser in.</summary>
    /// <exception cref="HttpProblem">What is shown is not good, or gives no role.</exception>
    public async ValueTask<(CookieSession Session, string Cookie, HttpRole Role)> LogInAsync(
        HttpContext context, ListenerSettings listener, LoginBody body, string address)
    {
        if (body.Once is { } onceToken)
        {
            if (!once.Take(onceToken)) throw Refused("this link was used or is too old; `edgebroker console` prints a new one");
            (CookieSession first, string itsCookie) = sessions.Begin("once-token", Unrestricted(), listener.Address, isByOnceToken: true);
            return (first, itsCookie, HttpRole.Admin);
        }

        if (body.Token is { } token)
        {
            if (FindToken(token) is not { } known) throw await NoteAsync(context, listener, address, "token").ConfigureAwait(false);
            (CookieSession byToken, string tokenCookie) = sessions.Begin(known.Name, IdentityOf(known, listener), listener.Address, known);
            return (byToken, tokenCookie, known.Role);
        }

        if (body.User is not { Length: > 0 } user || body.Password is not { } password) throw Refused(Failed);
        AuthenticationResult result = await AskAsync(
            Request(context, listener, user, Encoding.UTF8.GetBytes(password), address), context.RequestAborted).ConfigureAwait(false);
        if (result.Reason != ReasonCode.Success || result.UserName is null) throw Refused(result, address, listener, user);
        HttpRole role = options.Current.RoleOf(result.UserName);
        if (role == HttpRole.None)
        {
            throw new HttpProblem(ProblemKind.RoleNeeded, $"{result.UserName} is in none of the groups viewer, operator and admin") { Needs = "viewer" };
        }

        (CookieSession session, string cookie) = sessions.Begin(result.UserName, result, listener.Address);
        return (session, cookie, role);
    }

    /// <summary>The name of the login's cookie; of one that only TLS carries it says so.</summary>
    public static string CookieName(ListenerSettings listener) => listener.Protocol.SpeaksTls() ? "__Host-eb" : "eb";

    /// <summary>What asks a program for a password; a browser would ask with a window of its own.</summary>
    public static string? ChallengeFor(HttpRequest request) => request.Headers.ContainsKey("Sec-Fetch-Mode") ? null : Scheme;

    /// <summary>What a login is worth now.</summary>
    public HttpRole RoleOf(CookieSession session)
    {
        HttpOptions current = options.Current;
        if (session.IsByOnceToken) return HttpRole.Admin;
        if (session.Token is { } token)
        {
            AccessToken? present = current.Tokens.FirstOrDefault(one => one.Name == token.Name && one.Digest.AsSpan().SequenceEqual(token.Digest));
            return present?.Role ?? HttpRole.None;
        }

        return Review(session).Reason == ReasonCode.Success ? current.RoleOf(session.Name) : HttpRole.None;
    }

    /// <summary>What an identity may do by the rules now in force.</summary>
    public AuthenticationResult Review(Caller caller, string listener)
    {
        if (caller.Session is { } session)
        {
            return sessions.IsOpen(session, RoleOf(session)) ? Review(session) : AuthenticationResult.Refused(ReasonCode.NotAuthorized);
        }

        if (caller.Proof == CallerProof.Token) return caller.Identity;
        return authenticator.Review(caller.Identity, new AclSubject(caller.Identity.UserName, caller.ClientId, listener, caller.Identity.Method));
    }

    private AuthenticationResult Review(CookieSession session) =>
        session.IsByOnceToken ? session.Identity
            : session.Token is { } token ? session.Identity with { Permissions = PermissionsOf(token, session.Listener) }
            : authenticator.Review(
                session.Identity, new AclSubject(session.Identity.UserName, "http:" + session.Name, session.Listener, session.Identity.Method));

    private Caller? Resume(string cookie, bool isActivity)
    {
        HttpRole role = HttpRole.None;
        CookieSession? session = sessions.Find(cookie, one => role = RoleOf(one), isActivity);
        return session is null ? null : new Caller(session.Name, role, CallerProof.Cookie, Review(session)) { Session = session };
    }

    private async ValueTask<Caller> FindAsync(HttpContext context, string header, ListenerSettings listener, bool isRulesOnly, string address)
    {
        int space = header.IndexOf(' ', StringComparison.Ordinal);
        string scheme = space < 0 ? header : header[..space];
        string value = space < 0 ? "" : header[(space + 1)..].Trim();
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            if (FindToken(value) is { } token) return new Caller(token.Name, token.Role, CallerProof.Token, IdentityOf(token, listener));
            if (!isRulesOnly || value.Count(c => c == '.') != 2) throw await NoteAsync(context, listener, address, "token").ConfigureAwait(false);
            AuthenticationRequest signed = Request(context, listener, null, Encoding.UTF8.GetBytes(value), address);
            AuthenticationResult verdict = await AskAsync(signed, context.RequestAborted).ConfigureAwait(false);
            if (verdict.Reason != ReasonCode.Success) throw Refused(verdict, address, listener, null);
            return new Caller(verdict.UserName ?? "", HttpRole.None, CallerProof.Jwt, verdict);
        }

        if (!scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) || Split(value) is not var (user, password)) throw Refused(Failed);
        AuthenticationResult result = await AskAsync(
            Request(context, listener, user, Encoding.UTF8.GetBytes(password), address), context.RequestAborted).ConfigureAwait(false);
        if (result.Reason != ReasonCode.Success || result.UserName is null) throw Refused(result, address, listener, user);
        return new Caller(result.UserName, options.Current.RoleOf(result.UserName), CallerProof.Basic, result);
    }

    private static (string User, string Password)? Split(string base64)
    {
        byte[] bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out int length)) return null;
        string text = Encoding.UTF8.GetString(bytes, 0, length);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon <= 0 ? null : (text[..colon], text[(colon + 1)..]);
    }

    private AccessToken? FindToken(string token)
    {
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));
        AccessToken? found = null;
        foreach (AccessToken one in options.Current.Tokens)
        {
            if (CryptographicOperations.FixedTimeEquals(one.Digest, digest)) found = one;
        }

        return found;
    }

    private AuthenticationResult IdentityOf(AccessToken token, ListenerSettings listener) =>
        new(ReasonCode.Success, token.Name, PermissionsOf(token, listener.Address));

    // The admin token may take the backup, which holds everything: rules would hide nothing from it. Of the others an operator's may what rules permit its
    // name.
    private Permissions PermissionsOf(AccessToken token, string listener) => token.Role switch
    {
        HttpRole.Admin => Permissions.All,
        HttpRole.Operator => options.Current.Rules.PermissionsFor(new AclSubject(token.Name, "http:" + token.Name, listener, AuthenticationMethod.Jwt)),
        _ => Permissions.None,
    };

    private static AuthenticationResult Unrestricted() => AuthenticationResult.Admitted("once-token", Permissions.All);

    private static AuthenticationRequest Request(HttpContext context, ListenerSettings listener, string? user, byte[]? password, string address) =>
        new("http:" + user, user, password, address, listener.AllowAnonymous)
        {
            Network = ClientNetwork.Of(context.Connection.RemoteIpAddress),
            Listener = listener.Address,
        };

    private async ValueTask<AuthenticationResult> AskAsync(AuthenticationRequest request, CancellationToken gone)
    {
        AuthenticationResult result = await authenticator.AuthenticateAsync(request, gone).ConfigureAwait(false);
        while (result is { Wait: { } wait, Reply.Next: { } next })
        {
            try
            {
                // The login guard makes whoever guesses wait; nobody else waits with it.
                await Task.Delay(wait, time, gone).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                next.Abandon();
                throw;
            }

            result = await next.ContinueAsync([], gone).ConfigureAwait(false);
        }

        return result;
    }

    // Guessing tokens is guessing: it counts as a failed login, and the next one waits.
    private async ValueTask<HttpProblem> NoteAsync(HttpContext context, ListenerSettings listener, string address, string what)
    {
        ClientNetwork network = ClientNetwork.Of(context.Connection.RemoteIpAddress);
        if (broker.Limits.Logins.AskWaitMs(network, what) is not { } waitMs)
        {
            return Refused(AuthenticationResult.Refused(ReasonCode.ConnectionRateExceeded, "too many tokens were wrong"), address, listener, null);
        }

        if (waitMs > 0) await Task.Delay(TimeSpan.FromMilliseconds(waitMs), time, context.RequestAborted).ConfigureAwait(false);

        broker.Limits.Logins.NoteFailure(network, what);
        return Refused(AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, "the token is not one of [http]"), address, listener, null);
    }

    private HttpProblem Refused(AuthenticationResult result, string address, ListenerSettings listener, string? user)
    {
        broker.Events.ConnectRefused(new ConnectRefusedEvent(
            address, user is null ? null : "http:" + user, result.Reason, result.Cause ?? "not let in", listener.Address, user));
        if (result.Reason is ReasonCode.ConnectionRateExceeded)
        {
            return new HttpProblem(ProblemKind.TooManyRequests, "too many logins have failed; wait a while") { RetryAfterSeconds = 60 };
        }

        return result.Reason is ReasonCode.ServerUnavailable or ReasonCode.ServerBusy
            ? new HttpProblem(ProblemKind.Busy, "logins cannot be looked at now") { RetryAfterSeconds = 5 }
            : Refused(Failed);
    }

    private static HttpProblem Refused(string detail) => new(ProblemKind.LoginFailed, detail);
}

/// <summary>What a browser logs in with: a user and a password, a token, or a one-time token.</summary>
public sealed record LoginBody
{
    /// <summary>The user.</summary>
    public string? User { get; init; }

    /// <summary>Its password.</summary>
    public string? Password { get; init; }

    /// <summary>A token of the configuration.</summary>
    public string? Token { get; init; }

    /// <summary>A one-time token.</summary>
    public string? Once { get; init; }
}
