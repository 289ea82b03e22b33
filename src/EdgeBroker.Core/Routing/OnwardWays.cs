using System.Collections.Concurrent;

namespace EdgeBroker.Core.Routing;

/// <summary>Which sessions bring messages on to other brokers, and by whom. Few have any: sessions do not know it themselves. Any thread.</summary>
internal sealed class OnwardWays
{
    private readonly ConcurrentDictionary<string, string> _bySession = new(StringComparer.Ordinal);
    private volatile bool _areSeveral;

    /// <summary>Whether there may be more than one way; if so, who gets a message is worth a look.</summary>
    public bool AreSeveral => _areSeveral;

    /// <summary>A connection has told by whom its session's messages go on.</summary>
    /// <param name="clientId">The session's client id.</param>
    /// <param name="way">By whom; null: by nobody.</param>
    public void Set(string clientId, string? way)
    {
        if (way is null && _bySession.IsEmpty) return;
        if (way is null) _bySession.TryRemove(clientId, out _);
        else _bySession[clientId] = way;
        _areSeveral = _bySession.Count > 1;
    }

    /// <summary>By whom a session's messages go on; null: by nobody.</summary>
    public string? Find(string clientId) => _bySession.GetValueOrDefault(clientId);
}
