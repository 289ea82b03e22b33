using EdgeBroker.Core.Metrics;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Metrics;

/// <summary>Counts requests by what they asked for and by the class of their status. Any thread.</summary>
internal sealed class RequestCounters
{
    private const int Classes = 5;

    // What asks for nothing that there is has no surface.
    private static readonly HttpSurfaces[] Surfaces =
        [HttpSurfaces.Publish, HttpSurfaces.Health, HttpSurfaces.Api, HttpSurfaces.Console, HttpSurfaces.Metrics, HttpSurfaces.None];

    private readonly long[] _counts = new long[Surfaces.Length * Classes];

    /// <summary>Registers them. What never happened is not told.</summary>
    public void RegisterMeters(MeterRegistry meters)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            int at = i;
            string surface = Surfaces[at / Classes] is var one && one == HttpSurfaces.None ? "other" : one.ToString().ToLowerInvariant();
            meters.Counter(
                "edgebroker.http.requests.total", "{request}", "HTTP requests that were answered",
                () => Volatile.Read(ref _counts[at]) is > 0 and long count ? count : null,
                tags: [new MeterTag("surface", surface), new MeterTag("status", $"{(at % Classes) + 1}xx")]);
        }
    }

    /// <summary>Counts a request that has been answered, or whose stream has ended.</summary>
    /// <param name="surface">What it asked for; of several the first.</param>
    /// <param name="status">The status of its answer.</param>
    public void Count(HttpSurfaces surface, int status)
    {
        int at = Array.FindIndex(Surfaces, one => one == HttpSurfaces.None || (surface & one) != 0);
        Interlocked.Increment(ref _counts[(at * Classes) + Math.Clamp(status / 100, 1, Classes) - 1]);
    }
}
