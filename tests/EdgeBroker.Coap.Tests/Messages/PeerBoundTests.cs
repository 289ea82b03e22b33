using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Tests.Messages;

/// <summary>How many peers of one network are remembered.</summary>
public sealed class PeerBoundTests
{
    private readonly CoapRig _rig = new(limits: new CoapLimits { MaxPeers = 10, MaxPeersPerNetwork = 3 });
    private readonly List<(PeerEndPoint Peer, bool OfNetwork)> _refused = [];

    public PeerBoundTests() => _rig.Server.Refused = (peer, ofNetwork) => _refused.Add((peer, ofNetwork));

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    [InlineData("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
    public void A_network_that_has_as_many_peers_as_it_may_is_refused_and_others_are_not(string first, string same, string other)
    {
        for (int port = 1; port <= 3; port++) Observe(_rig.Peer(port, port == 1 ? first : same));
        TestPeer fourth = _rig.Peer(4, same);
        Answer answer = fourth.Get("test");
        Assert.Equal((CoapCode.ServiceUnavailable, 30u), (answer.Code, answer.Number(OptionNumber.MaxAge)));
        Assert.Equal([(fourth.EndPoint, true)], _refused);
        Assert.Equal(1, _rig.Server.Layer.Counters.PeersRefused);
        Assert.Equal(CoapCode.Content, _rig.Peer(1, other).Get("test").Code);
        Assert.Equal((4, 3), (_rig.Server.Layer.PeerCount, _rig.Server.ObservationCount));
    }

    [Fact]
    public void A_network_makes_room_for_its_own_and_takes_none_of_others()
    {
        TestPeer other = _rig.Peer(1, "192.0.2.2");
        byte[] asked = other.Send(CoapCode.Get, "test");
        other.Expect();
        for (int port = 1; port <= 20; port++) Assert.Equal(CoapCode.Content, _rig.Peer(port, "192.0.2.1").Get("test").Code);
        Assert.Equal((4, 0L), (_rig.Server.Layer.PeerCount, _rig.Server.Layer.Counters.PeersRefused));
        // Who is still remembered has its answer repeated.
        other.Send(asked);
        other.Expect();
        Assert.Equal(1, _rig.Server.Layer.Counters.Duplicates);
    }

    [Fact]
    public void A_peer_that_is_forgotten_gives_its_place_in_its_network_free()
    {
        var peers = Enumerable.Range(1, 3).Select(port => _rig.Peer(port, "192.0.2.1")).ToList();
        peers.ForEach(Observe);
        _rig.Server.Layer.Forget(_rig.Server.Layer.Find(peers[1].EndPoint)!);
        Assert.Equal(CoapCode.Content, _rig.Peer(4, "192.0.2.1").Get("test").Code);
        Assert.Empty(_refused);
    }

    [Fact]
    public void Where_all_are_too_many_that_is_said()
    {
        for (int port = 1; port <= 10; port++) Observe(_rig.Peer(port, "192.0.2." + port));
        TestPeer next = _rig.Peer(1, "192.0.2.11");
        Assert.Equal(CoapCode.ServiceUnavailable, next.Get("test").Code);
        Assert.Equal([(next.EndPoint, false)], _refused);
    }

    // As somebody who is there: it answers what it is told.
    private void Observe(TestPeer peer)
    {
        Assert.Equal(CoapCode.Content, peer.Get("obs", new RequestOptions().With(OptionNumber.Observe, 0)).Code);
        _rig.Resources.Change(peer.EndPoint.ToString());
        peer.Acknowledge(peer.Expect());
    }
}
