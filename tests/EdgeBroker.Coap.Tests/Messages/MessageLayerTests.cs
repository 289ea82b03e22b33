using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Tests.Messages;

public sealed class MessageLayerTests
{
    private readonly CoapRig _rig = new();

    private CoapCounters Counters => _rig.Server.Layer.Counters;

    [Theory]
    [InlineData("40 01 12 34 f0")]
    [InlineData("49 01 12 34 010203040506070809")]
    [InlineData("40 21 12 34")]
    [InlineData("41 00 12 34 01")]
    [InlineData("40 45 12 34")]
    public void A_CON_that_means_nothing_here_is_reset(string datagram)
    {
        TestPeer peer = _rig.Peer();
        peer.Send(datagram);
        peer.ExpectEmpty(CoapType.Reset, 0x1234);
    }

    [Theory]
    [InlineData("50 01 12 34 f0")]
    [InlineData("50 45 12 34")]
    [InlineData("50 00 12 34")]
    [InlineData("60 01 12 34")]
    [InlineData("70 01 12 34")]
    [InlineData("60 00 12 34")]
    [InlineData("80 01 12 34")]
    [InlineData("40 01")]
    public void What_is_no_CON_and_means_nothing_is_ignored(string datagram)
    {
        TestPeer peer = _rig.Peer();
        peer.Send(datagram);
        peer.ExpectNothing();
        Assert.Equal(0, _rig.Server.Layer.PeerCount);
    }

    [Fact]
    public void A_duplicate_is_answered_with_the_same_bytes_and_not_carried_out_for_as_long_as_it_may_be_under_way()
    {
        TestPeer peer = _rig.Peer();
        byte[] request = peer.Send(CoapCode.Post, "test");
        Answer first = peer.Expect();
        _rig.Advance(246);
        peer.Send(request);
        Assert.Equal(first.MessageId, peer.Expect().MessageId);
        Assert.Equal((1, 1), (_rig.Resources.Executed, Counters.Duplicates));
        _rig.Advance(2);
        peer.Send(request);
        peer.Expect();
        Assert.Equal(2, _rig.Resources.Executed);
    }

    [Fact]
    public void A_duplicate_NON_is_ignored_for_145_seconds()
    {
        TestPeer peer = _rig.Peer();
        byte[] request = peer.Send(CoapCode.Post, "test", RequestOptions.Non);
        peer.Expect();
        _rig.Advance(144);
        peer.Send(request);
        peer.ExpectNothing();
        _rig.Advance(2);
        peer.Send(request);
        peer.Expect();
        Assert.Equal(2, _rig.Resources.Executed);
    }

    [Fact]
    public void The_same_message_id_from_elsewhere_is_another_request()
    {
        byte[] request = _rig.Peer().Send(CoapCode.Post, "test");
        TestPeer other = _rig.Peer(port: 40_001);
        other.Send(request);
        other.Expect();
        Assert.Equal(2, _rig.Resources.Executed);
    }

    [Fact]
    public void A_link_that_duplicates_and_reorders_has_nothing_carried_out_twice()
    {
        TestPeer peer = _rig.Peer();
        peer.ToServer(Fate.Delay, Fate.Duplicate, Fate.Duplicate, Fate.Delay, Fate.Deliver);
        var sent = Enumerable.Range(0, 5).Select(_ => peer.Send(CoapCode.Post, "test")).ToList();
        sent.ForEach(peer.Send);
        for (int i = 0; i < 12; i++) Assert.Equal(CoapCode.Changed, peer.Expect().Code);
        peer.ExpectNothing();
        Assert.Equal(5, _rig.Resources.Executed);
    }

    [Fact]
    public void A_CON_that_nobody_acknowledges_is_sent_five_times_further_and_further_apart()
    {
        TestPeer peer = _rig.Peer();
        peer.Send(CoapCode.Get, "separate");
        _rig.Advance(1);
        peer.Expect();
        peer.Expect();
        double last = _rig.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var gaps = new List<double>();
        while (gaps.Count < 4)
        {
            _rig.Advance(0.01);
            if (peer.Received + 1 > gaps.Count + 2 && peer.HasMail)
            {
                peer.Expect();
                double now = _rig.Time.GetUtcNow().ToUnixTimeMilliseconds();
                gaps.Add(now - last);
                last = now;
            }
        }

        Assert.InRange(gaps[0], 2_000, 3_010);
        for (int i = 1; i < 4; i++) Assert.InRange(gaps[i], (gaps[0] * (1 << i)) - 100, (gaps[0] * (1 << i)) + 100);
        _rig.Advance(100);
        peer.ExpectNothing();
        Assert.Equal((4, 1), (Counters.Retransmissions, Counters.TimedOut));
    }

    [Fact]
    public void A_CON_behind_one_that_was_sent_for_long_is_sent_again_as_soon_as_any()
    {
        TestPeer peer = _rig.Peer();
        peer.Send(CoapCode.Get, "separate");
        _rig.Advance(1);
        peer.Expect();
        peer.Expect();
        // Two of them later: the next time-out is eight seconds away, or more.
        Answer again = null!;
        for (int i = 0; i < 2; i++)
        {
            while (!peer.HasMail) _rig.Advance(0.1);
            again = peer.Expect();
        }

        peer.Acknowledge(again);
        peer.Send(CoapCode.Get, "separate");
        _rig.Advance(1);
        peer.Expect();
        Answer next = peer.Expect();
        _rig.Advance(3.1);
        Assert.Equal(next.MessageId, peer.Expect().MessageId);
    }

    [Fact]
    public void A_peer_has_one_CON_in_flight()
    {
        TestPeer peer = _rig.Peer();
        peer.Send(CoapCode.Get, "separate", new RequestOptions { Token = [1] });
        peer.Send(CoapCode.Get, "separate", new RequestOptions { Token = [2] });
        _rig.Advance(1);
        peer.Expect();
        peer.Expect();
        Answer first = peer.Expect();
        peer.ExpectNothing();
        peer.Acknowledge(first);
        Answer second = peer.Expect();
        Assert.Equal([1], first.Token);
        Assert.Equal([2], second.Token);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, false)]
    [InlineData(8, true)]
    [InlineData(26, false)]
    public void A_response_that_is_not_wanted_is_not_sent(byte unwanted, bool isSent)
    {
        TestPeer peer = _rig.Peer();
        peer.Send(CoapCode.Get, "test", RequestOptions.Non.With(OptionNumber.NoResponse, unwanted));
        Assert.Equal(isSent, peer.HasMail);
    }

    [Fact]
    public void A_CON_whose_response_is_not_wanted_is_acknowledged()
    {
        TestPeer peer = _rig.Peer();
        byte[] request = peer.Send(CoapCode.Put, "test", new RequestOptions { MessageId = 9 }.With(OptionNumber.NoResponse, 2));
        peer.ExpectEmpty(CoapType.Acknowledgement, 9);
        peer.Send(request);
        peer.ExpectEmpty(CoapType.Acknowledgement, 9);
        Assert.Equal(1, _rig.Resources.Executed);
    }

    [Fact]
    public void Who_asks_too_much_is_told_when_to_come_again()
    {
        TestPeer peer = _rig.Peer();
        for (int i = 0; i < 50; i++) Assert.Equal(CoapCode.Content, peer.Get("test").Code);
        Answer refused = peer.Get("test");
        Assert.Equal((CoapCode.TooManyRequests, 1u), (refused.Code, refused.Number(OptionNumber.MaxAge)));
        Assert.Equal(CoapCode.Content, _rig.Peer(port: 40_001).Get("test").Code);
        _rig.Advance(1);
        Assert.Equal(CoapCode.Content, peer.Get("test").Code);
        Assert.Equal(1, Counters.RateLimited);
    }

    [Fact]
    public void Sixty_four_exchanges_of_a_peer_are_remembered()
    {
        TestPeer peer = _rig.Peer();
        var sent = new List<byte[]>();
        for (int i = 0; i < 65; i++)
        {
            sent.Add(peer.Send(CoapCode.Post, "test"));
            peer.Expect();
            _rig.Advance(0.1);
        }

        peer.Send(sent[1]);
        peer.Expect();
        Assert.Equal(65, _rig.Resources.Executed);
        peer.Send(sent[0]);
        peer.Expect();
        Assert.Equal(66, _rig.Resources.Executed);
    }

    [Fact]
    public void Peers_that_have_nothing_open_make_room_and_others_do_not()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxPeers = 2 });
        TestPeer observer = rig.Peer(port: 1);
        observer.Get("obs", new RequestOptions().With(OptionNumber.Observe, 0));
        TestPeer idle = rig.Peer(port: 2);
        idle.Get("test");
        TestPeer next = rig.Peer(port: 3);
        next.Get("obs", new RequestOptions().With(OptionNumber.Observe, 0));
        TestPeer refused = rig.Peer(port: 4);
        Answer answer = refused.Get("test");
        Assert.Equal(CoapCode.ServiceUnavailable, answer.Code);
        Assert.NotNull(answer.Number(OptionNumber.MaxAge));
        Assert.Equal((2, 1), (rig.Server.Layer.PeerCount, rig.Server.Layer.Counters.PeersRefused));
    }

    [Fact]
    public void Observers_that_are_told_nothing_keep_no_newcomer_out()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxPeers = 30 });
        foreach (int port in Enumerable.Range(1, 20)) rig.Peer(port).Get("obs", new RequestOptions().With(OptionNumber.Observe, 0));
        foreach (int port in Enumerable.Range(100, 50)) Assert.Equal(CoapCode.Content, rig.Peer(port).Get("test").Code);
        Assert.Equal((20, 30), (rig.Server.ObservationCount, rig.Server.Layer.PeerCount));
    }

    [Fact]
    public void Addresses_that_observe_and_may_be_made_up_make_room()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxPeers = 2, MaxObservations = 100 });
        TestPeer real = rig.Peer(1, "192.0.2.1");
        real.Get("obs", new RequestOptions().With(OptionNumber.Observe, 0));
        rig.Peer(2, "192.0.2.1").Get("obs", new RequestOptions().With(OptionNumber.Observe, 0));
        rig.Resources.Change("1");
        real.Acknowledge(real.Expect());
        foreach (int port in Enumerable.Range(100, 5)) Assert.Equal(CoapCode.Content, rig.Peer(port).Get("test").Code);
        Assert.Equal((1, 2), (rig.Server.ObservationCount, rig.Server.Layer.PeerCount));
        rig.Resources.Change("2");
        Assert.Equal("2", real.Expect().Text);
    }

    [Fact]
    public void A_peer_that_is_silent_for_long_is_forgotten_and_with_it_all_it_holds()
    {
        TestPeer peer = _rig.Peer();
        peer.Get("large");
        Assert.True(_rig.Server.MemoryBytes > 0);
        _rig.Advance(606);
        Assert.Equal((0, 0L), (_rig.Server.Layer.PeerCount, _rig.Server.MemoryBytes));
    }

    [Fact]
    public void An_address_nobody_was_heard_from_gets_little_until_it_has_echoed()
    {
        TestPeer peer = _rig.Peer(address: "192.0.2.1");
        Assert.Equal("answer", peer.Get("test").Text);
        Answer challenge = peer.Get("large");
        Assert.Equal(CoapCode.Unauthorized, challenge.Code);
        byte[] echo = challenge.Find(OptionNumber.Echo)!;
        Assert.True(challenge.Length <= 136);
        Assert.Equal(CoapCode.Unauthorized, peer.Get("large", new RequestOptions().With(OptionNumber.Echo, [1, 2, 3])).Code);
        TestPeer thief = _rig.Peer(address: "192.0.2.2");
        Assert.Equal(CoapCode.Unauthorized, thief.Get("large", new RequestOptions().With(OptionNumber.Echo, echo)).Code);
        Assert.Equal(CoapCode.Content, peer.Get("large", new RequestOptions().With(OptionNumber.Echo, echo)).Code);
        Assert.Equal(CoapCode.Content, peer.Get("large").Code);
    }

    [Fact]
    public void An_echo_is_good_for_as_long_as_it_may_be_under_way()
    {
        TestPeer peer = _rig.Peer(address: "192.0.2.1");
        byte[] echo = peer.Get("large").Find(OptionNumber.Echo)!;
        _rig.Advance(250);
        Assert.Equal(CoapCode.Unauthorized, peer.Get("large", new RequestOptions().With(OptionNumber.Echo, echo)).Code);
    }

    [Fact]
    public void Nothing_an_unverified_peer_sends_brings_more_than_136_bytes_at_once()
    {
        TestPeer peer = _rig.Peer(address: "192.0.2.1");
        _rig.Resources.Change("short");
        Answer observing = peer.Get("obs", new RequestOptions().With(OptionNumber.Observe, 0));
        Assert.Equal(CoapCode.Content, observing.Code);
        _rig.Resources.Change(new string('x', 500));
        Answer told = peer.Expect();
        Assert.True(told.Length <= 136, $"{told.Length} bytes");
        Assert.True(told.Block(OptionNumber.Block2)!.Value.More);
    }

    [Fact]
    public void A_bug_of_a_resource_costs_its_request()
    {
        TestPeer peer = _rig.Peer();
        Assert.Equal(CoapCode.InternalServerError, peer.Get("fault").Code);
        Assert.Single(_rig.Faults);
        Assert.Equal(CoapCode.Content, peer.Get("test").Code);
    }

    [Fact]
    public void Replies_kept_for_duplicates_are_bounded_and_a_GET_beyond_is_carried_out_again()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxKeptResponseBytes = 1_000 });
        TestPeer peer = rig.Peer();
        for (int i = 0; i < 40; i++) peer.Get("large");
        Assert.InRange(rig.Server.MemoryBytes, 1, 1_000 + 850 + (64 * 250));
        byte[] again = peer.Send(CoapCode.Get, "large");
        Answer first = peer.Expect();
        peer.Send(again);
        Answer second = peer.Expect();
        Assert.Equal((first.Code, first.MessageId, first.Text), (second.Code, second.MessageId, second.Text));
    }

    [Theory]
    [InlineData(0xFFFF, "4.02")]
    [InlineData(0xFFFE, "2.05")]
    [InlineData(35, "5.05")]
    [InlineData(39, "5.05")]
    [InlineData(8, "2.05")]
    public void An_unknown_option_is_refused_if_it_is_critical(int number, string code) =>
        Assert.Equal(code, _rig.Peer().Get("test", new RequestOptions().With(number, [1])).Code.ToString());

    [Fact]
    public void An_option_that_may_stand_once_is_refused_the_second_time_if_it_is_critical()
    {
        TestPeer peer = _rig.Peer();
        RequestOptions twice = new RequestOptions().With(OptionNumber.Accept, 0).With(OptionNumber.Accept, 0);
        Assert.Equal(CoapCode.BadOption, peer.Get("test", twice).Code);
        RequestOptions elective = new RequestOptions().With(OptionNumber.ContentFormat, 0).With(OptionNumber.ContentFormat, 1);
        Assert.Equal(CoapCode.Content, peer.Get("test", elective).Code);
    }

    [Fact]
    public void A_path_that_is_no_text_and_one_that_leads_nowhere()
    {
        TestPeer peer = _rig.Peer();
        Assert.Equal(CoapCode.BadRequest, peer.Get("", new RequestOptions().With(OptionNumber.UriPath, [0xC3, 0x28])).Code);
        Assert.Equal(CoapCode.NotFound, peer.Get("nowhere").Code);
        Assert.Equal(CoapCode.MethodNotAllowed, peer.Ask(CoapCode.Of(0, 9), "test").Code);
    }
}
