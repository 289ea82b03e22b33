using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Coap.Tests.Listeners;

public sealed class CoapServerTests
{
    [Fact]
    public void What_cannot_be_sent_for_a_bug_is_lost_as_on_the_way_and_all_goes_on()
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        rig.Sending = static () => throw new InvalidOperationException("a bug");
        byte[] request = peer.Send(CoapCode.Put, "ps/a", new RequestOptions().Carrying("1"));
        peer.ExpectNothing();
        Assert.Single(rig.Events.All, one => one.Kind == BrokerEventKind.Fault);
        rig.Sending = static () => { };
        peer.Send(request);
        Assert.Equal(CoapCode.Created, peer.Expect().Code);
        Assert.Equal("1", peer.Get("ps/a").Text);
    }
}
