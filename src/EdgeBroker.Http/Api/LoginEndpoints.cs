using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Api;

/// <summary>Who somebody is.</summary>
/// <param name="User">Its name.</param>
/// <param name="Role">What it may do: <c>viewer</c>, <c>operator</c> or <c>admin</c>.</param>
/// <param name="By">By what it was let in.</param>
public sealed record MeAnswer(string User, string Role, string By)
{
    /// <summary>What unsafe requests with the login's cookie show in <c>X-CSRF-Token</c>; null: there is no cookie.</summary>
    public string? CsrfToken { get; init; }

    /// <summary>When the login ends at the latest; null: it is none.</summary>
    public DateTimeOffset? EndsAt { get; init; }
}

/// <summary>Logging browsers in and out.</summary>
internal static class LoginEndpoints
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;

    // From somebody not known yet.
    private const int MostLoginBytes = 16 * 1024;

    public static IEnumerable<HttpEndpoint> Make(HttpSite site)
    {
        yield return new HttpEndpoint(Surfaces, "POST", "/api/v1/login", EndpointAccess.Open, exchange => LogInAsync(exchange, site))
        {
            Summary = "Log in with user and password, a token or a one-time token; sets a cookie",
            Takes = ApiJson.Default.LoginBody,
            Answers = ApiJson.Default.MeAnswer,
            MaxBodyBytes = () => MostLoginBytes,
            Action = "login",
        };
        yield return new HttpEndpoint(Surfaces, "POST", "/api/v1/logout", EndpointAccess.Viewer, exchange => LogOut(exchange, site))
        {
            Summary = "End the login of the cookie",
            Action = "logout",
        };
        yield return new HttpEndpoint(Surfaces, "GET", "/api/v1/me", EndpointAccess.Viewer, exchange => exchange.AnswerAsync(
            MeOf(exchange.Caller, site), ApiJson.Default.MeAnswer))
        {
            Summary = "Who asks, and what unsafe requests must show",
            Answers = ApiJson.Default.MeAnswer,
        };
    }

    private static async Task LogInAsync(Exchange exchange, HttpSite site)
    {
        if (exchange.Context.Request.Headers.ContainsKey("Sec-Fetch-Site") && !BrowserRules.IsProvedSameOrigin(exchange.Context.Request))
        {
            throw new HttpProblem(ProblemKind.CrossSite, "a page of another site has sent this");
        }

        LoginBody body = await exchange.ReadJsonAsync(ApiJson.Default.LoginBody).ConfigureAwait(false);
        exchange.AuditTarget = body.User ?? (body.Token is null ? "once-token" : "token");
        (CookieSession session, string cookie, HttpRole role) =
            await site.Authentication.LogInAsync(exchange.Context, exchange.Listener, body, exchange.Address).ConfigureAwait(false);
        exchange.Caller = new Caller(session.Name, role, CallerProof.Cookie, session.Identity) { Session = session };
        exchange.Context.Response.Cookies.Append(RequestAuthentication.CookieName(exchange.Listener), cookie, CookieFor(exchange));
        await exchange.AnswerAsync(MeOf(exchange.Caller, site), ApiJson.Default.MeAnswer).ConfigureAwait(false);
    }

    private static Task LogOut(Exchange exchange, HttpSite site)
    {
        string name = RequestAuthentication.CookieName(exchange.Listener);
        if (exchange.Context.Request.Cookies[name] is { } cookie) site.Sessions.End(cookie);
        exchange.Context.Response.Cookies.Delete(name, CookieFor(exchange));
        // Streams of the login end with it.
        site.Streams.Review();
        return exchange.AnswerNothingAsync();
    }

    private static CookieOptions CookieFor(Exchange exchange) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", Secure = exchange.Listener.Protocol.SpeaksTls() };

    private static MeAnswer MeOf(Caller caller, HttpSite site) => new(caller.Name, caller.Role.ToWord(), caller.By)
    {
        CsrfToken = caller.Session?.CsrfToken,
        EndsAt = caller.Session is { } session ? site.Sessions.EndOf(session) : null,
    };
}
