using System.Net;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Access;

/// <summary>
/// What a browser is not to be talked into by a page of somebody else: requests with the credentials it keeps, and requests to a name that somebody has had
/// point here.
/// </summary>
internal static class BrowserRules
{
    /// <summary>Refuses a request that a page of another site has sent. Browsers say so; other programs say nothing.</summary>
    public static void CheckSite(HttpRequest request, bool mayNavigate)
    {
        string? site = request.Headers["Sec-Fetch-Site"];
        if (site is not (null or "" or "same-origin" or "none"))
        {
            // A link from another page to the console only shows it.
            if (mayNavigate && request.Headers["Sec-Fetch-Mode"] == "navigate") return;
            throw new HttpProblem(ProblemKind.CrossSite, "a page of another site has sent this");
        }

        string? origin = request.Headers.Origin;
        if (!string.IsNullOrEmpty(origin) && !IsSame(origin, request))
        {
            throw new HttpProblem(ProblemKind.CrossSite, "a page of another origin has sent this");
        }
    }

    /// <summary>Whether the request proves that it comes from a page of this very host, as unsafe ones with a cookie must.</summary>
    public static bool IsProvedSameOrigin(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"] == "same-origin" || (request.Headers.Origin is { Count: 1 } origin && IsSame(origin[0]!, request));

    /// <summary>Refuses a request by a name that is none of the broker's: somebody may have had it point here.</summary>
    public static void CheckHost(HttpRequest request, ListenerSettings listener, HttpOptions options, IReadOnlyList<X509Certificate2> certificates)
    {
        if (IsKnownHost(request, listener, options, certificates)) return;
        throw new HttpProblem(ProblemKind.UnknownHost, $"this broker is not known as {Exchange.Short(HostOf(request))}; http.allowed_hosts names it");
    }

    /// <summary>Whether the broker is known by the name a request asks for: an address, localhost, the node's, one in a certificate, or a configured one.
    /// </summary>
    public static bool IsKnownHost(HttpRequest request, ListenerSettings listener, HttpOptions options, IReadOnlyList<X509Certificate2> certificates)
    {
        if (listener.Address.StartsWith("unix:", StringComparison.Ordinal)) return true;
        string host = HostOf(request);
        if (host.Length == 0 || IPAddress.TryParse(host, out _) || host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal)) return true;
        if (host.Equals(options.NodeName, StringComparison.OrdinalIgnoreCase) || options.AllowedHosts.Contains(host, StringComparer.Ordinal)) return true;
        return certificates.Any(certificate => certificate.MatchesHostname(host));
    }

    private static string HostOf(HttpRequest request) => request.Host.Host.Trim('[', ']').TrimEnd('.').ToLowerInvariant();

    // Whether TLS ends here or at a proxy says nothing about whose page it is.
    private static bool IsSame(string origin, HttpRequest request)
    {
        int scheme = origin.IndexOf("://", StringComparison.Ordinal);
        return scheme > 0 && origin[(scheme + 3)..].Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
