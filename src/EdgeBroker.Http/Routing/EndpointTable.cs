using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Routing;

/// <summary>
/// Finds the endpoint that a request is for. Endpoints are made when the first request comes: with the descriptions of their bodies they are half of a start,
/// and most brokers serve no HTTP.
/// </summary>
internal sealed class EndpointTable
{
    private readonly List<Func<IEnumerable<HttpEndpoint>>> _makers = [];
    private readonly Lazy<HttpEndpoint[]> _endpoints;

    /// <summary>An empty table.</summary>
    public EndpointTable() => _endpoints = new Lazy<HttpEndpoint[]>(() => [.. _makers.SelectMany(make => make())]);

    /// <summary>All endpoints, in the order in which they were added.</summary>
    public IReadOnlyList<HttpEndpoint> All => _endpoints.Value;

    /// <summary>Adds endpoints. Before the first request, on one thread.</summary>
    /// <param name="make">Makes them; called once.</param>
    public void Add(Func<IEnumerable<HttpEndpoint>> make) => _makers.Add(make);

    /// <summary>Finds the endpoint of a request, and what its path says.</summary>
    /// <param name="surfaces">What the listener serves.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="target">What it asks for.</param>
    /// <param name="arguments">What stands in the places of the pattern, decoded.</param>
    /// <param name="allowed">Where the path is good and the method is not: the methods that are.</param>
    public HttpEndpoint? Find(HttpSurfaces surfaces, string method, RequestTarget target, out Dictionary<string, string> arguments, out List<string> allowed)
    {
        arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        allowed = [];
        string wanted = method == "HEAD" ? "GET" : method;
        HttpEndpoint? found = null;
        string? pattern = null;
        foreach (HttpEndpoint endpoint in _endpoints.Value)
        {
            if ((endpoint.Surface & surfaces) == 0 || !Matches(endpoint.Segments, target.Segments)) continue;
            // The pattern added first has the path to itself, so fixed paths are added before those with places.
            pattern ??= endpoint.Pattern;
            if (endpoint.Pattern != pattern) continue;
            if (endpoint.Method == "GET") allowed.Add("HEAD");
            allowed.Add(endpoint.Method);
            if (endpoint.Method == wanted) found ??= endpoint;
        }

        if (found is null) return null;
        Read(found.Segments, target.Segments, arguments);
        return found;
    }

    /// <summary>
    /// The path as it is probably meant where slashes of an id or topic were not encoded; null: nothing comes to mind.
    /// </summary>
    public string? Encoded(RequestTarget target)
    {
        foreach (HttpEndpoint endpoint in _endpoints.Value)
        {
            string[] pattern = endpoint.Segments;
            int place = Array.FindIndex(pattern, one => one.StartsWith('{'));
            int extra = target.Segments.Length - pattern.Length;
            if (place < 0 || extra <= 0 || pattern[place].StartsWith("{*", StringComparison.Ordinal)) continue;
            string joined = string.Join("%2F", target.Segments[place..(place + extra + 1)]);
            string[] meant = [.. target.Segments[..place], joined, .. target.Segments[(place + extra + 1)..]];
            if (Matches(pattern, meant)) return "/" + string.Join('/', meant);
        }

        return null;
    }

    private static bool Matches(string[] pattern, string[] segments)
    {
        int rest = Array.FindIndex(pattern, one => one.StartsWith("{*", StringComparison.Ordinal));
        if (rest < 0 ? segments.Length != pattern.Length : segments.Length < pattern.Length) return false;
        int behind = rest < 0 ? 0 : pattern.Length - rest - 1;
        int before = rest < 0 ? pattern.Length : rest;
        for (int i = 0; i < before; i++)
        {
            if (!Matches(pattern[i], segments[i])) return false;
        }

        for (int i = 1; i <= behind; i++)
        {
            if (!Matches(pattern[^i], segments[^i])) return false;
        }

        return true;
    }

    private static bool Matches(string pattern, string segment) => pattern.StartsWith('{') ? segment.Length > 0 : pattern == segment;

    private static void Read(string[] pattern, string[] segments, Dictionary<string, string> arguments)
    {
        for (int i = 0; i < pattern.Length; i++)
        {
            if (!pattern[i].StartsWith('{')) continue;
            string name = pattern[i].Trim('{', '}', '*');
            if (!pattern[i].StartsWith("{*", StringComparison.Ordinal))
            {
                arguments[name] = RequestTarget.Decode(segments[i]);
                continue;
            }

            int end = segments.Length - (pattern.Length - i - 1);
            arguments[name] = string.Join('/', segments[i..end].Select(RequestTarget.Decode));
            // What follows is fixed.
            return;
        }
    }
}
