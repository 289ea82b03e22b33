namespace EdgeBroker.Transport.Listeners;

/// <summary>What an <c>http</c> or <c>https</c> listener serves.</summary>
[Flags]
public enum HttpSurfaces
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Publishing, last values and streams of messages.</summary>
    Publish = 1 << 0,

    /// <summary>Whether the broker is well.</summary>
    Health = 1 << 1,

    /// <summary>The administration API.</summary>
    Api = 1 << 2,

    /// <summary>The web console, which lives on the API.</summary>
    Console = 1 << 3,

    /// <summary>Numbers for a metrics system.</summary>
    Metrics = 1 << 4,

    /// <summary>Everything.</summary>
    All = Publish | Health | Api | Console | Metrics,
}

/// <summary>The words of the configuration for <see cref="HttpSurfaces"/>.</summary>
public static class HttpSurfaceWords
{
    private static readonly (string Word, HttpSurfaces Surface)[] Words =
    [
        ("publish", HttpSurfaces.Publish), ("health", HttpSurfaces.Health), ("api", HttpSurfaces.Api), ("console", HttpSurfaces.Console),
        ("metrics", HttpSurfaces.Metrics),
    ];

    /// <summary>All words.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Words.Select(one => one.Word)];

    /// <summary>The words for some surfaces, in a fixed order.</summary>
    public static IReadOnlyList<string> ToWords(this HttpSurfaces surfaces) =>
        [.. Words.Where(one => (surfaces & one.Surface) != 0).Select(one => one.Word)];

    /// <summary>What words stand for; those that are none are left out.</summary>
    public static HttpSurfaces Of(IEnumerable<string> words)
    {
        HttpSurfaces surfaces = HttpSurfaces.None;
        foreach (string word in words)
        {
            foreach ((string known, HttpSurfaces surface) in Words)
            {
                if (known == word) surfaces |= surface;
            }
        }

        return surfaces;
    }
}
