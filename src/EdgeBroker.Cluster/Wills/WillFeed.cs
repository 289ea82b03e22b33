using EdgeBroker.Cluster.Links;

namespace EdgeBroker.Cluster.Wills;

/// <summary>
/// Tells another node which wills this one's clients have: first all, then each change. What has no room in the link's output waits as a client id. Only on the
/// thread that serves the cluster.
/// </summary>
/// <param name="link">Where they go.</param>
/// <param name="incarnation">The number of this node's start.</param>
/// <param name="clients">Who has one.</param>
/// <param name="find">A client's will; null: it has none that is copied.</param>
internal sealed class WillFeed(PeerLink link, long incarnation, IEnumerable<string> clients, Func<string, WillCopy?> find)
{
    private readonly Queue<string> _clients = new(clients);
    // Who changes again and again while there is no room waits once.
    private readonly HashSet<string> _waiting = new(clients, StringComparer.Ordinal);
    private bool _hasBegun;
    private bool _hasToldAll;

    /// <summary>The number of this node's start.</summary>
    public long Incarnation => incarnation;

    /// <summary>A client has another will, or none any more.</summary>
    public void Add(string clientId)
    {
        if (_waiting.Add(clientId)) _clients.Enqueue(clientId);
    }

    /// <summary>Sends as much as there is room for.</summary>
    public void Run()
    {
        if (!_hasBegun) Send(WillNews.Begin, "");
        _hasBegun = true;
        while (link.Output.HasRoom(FrameClass.Bulk) && _clients.TryDequeue(out string? clientId))
        {
            _waiting.Remove(clientId);
            if (find(clientId) is { } copy) link.Output.Add(FrameClass.Bulk, WillFrames.Write(incarnation, clientId, copy));
            else Send(WillNews.Gone, clientId);
        }

        if (_hasToldAll || _clients.Count > 0) return;
        _hasToldAll = true;
        Send(WillNews.End, "");
    }

    // In the order of all that is told of wills, and so of their class.
    private void Send(WillNews news, string clientId) =>
        link.Output.Add(FrameClass.Bulk, WillFrames.Write(new WillFrame(news, 0, incarnation, clientId, default)));
}
