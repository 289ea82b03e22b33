using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Resources;

/// <summary>
/// Bodies of responses that are read in blocks and cannot be made again, as that of a POST or of an event that an observer was told: the last one of a peer,
/// and of all peers as many bytes as there may be; the oldest goes. The payload of an event is one, however many observers were told it.
/// </summary>
/// <param name="maxBytes">Bytes of all of them.</param>
internal sealed class KeptBodies(int maxBytes)
{
    private readonly Dictionary<Peer, LinkedListNode<Kept>> _byPeer = [];
    private readonly LinkedList<Kept> _byAge = new();

    // How many keep a payload: the same bytes in memory, not equal ones.
    private readonly Dictionary<ReadOnlyMemory<byte>, int> _holders = [];
    private long _bytes;

    /// <summary>Bytes kept; any thread.</summary>
    public long MemoryBytes => Volatile.Read(ref _bytes);

    /// <summary>Keeps a body in place of the peer's former one. A peer that may not be there at all has room only where there is some.</summary>
    public void Keep(Peer peer, string key, CoapResponse whole)
    {
        Forget(peer);
        int holders = _holders.GetValueOrDefault(whole.Payload);
        int bytes = holders == 0 ? whole.Payload.Length : 0;
        if (!peer.IsReal && _bytes + bytes > maxBytes) return;
        _byPeer.Add(peer, _byAge.AddLast(new Kept(peer, key, whole)));
        _holders[whole.Payload] = holders + 1;
        _bytes += bytes;
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
        ReadOnlyMemory<byte> payload = node.Value.Whole.Payload;
        if (--_holders[payload] > 0) return;
        _holders.Remove(payload);
        _bytes -= payload.Length;
    }

    private sealed record Kept(Peer Peer, string Key, CoapResponse Whole);
}
