using EdgeBroker.Core.Limits;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Messages;

/// <summary>
/// The peers that are remembered, and their exchanges: as many as the limits say, of all and of one network, as long as the RFC says. One thread at a time.
/// </summary>
/// <param name="limits">What peers may take.</param>
/// <param name="random">Begins message ids.</param>
/// <param name="forgotten">Is told of each that is forgotten.</param>
internal sealed class PeerTable(CoapLimits limits, Random random, Action<Peer> forgotten)
{
    // What a peer and an exchange weigh, besides what they hold.
    private const int PeerBytes = 850;
    private const int ExchangeBytes = 250;

    // So many of those not heard of for longest are looked at for one that may go; what keeps the others is over in seconds.
    private const int Candidates = 16;

    private readonly Dictionary<PeerEndPoint, Peer> _peers = [];
    private readonly Dictionary<ClientNetwork, PeersOfNetwork> _networks = [];

    // In the order in which they were heard of; but for those that stay for as long as they observe: a few of them at its head would be in the way of all.
    private readonly LinkedList<Peer> _byLastHeard = new();
    private int _count;
    private long _exchanges;
    private long _keptBytes;

    /// <summary>How many there are; any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<Peer> All => _peers.Values;

    /// <summary>Bytes of replies kept for duplicates.</summary>
    public long KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>Bytes of all of it; any thread.</summary>
    public long MemoryBytes => ((long)Count * PeerBytes) + (Volatile.Read(ref _exchanges) * ExchangeBytes) + KeptBytes;

    /// <summary>The peer at an end point; null: not remembered.</summary>
    public Peer? Find(in PeerEndPoint at) => _peers.GetValueOrDefault(at);

    /// <summary>
    /// Remembers a peer, in the place of one that has nothing open where there are too many: one of its own network where that has too many; null: none may go.
    /// </summary>
    /// <param name="at">Where it is.</param>
    /// <param name="nowMs">When it was heard of: now.</param>
    /// <param name="ofNetwork">Whether it is its network that has too many.</param>
    public Peer? TryRemember(in PeerEndPoint at, long nowMs, out bool ofNetwork)
    {
        ofNetwork = false;
        Peer? peer = Find(at) ?? TryAdd(at, out ofNetwork);
        if (peer is not null) Touch(peer, nowMs);
        return peer;
    }

    /// <summary>The peer was heard of.</summary>
    public void Touch(Peer peer, long nowMs)
    {
        peer.LastHeardMs = nowMs;
        Place(peer);
    }

    /// <summary>The peer has so many reasons more to be remembered, or fewer.</summary>
    public void Pin(Peer peer, int change)
    {
        peer.Pins += change;
        if (!peer.IsForgotten) Place(peer);
    }

    /// <summary>Remembers an exchange. The oldest that is answered makes room; false: none is, the peer has asked more than it waited for.</summary>
    public bool TryAdd(Exchange exchange, long nowMs)
    {
        Peer peer = exchange.Peer;
        Expire(peer, nowMs);
        for (int i = peer.Order.Count; i > 0 && peer.Order.Count >= limits.MaxExchanges; i--)
        {
            Exchange oldest = peer.Order.Dequeue();
            if (oldest.IsDone) Release(oldest);
            else peer.Order.Enqueue(oldest);
        }

        if (peer.Order.Count >= limits.MaxExchanges) return false;
        peer.Exchanges[exchange.MessageId] = exchange;
        peer.Order.Enqueue(exchange);
        _exchanges++;
        return true;
    }

    /// <summary>Keeps the reply of an exchange for duplicates.</summary>
    public void Keep(Exchange exchange, byte[] reply)
    {
        exchange.Reply = reply;
        _keptBytes += reply.Length;
    }

    /// <summary>Forgets exchanges and peers whose time is over.</summary>
    public void Sweep(long nowMs)
    {
        foreach (Peer peer in _peers.Values) Expire(peer, nowMs);
        long idleMs = (long)limits.IdleTimeout.TotalMilliseconds;
        LinkedListNode<Peer>? node = _byLastHeard.First;
        while (node is not null && nowMs - node.Value.LastHeardMs >= idleMs)
        {
            LinkedListNode<Peer>? next = node.Next;
            if (IsIdle(node.Value)) Forget(node.Value);
            node = next;
        }
    }

    private Peer? TryAdd(in PeerEndPoint at, out bool ofNetwork)
    {
        ClientNetwork address = at.Network;
        ofNetwork = _networks.TryGetValue(address, out PeersOfNetwork? network) && network.Count >= limits.MaxPeersPerNetwork;
        if (ofNetwork ? !TryForgetOne(network!.ByLastHeard) : _peers.Count >= limits.MaxPeers && !TryForgetOne(_byLastHeard)) return null;
        // The one that went may have been the last of this network.
        if (!_networks.TryGetValue(address, out network)) _networks.Add(address, network = new PeersOfNetwork());
        network.Count++;
        var peer = new Peer(at, (ushort)random.Next(ushort.MaxValue + 1), network);
        Place(peer);
        _peers.Add(at, peer);
        _count = _peers.Count;
        return peer;
    }

    private static bool IsIdle(Peer peer) => peer.Pins == 0 && peer.IsFree && peer.Order.All(exchange => exchange.IsDone);

    // An address that somebody may have made up keeps nobody out, whatever it has open, but for what is being carried out.
    private static bool MayGo(Peer peer) => IsIdle(peer) || (!peer.IsReal && peer.Order.All(exchange => exchange.IsDone));

    // One that has nothing open or may not be there, of those not heard of for longest; false: there is none.
    private bool TryForgetOne(LinkedList<Peer> byLastHeard)
    {
        LinkedListNode<Peer>? node = byLastHeard.First;
        for (int i = 0; i < Candidates && node is not null; i++, node = node.Next)
        {
            if (!MayGo(node.Value)) continue;
            Forget(node.Value);
            return true;
        }

        return false;
    }

    /// <summary>Forgets a peer, whatever it has open.</summary>
    public void Forget(Peer peer)
    {
        if (peer.IsForgotten) return;
        peer.IsForgotten = true;
        peer.Current = null;
        peer.Waiting.Clear();
        _peers.Remove(peer.EndPoint);
        Displace(peer);
        if (--peer.Network.Count == 0) _networks.Remove(peer.EndPoint.Network);
        while (peer.Order.TryDequeue(out Exchange? exchange)) Release(exchange);
        _count = _peers.Count;
        forgotten(peer);
    }

    private void Place(Peer peer)
    {
        Displace(peer);
        if (peer.Pins > 0 && peer.IsReal) return;
        _byLastHeard.AddLast(peer.Place);
        peer.Network.ByLastHeard.AddLast(peer.PlaceInNetwork);
    }

    private void Displace(Peer peer)
    {
        if (peer.Place.List is null) return;
        _byLastHeard.Remove(peer.Place);
        peer.Network.ByLastHeard.Remove(peer.PlaceInNetwork);
    }

    private void Expire(Peer peer, long nowMs)
    {
        while (peer.Order.TryPeek(out Exchange? oldest) && oldest.IsDone && oldest.ExpiresAtMs <= nowMs) Release(peer.Order.Dequeue());
    }

    private void Release(Exchange exchange)
    {
        _exchanges--;
        _keptBytes -= exchange.Reply?.Length ?? 0;
        // The same message id may belong to a newer exchange by now.
        Dictionary<ushort, Exchange> exchanges = exchange.Peer.Exchanges;
        if (exchanges.TryGetValue(exchange.MessageId, out Exchange? current) && ReferenceEquals(current, exchange)) exchanges.Remove(exchange.MessageId);
    }
}
