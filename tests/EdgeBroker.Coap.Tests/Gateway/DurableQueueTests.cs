using System.Globalization;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Tests.Gateway;

/// <summary><c>mode=queue</c> with a client id, over UDP: the observation is a stored session, which the same name takes up again.</summary>
public sealed class DurableQueueTests
{
    private static readonly RequestOptions Register = new RequestOptions().With(OptionNumber.Observe, 0);
    private static readonly RequestOptions Deregister = new RequestOptions().With(OptionNumber.Observe, 1);

    [Fact]
    public async Task What_waits_goes_on_with_who_registers_from_elsewhere()
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        peer.Get("ps/a?mode=queue&c=press7", Register);
        rig.Publish("a", "1", qos: QoS.AtLeastOnce);
        await peer.MailAsync();
        // Lost on the way: what is not acknowledged is told again.
        peer.Expect();
        rig.Publish("a", "2", qos: QoS.AtLeastOnce);
        TestPeer moved = rig.Peer(port: 41_000);
        Assert.Equal(CoapCode.Content, moved.Get("ps/a?mode=queue&c=press7", Register).Code);
        Assert.Equal("1", await NextAsync(moved));
        Assert.Equal("2", await NextAsync(moved));
        await Deadline.Until(() => rig.Server.Resources.ObservationCount == 1, "the former registration to end");
        peer.ExpectNothing();
        // Its session is the broker's own: no client is connected by it, and none is away.
        Assert.Equal((1, 0, 0), (rig.Broker.SessionCount, rig.Broker.ConnectedCount, rig.Broker.DisconnectedCount));
    }

    [Fact]
    public async Task Who_is_slow_loses_the_oldest_whatever_their_QoS()
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        peer.Get("ps/a?mode=queue&c=press7", Register);
        const int sent = 200;
        for (int i = 1; i <= sent; i++) rig.Publish("a", i.ToString(CultureInfo.InvariantCulture));
        var told = new List<int>();
        while (told.Count == 0 || told[^1] < sent) told.Add(int.Parse(await NextAsync(peer), CultureInfo.InvariantCulture));
        Assert.Equal(told.Order(), told);
        Assert.Equal([.. Enumerable.Range(sent - TopicResource.QueuedMessages + 1, TopicResource.QueuedMessages)], told[^TopicResource.QueuedMessages..]);
        Assert.InRange(told.Count, TopicResource.QueuedMessages, TopicResource.QueuedMessages + 16);
        Assert.Equal(sent - told.Count, Session(rig, "a")!.Dropped);
    }

    [Fact]
    public async Task Numbers_of_notifications_begin_anew_behind_24_bits()
    {
        using var rig = new GatewayRig();
        // They come from the clock: 64 ms each.
        long number = rig.Time.GetUtcNow().ToUnixTimeMilliseconds() / 64;
        rig.Time.AdjustTime(DateTimeOffset.FromUnixTimeMilliseconds(((number | 0xFF_FFFF) - 1) * 64));
        TestPeer peer = rig.Peer();
        Assert.Equal(0xFF_FFFFu, peer.Get("ps/a?mode=queue&c=press7", Register).Number(OptionNumber.Observe));
        rig.Publish("a", "1");
        await peer.MailAsync();
        Assert.Equal(0u, peer.Expect().Number(OptionNumber.Observe));
    }

    [Fact]
    public void Who_deregisters_leaves_nothing()
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        peer.Get("ps/a?mode=queue&c=press7", Register);
        Assert.NotNull(Session(rig, "a"));
        peer.Get("ps/a?mode=queue&c=press7", Deregister);
        Assert.Null(Session(rig, "a"));
        Assert.Empty(rig.Clients.Durables.Of("press7"));
        Assert.Equal(0, rig.Broker.Subscriptions.Count);
    }

    [Theory]
    [InlineData("ps/b?mode=queue&c=press7")]
    [InlineData("ps/b?c=press7")]
    public void A_token_that_stands_for_something_else_ends_what_it_stood_for(string other)
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        peer.Get("ps/a?mode=queue&c=press7", Register);
        peer.Get(other, Register);
        Assert.Null(Session(rig, "a"));
        Assert.Equal(1, rig.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task A_peer_has_two_observations_by_two_tokens()
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        peer.Get("ps/a?mode=queue&c=press7", Register);
        peer.Get("ps/b?mode=queue&c=press7", new RequestOptions { Token = [7] }.With(OptionNumber.Observe, 0));
        rig.Publish("a", "of a");
        rig.Publish("b", "of b");
        string[] told = [await NextAsync(peer), await NextAsync(peer)];
        Assert.Equal(["of a", "of b"], told.Order());
        peer.Get("ps/a", Deregister);
        Assert.Null(Session(rig, "a"));
        rig.Publish("b", "still");
        Assert.Equal("still", await NextAsync(peer));
    }

    [Fact]
    public void Sessions_are_limited_as_those_of_MQTT_are()
    {
        using var rig = new GatewayRig();
        rig.Broker.Limits.Replace(new LimitOptions { MaxSessions = 1 });
        TestPeer peer = rig.Peer();
        Assert.NotNull(peer.Get("ps/a?mode=queue&c=press7", Register).Number(OptionNumber.Observe));
        rig.Publish("b", "value", retain: true);
        Answer refused = peer.Get("ps/b?mode=queue&c=press8", new RequestOptions { Token = [7] }.With(OptionNumber.Observe, 0));
        Assert.Equal((CoapCode.Content, "value", null), (refused.Code, refused.Text, refused.Number(OptionNumber.Observe)));
        Assert.Equal(1, rig.Broker.SessionCount);
    }

    [Fact]
    public async Task Who_comes_back_and_finds_no_room_loses_nothing_of_what_waits()
    {
        using var rig = new GatewayRig(limits: new CoapLimits { MaxObservations = 1 });
        TestPeer peer = rig.Peer();
        peer.Get("ps/a?mode=queue&c=press7", Register);
        rig.Publish("a", "1", qos: QoS.AtLeastOnce);
        // It does not acknowledge, and has ended for the server.
        await Deadline.AdvanceUntil(rig.Time, () => rig.Server.Resources.ObservationCount == 0, "the observer to be given up");
        TestPeer other = rig.Peer(port: 41_000);
        other.Get("ps/other", Register);
        while (peer.HasMail) peer.Expect();
        Assert.Null(peer.Get("ps/a?mode=queue&c=press7", Register).Number(OptionNumber.Observe));
        other.Get("ps/other", Deregister);
        Assert.NotNull(peer.Get("ps/a?mode=queue&c=press7", Register).Number(OptionNumber.Observe));
        Assert.Equal("1", await NextAsync(peer));
    }

    [Fact]
    public void Sessions_that_end_by_themselves_are_not_remembered_for_ever()
    {
        using var rig = new GatewayRig(limits: new CoapLimits { MaxObservations = 10_000, MaxPeers = 10_000, MaxPeersPerNetwork = 10_000 });
        for (int i = 0; i < 5_000; i++)
        {
            // One after the other gives up, and its session comes to its end.
            using var server = new CoapServer(
                rig.Broker, new AnonymousAuthenticator(rig.Rules), new CoapLimits(), rig.Door, rig.Time, rig.Clients, _ => { });
            string name = "press" + i.ToString(CultureInfo.InvariantCulture);
            var peer = new TestPeer((from, datagram) => server.Receive(from, datagram), rig.Peer(port: 1 + i).EndPoint);
            peer.Send(CoapCode.Get, "ps/a?mode=queue&c=" + name, Register);
            server.Close();
            string id = DurableObservations.IdOf(name, "a");
            Assert.NotEqual(KickOutcome.NotFound, rig.Broker.Kick(id, ReasonCode.AdministrativeAction, forget: true, publishWill: false));
        }

        Assert.Equal(0, rig.Broker.SessionCount);
        Assert.InRange(rig.Clients.Durables.Count, 0, 1_024);
    }

    private static Session? Session(GatewayRig rig, string filter) => rig.Broker.FindSession(DurableObservations.IdOf("press7", filter));

    private static async Task<string> NextAsync(TestPeer peer)
    {
        await peer.MailAsync();
        Answer told = peer.Expect();
        if (told.Type == CoapType.Confirmable) peer.Acknowledge(told);
        return told.Text;
    }
}
