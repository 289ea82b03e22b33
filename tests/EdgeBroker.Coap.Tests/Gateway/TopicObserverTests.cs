using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Tests.Gateway;

public sealed class TopicObserverTests : IDisposable
{
    private static readonly RequestOptions Register = new RequestOptions().With(OptionNumber.Observe, 0);
    private static readonly RequestOptions RegisterCbor = Register.With(OptionNumber.Accept, 60);

    private readonly GatewayRig _rig = new();
    private readonly TestPeer _peer;

    public TopicObserverTests() => _peer = _rig.Peer();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task An_observer_is_told_the_value_and_each_that_follows()
    {
        _rig.Publish("a/b", "1", retain: true);
        Answer first = _peer.Get("ps/a/b", Register);
        Assert.Equal((CoapCode.Content, "1"), (first.Code, first.Text));
        Assert.NotNull(first.Number(OptionNumber.Observe));
        _rig.Publish("a/b", "2");
        Answer told = await NextAsync();
        Assert.Equal((CoapType.Confirmable, "2"), (told.Type, told.Text));
        Assert.Equal(first.Token, told.Token);
    }

    [Fact]
    public async Task A_topic_without_a_value_can_be_observed()
    {
        Answer first = _peer.Get("ps/a", Register);
        Assert.Equal((CoapCode.Content, ""), (first.Code, first.Text));
        Assert.NotNull(first.Number(OptionNumber.Observe));
        _rig.Publish("a", "1");
        Assert.Equal("1", (await NextAsync()).Text);
    }

    [Fact]
    public async Task An_observer_that_is_slow_gets_the_newest()
    {
        _peer.Get("ps/a", Register);
        _rig.Publish("a", "1");
        await _peer.MailAsync();
        Answer first = _peer.Expect();
        for (int i = 2; i < 10; i++) _rig.Publish("a", $"{i}");
        _peer.Acknowledge(first);
        Assert.Equal("9", (await NextAsync()).Text);
        _peer.ExpectNothing();
    }

    [Fact]
    public async Task An_observer_of_a_queue_gets_every_message()
    {
        _peer.Get("ps/a?mode=queue", Register);
        for (int i = 1; i < 6; i++) _rig.Publish("a", $"{i}");
        for (int i = 1; i < 6; i++) Assert.Equal($"{i}", (await NextAsync()).Text);
        _peer.ExpectNothing();
    }

    [Fact]
    public async Task A_queue_holds_a_hundred_messages_and_drops_the_oldest()
    {
        _peer.Get("ps/a?mode=queue", Register);
        _rig.Publish("a", "first");
        await _peer.MailAsync();
        Answer first = _peer.Expect();
        for (int i = 0; i < 150; i++) _rig.Publish("a", $"{i}");
        _peer.Acknowledge(first);
        Assert.Equal("50", (await NextAsync()).Text);
        Assert.Equal(50, _rig.Events.All.Where(one => one.Kind == Testing.BrokerEventKind.Dropped).Count());
    }

    [Fact]
    public async Task Several_topics_come_with_their_names()
    {
        _rig.Publish("plant/1/t", "20", retain: true);
        Answer first = _peer.Get("ps/plant/+/t", RegisterCbor);
        Assert.Equal((CoapCode.Content, 60u), (first.Code, first.Number(OptionNumber.ContentFormat)));
        // {0: "plant/1/t", 1: '20', 3: true, 4: 0}
        Assert.Equal(Hex.Bytes("a4 00 69 706c616e742f312f74 01 42 3230 03 f5 04 00"), first.Payload);
        _peer.Ask(CoapCode.Put, "ps/plant/2/t", new RequestOptions().With(OptionNumber.ContentFormat, 50).Carrying("21"));
        Answer told = await NextAsync();
        Assert.Equal(
            Hex.Bytes("a5 00 69 706c616e742f322f74 01 42 3231 02 70 6170706c69636174696f6e2f6a736f6e 03 f5 04 01"), told.Payload);
    }

    [Fact]
    public void Several_topics_come_as_CBOR_only_and_to_observers_only()
    {
        Assert.Equal(CoapCode.NotAcceptable, _peer.Get("ps/#", Register).Code);
        Assert.Equal(CoapCode.BadRequest, _peer.Get("ps/#", new RequestOptions().With(OptionNumber.Accept, 60)).Code);
        Assert.Equal(CoapCode.BadRequest, _peer.Get("ps/#/a", RegisterCbor).Code);
        Assert.Equal(CoapCode.Content, _peer.Get("ps/#", RegisterCbor).Code);
    }

    [Theory]
    [InlineData("ps/a")]
    [InlineData("ps/+")]
    public async Task An_event_that_is_told_in_blocks_can_be_read_to_its_end(string path)
    {
        RequestOptions accepting = path.EndsWith('+') ? new RequestOptions().With(OptionNumber.Accept, 60) : new RequestOptions();
        _peer.Get(path, accepting.With(OptionNumber.Observe, 0));
        _rig.Publish("a", new string('x', 1_000) + "end");
        await _peer.MailAsync();
        Answer told = _peer.Expect();
        _peer.Acknowledge(told);
        Assert.Equal(new Block(0, true, 5), told.Block(OptionNumber.Block2));
        Answer rest = _peer.Get(path, (accepting with { Token = [9] }).With(OptionNumber.Block2, new Block(1, false, 5)));
        Assert.Equal((CoapCode.Content, null), (rest.Code, rest.Number(OptionNumber.Observe)));
        Assert.Equal(told.Find(OptionNumber.ETag), rest.Find(OptionNumber.ETag));
        Assert.Contains("xend", rest.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_longer_than_a_body_may_be_is_not_told()
    {
        string large = new('x', 65_537);
        _rig.Publish("a", large, retain: true);
        Assert.Equal(CoapCode.RequestEntityTooLarge, _peer.Get("ps/a").Code);
        Assert.Equal(CoapCode.RequestEntityTooLarge, _peer.Get("ps/a", new RequestOptions().With(OptionNumber.Observe, 0)).Code);
        _peer.Get("ps/+", new RequestOptions { Token = [1] }.With(OptionNumber.Observe, 0).With(OptionNumber.Accept, 60));
        _peer.Get("ps/b", new RequestOptions { Token = [2] }.With(OptionNumber.Observe, 0));
        _rig.Publish("c", large);
        _rig.Publish("b", large);
        await _peer.MailAsync();
        Answer end = _peer.Expect();
        Assert.Equal(CoapCode.RequestEntityTooLarge, end.Code);
        Assert.Equal([2], end.Token);
        _peer.Acknowledge(end);
        _rig.Publish("d", "1");
        await _peer.MailAsync();
        Assert.Equal([1], _peer.Expect().Token);
        Assert.Equal(1, _rig.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task A_value_that_is_deleted_ends_it()
    {
        _rig.Publish("a", "1", retain: true);
        _peer.Get("ps/a", Register);
        _rig.Peer(port: 2).Ask(CoapCode.Delete, "ps/a");
        Assert.Equal(CoapCode.NotFound, (await NextAsync()).Code);
        Assert.Equal(0, _rig.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task A_value_of_another_format_ends_it()
    {
        _peer.Ask(CoapCode.Put, "ps/a", new RequestOptions().With(OptionNumber.ContentFormat, 0).Carrying("1"));
        _peer.Get("ps/a", Register);
        _peer.Ask(CoapCode.Put, "ps/a", new RequestOptions().With(OptionNumber.ContentFormat, 50).Carrying("2"));
        Assert.Equal(CoapCode.NotAcceptable, (await NextAsync()).Code);
        Assert.Equal(0, _rig.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task Who_deregisters_hears_no_more_and_leaves_nothing()
    {
        _rig.Publish("a", "1", retain: true);
        _peer.Get("ps/a", Register);
        Assert.Equal("1", _peer.Get("ps/a", new RequestOptions().With(OptionNumber.Observe, 1)).Text);
        _rig.Publish("a", "2");
        await FenceAsync();
        _peer.ExpectNothing();
        // That of the fence.
        Assert.Equal(1, _rig.Broker.Subscriptions.Count);
    }

    [Fact]
    public async Task An_observer_that_names_itself_is_found_again_behind_another_port()
    {
        _peer.Get("ps/a?c=press7", Register);
        TestPeer moved = _rig.Peer(port: 2);
        moved.Get("ps/a?c=press7", Register);
        _rig.Publish("a", "1");
        await moved.MailAsync();
        Assert.Equal("1", moved.Expect().Text);
        _peer.ExpectNothing();
    }

    [Fact]
    public void Too_many_observers_read_instead()
    {
        using var rig = new GatewayRig(limits: new CoapLimits { MaxObservationsPerPeer = 1 });
        rig.Publish("a", "1", retain: true);
        TestPeer peer = rig.Peer();
        peer.Get("ps/a", Register);
        Answer second = peer.Get("ps/a", new RequestOptions { Token = [9] }.With(OptionNumber.Observe, 0));
        Assert.Equal((CoapCode.Content, "1", null), (second.Code, second.Text, second.Number(OptionNumber.Observe)));
        Assert.Equal(1, rig.Broker.Subscriptions.Count);
    }

    [Fact]
    public void When_the_broker_stops_observers_are_told()
    {
        _peer.Get("ps/a", Register);
        _rig.Server.Close();
        Answer last = _peer.Expect();
        Assert.Equal((CoapType.NonConfirmable, CoapCode.ServiceUnavailable), (last.Type, last.Code));
        Assert.Equal(0, _rig.Broker.Subscriptions.Count);
        _peer.Send(CoapCode.Get, "ps/a");
        _peer.ExpectNothing();
    }

    private async Task<Answer> NextAsync()
    {
        await _peer.MailAsync();
        Answer told = _peer.Expect();
        if (told.Type == CoapType.Confirmable) _peer.Acknowledge(told);
        return told;
    }

    /// <summary>Waits until another observer has been told of a later message.</summary>
    private async Task FenceAsync()
    {
        TestPeer other = _rig.Peer(port: 9);
        other.Get("ps/fence", Register);
        _rig.Publish("fence", "1");
        await other.MailAsync();
    }
}
