using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Resources;

/// <summary>
/// Bodies of responses that are read in blocks and cannot be made again, as that of a POST or of an event that an observer was told: the last one of a peer,
/// and of all peers as many bytes as there may be; the oldest goes.
/// </summary>
/// <param name="maxBytes">Bytes of all of them.</param>
internal sealed class KeptBodies(int maxBytes)
{
    private readonly Dictionary<Peer, LinkedListNode<Kept>> _byPeer = [];
    private readonly LinkedList<Kept> _byAge = new();
    private long _bytes;

    /// <summary>Bytes kept; any thread.</summary>
    public long MemoryBytes => Volatile.Read(ref _bytes);

    /// <summary>Keeps a body in place of the peer's former one. A peer that may not be there at all has room only where there is some.</summary>
    public void Keep(Peer peer, string key, CoapResponse whole)
    {
        Forget(peer);
        if (!peer.IsReal && _bytes + whole.Payload.Length > maxBytes) return;
        _byPeer.Add(peer, _byAge.AddLast(new Kept(peer, key, whole)));
        _bytes += whole.Payload.Length;
        while (_bytes > maxBytes) Forget(_byAge.First!.Value.Peer);
    }

    /// <summary>Whether there is one of a peer.</summary>
    public bool IsKept(Peer peer) => _byPeer.ContainsKey(peer);

    /// <summary>The body a peer goes on with; null: it is not kept any more.</summary>
    public CoapResponse? Find(Peer peer, string key) =>
        _byPeer.TryGetValue(peer, out LinkedListNode<Kept>? node) && node.Value.Key == key ? node.Value.Whole : null;

    /// <summary>Keeps nothing of a peer any more.</summary>
    public void Forget(Peer peer)
    {
        if (!_byPeer.Remove(peer, out LinkedListNode<Kept>? node)) return;
        _byAge.Remove(node);
        _bytes -= node.Value.Whole.Payload.Length;
    }

    private sealed record Kept(Peer Peer, string Key, CoapResponse Whole);
}
