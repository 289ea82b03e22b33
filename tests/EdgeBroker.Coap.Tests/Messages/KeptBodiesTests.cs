using System.Net;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;

namespace EdgeBroker.Coap.Tests.Messages;

/// <summary>Bodies kept so that they can be read to their end.</summary>
public sealed class KeptBodiesTests
{
    private readonly KeptBodies _kept = new(maxBytes: 1_000);

    [Fact]
    public void An_event_that_many_observers_are_told_counts_once()
    {
        CoapResponse told = Response(new byte[600]);
        var peers = Enumerable.Range(1, 50).Select(NewPeer).ToList();
        // Each gets a response of its own, over the one payload.
        peers.ForEach(peer => _kept.Keep(peer, "a", told with { MaxAge = 1 }));
        Assert.Equal(600, _kept.MemoryBytes);
        Assert.All(peers, peer => Assert.True(_kept.IsKept(peer)));
        peers.Skip(1).ToList().ForEach(_kept.Forget);
        Assert.Equal(600, _kept.MemoryBytes);
        _kept.Forget(peers[0]);
        Assert.Equal(0, _kept.MemoryBytes);
    }

    [Fact]
    public void Bodies_of_their_own_count_each_and_the_oldest_goes()
    {
        Peer first = NewPeer(1);
        Peer second = NewPeer(2);
        _kept.Keep(first, "a", Response(new byte[600]));
        _kept.Keep(second, "a", Response(new byte[600]));
        Assert.Equal((false, true, 600L), (_kept.IsKept(first), _kept.IsKept(second), _kept.MemoryBytes));
    }

    [Fact]
    public void An_event_that_is_replaced_is_kept_for_the_others()
    {
        CoapResponse told = Response(new byte[600]);
        Peer first = NewPeer(1);
        Peer second = NewPeer(2);
        _kept.Keep(first, "a", told);
        _kept.Keep(second, "a", told);
        _kept.Keep(first, "a", Response(new byte[100]));
        Assert.Equal(700, _kept.MemoryBytes);
        Assert.Same(told, _kept.Find(second, "a"));
    }

    private static CoapResponse Response(byte[] payload) => new(CoapCode.Content) { Payload = payload };

    private static Peer NewPeer(int port) => new(PeerEndPoint.Of(new IPEndPoint(IPAddress.Loopback, port)), 0, new PeersOfNetwork());
}
