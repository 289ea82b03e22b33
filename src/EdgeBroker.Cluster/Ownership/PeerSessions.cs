namespace EdgeBroker.Cluster.Ownership;

/// <summary>What another node has of clients, as it has told; kept while it is away. Only on the thread that serves the cluster.</summary>
internal sealed class PeerSessions
{
    private Dictionary<string, SessionEntry> _entries = new(StringComparer.Ordinal);
    private Dictionary<string, SessionEntry>? _next;

    /// <summary>Whether it has ever told all it has.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>The version of what this node has told it that it has acted upon, over whatever link; -1: none.</summary>
    public long Seen { get; set; } = -1;

    /// <summary>Entries it has, those under way included.</summary>
    public int Count => _entries.Count + (_next?.Count ?? 0);

    /// <summary>Its entry of a client; null: none.</summary>
    public SessionEntry? Find(string clientId) => _entries.TryGetValue(clientId, out SessionEntry entry) ? entry : null;

    /// <summary>Of a node that was removed: it has nothing, and need not know of anything.</summary>
    public static PeerSessions OfNobody() => new() { IsKnown = true, Seen = long.MaxValue };

    /// <summary>It begins to tell all it has.</summary>
    public void BeginAll() => _next = new Dictionary<string, SessionEntry>(StringComparer.Ordinal);

    /// <summary>It has told all; what it has not named is gone.</summary>
    public void EndAll()
    {
        if (_next is null) return;
        (_entries, _next, IsKnown) = (_next, null, true);
    }

    /// <summary>It has this, or has nothing any more.</summary>
    public void Set(in SessionEntry entry)
    {
        Dictionary<string, SessionEntry> entries = _next ?? _entries;
        if (entry.Kind is SessionKind.Claimed or SessionKind.Kept or SessionKind.Frozen) entries[entry.ClientId] = entry;
        else if (entry.Kind == SessionKind.Gone) entries.Remove(entry.ClientId);
    }

    /// <summary>A link is over: what it had begun to tell comes anew with the next.</summary>
    public void Break() => _next = null;
}
