using System.Text;

namespace EdgeBroker.Coap.Resources;

/// <summary>The resources there are, by path, and what discovery says of them (RFC 6690).</summary>
public sealed class Site
{
    private readonly List<(string[] Path, bool IsPrefix, IResource Resource)> _resources = [];
    private readonly List<Link> _links = [];

    /// <summary>A site that can be discovered at <c>/.well-known/core</c>.</summary>
    public Site() => Add(".well-known/core", new DiscoveryResource(_links));

    /// <summary>Adds a resource.</summary>
    /// <param name="path">Its path, without a slash in front.</param>
    /// <param name="resource">Answers.</param>
    /// <param name="link">What discovery says of it; null: nothing.</param>
    /// <param name="withAllBelow">Whether it answers for all paths that begin with this one.</param>
    public void Add(string path, IResource resource, Link? link = null, bool withAllBelow = false)
    {
        _resources.Add((path.Split('/'), withAllBelow, resource));
        if (link is not null) _links.Add(link with { Target = "/" + path });
    }

    /// <summary>The resource of a path; null: none.</summary>
    public IResource? Find(IReadOnlyList<string> path)
    {
        foreach ((string[] own, bool isPrefix, IResource resource) in _resources)
        {
            if (path.Count < own.Length || (path.Count > own.Length && !isPrefix)) continue;
            if (own.SequenceEqual(path.Take(own.Length), StringComparer.Ordinal)) return resource;
        }

        return null;
    }
}

/// <summary>A link of discovery (RFC 6690, 2).</summary>
public sealed record Link
{
    /// <summary>The path, with its slash.</summary>
    public string Target { get; init; } = "";

    /// <summary>Attributes in order; a value of null: an attribute without one. Values in quotes may hold several words.</summary>
    public IReadOnlyList<(string Name, string? Value)> Attributes { get; init; } = [];

    /// <summary>As it stands in a document.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"<{Target}>");
        foreach ((string name, string? value) in Attributes)
        {
            text.Append(';').Append(name);
            if (value is not null) text.Append(IsPlain(name) ? $"={value}" : $"=\"{value}\"");
        }

        return text.ToString();
    }

    /// <summary>Whether a filter of a request is met: <c>name=value</c>, a star at its end for any rest (RFC 6690, 4.1).</summary>
    public bool Matches(string filter)
    {
        int equals = filter.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? filter : filter[..equals];
        string? wanted = equals < 0 ? null : filter[(equals + 1)..];
        if (name == "href") return wanted is not null && IsLike(Target, wanted);
        foreach ((string own, string? value) in Attributes)
        {
            if (own != name) continue;
            if (wanted is null || (value is null && wanted.Length == 0)) return true;
            if (value is not null && (IsLike(value, wanted) || value.Split(' ').Any(word => IsLike(word, wanted)))) return true;
        }

        return false;
    }

    // Numbers stand without quotes.
    private static bool IsPlain(string name) => name is "ct" or "sz";

    private static bool IsLike(string value, string wanted) =>
        wanted.EndsWith('*') ? value.StartsWith(wanted[..^1], StringComparison.Ordinal) : value == wanted;
}
