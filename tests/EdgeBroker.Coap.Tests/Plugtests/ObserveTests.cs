using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Tests.Plugtests;

/// <summary>OBS of the plugtests, and what else RFC 7641 asks.</summary>
public sealed class ObserveTests
{
    private static readonly RequestOptions Register = new RequestOptions().With(OptionNumber.Observe, 0);

    private readonly CoapRig _rig = new();
    private readonly TestPeer _peer;

    public ObserveTests() => _peer = _rig.Peer();

    [Fact]
    public void Obs_01_an_observer_is_told_by_CON()
    {
        Answer registered = _peer.Get("obs", Register);
        Assert.Equal("0", registered.Text);
        uint last = registered.Number(OptionNumber.Observe)!.Value;
        foreach (string state in new[] { "1", "2" })
        {
            _rig.Resources.Change(state);
            Answer told = _peer.Expect();
            Assert.Equal((CoapType.Confirmable, CoapCode.Content, state), (told.Type, told.Code, told.Text));
            Assert.Equal(registered.Token, told.Token);
            Assert.True(told.Number(OptionNumber.Observe) > last);
            last = told.Number(OptionNumber.Observe)!.Value;
            _peer.Acknowledge(told);
        }

        _peer.ExpectNothing();
    }

    [Fact]
    public void Obs_02_an_observer_is_told_by_NON_and_not_more_often_than_a_network_may_bear()
    {
        _peer.Get("obs-non", Register);
        _rig.Resources.Change("1");
        Assert.Equal((CoapType.NonConfirmable, "1"), Told());
        _rig.Resources.Change("2");
        _rig.Resources.Change("3");
        _peer.ExpectNothing();
        _rig.Advance(3);
        Assert.Equal((CoapType.NonConfirmable, "3"), Told());
        _rig.Advance(100);
        _peer.ExpectNothing();
    }

    [Fact]
    public void Obs_04_after_a_restart_a_client_registers_again()
    {
        _peer.Get("obs", Register);
        var restarted = new CoapRig();
        TestPeer peer = restarted.Peer();
        restarted.Resources.Change("1");
        peer.ExpectNothing();
        peer.Get("obs", Register);
        restarted.Resources.Change("2");
        Assert.Equal("2", peer.Expect().Text);
    }

    [Fact]
    public void Obs_05_a_client_that_is_gone_is_told_no_more()
    {
        _peer.Get("obs", Register);
        _rig.Resources.Change("1");
        _rig.Advance(100);
        for (int i = 0; i < 5; i++) Assert.Equal("1", _peer.Expect().Text);
        Assert.Equal(0, _rig.Server.ObservationCount);
        _rig.Resources.Change("2");
        _peer.ExpectNothing();
        Assert.Empty(_rig.Resources.Observers);
    }

    [Theory]
    [InlineData("obs")]
    [InlineData("obs-non")]
    public void Obs_06_a_reset_ends_it(string path)
    {
        _peer.Get(path, Register);
        _rig.Resources.Change("1");
        _peer.Reset(_peer.Expect());
        Assert.Equal(0, _rig.Server.ObservationCount);
        _rig.Resources.Change("2");
        _rig.Advance(100);
        _peer.ExpectNothing();
    }

    [Fact]
    public void Obs_07_a_resource_that_is_deleted_ends_it()
    {
        _peer.Get("obs", Register);
        _rig.Peer(port: 2).Ask(CoapCode.Delete, "obs");
        Answer told = _peer.Expect();
        Assert.Equal((CoapType.Confirmable, CoapCode.NotFound), (told.Type, told.Code));
        Assert.Null(told.Number(OptionNumber.Observe));
        _peer.Acknowledge(told);
        Assert.Equal(0, _rig.Server.ObservationCount);
    }

    [Fact]
    public void Obs_08_an_error_ends_it_and_is_sent_until_it_is_acknowledged()
    {
        _peer.Get("obs", Register);
        _peer.ToPeer(Fate.Drop);
        _rig.Resources.Change(new CoapResponse(CoapCode.NotAcceptable));
        _peer.ExpectNothing();
        _rig.Advance(3);
        Answer told = _peer.Expect();
        Assert.Equal(CoapCode.NotAcceptable, told.Code);
        _peer.Acknowledge(told);
    }

    [Fact]
    public void Obs_09_a_PUT_is_told_to_observers()
    {
        _peer.Get("obs", Register);
        _rig.Peer(port: 2).Ask(CoapCode.Put, "obs", new RequestOptions().Carrying("new"));
        Assert.Equal("new", _peer.Expect().Text);
    }

    [Fact]
    public void Obs_10_a_GET_with_another_token_ends_nothing()
    {
        _peer.Get("obs", Register);
        _peer.Get("obs", new RequestOptions { Token = [9] });
        _peer.Get("obs", new RequestOptions { Token = [9] }.With(OptionNumber.Observe, 1));
        Assert.Equal(1, _rig.Server.ObservationCount);
    }

    [Fact]
    public void Obs_11_a_client_has_one_notification_outstanding_and_then_gets_the_newest()
    {
        _peer.Get("obs", Register);
        _rig.Resources.Change("1");
        Answer first = _peer.Expect();
        _rig.Resources.Change("2");
        _rig.Resources.Change("3");
        _peer.ExpectNothing();
        _peer.Acknowledge(first);
        Answer second = _peer.Expect();
        Assert.Equal("3", second.Text);
        _peer.Acknowledge(second);
        _peer.ExpectNothing();
    }

    [Fact]
    public void Obs_12_Observe_1_ends_it()
    {
        _peer.Get("obs", Register);
        Answer answer = _peer.Get("obs", new RequestOptions().With(OptionNumber.Observe, 1));
        Assert.Equal((CoapCode.Content, null), (answer.Code, answer.Number(OptionNumber.Observe)));
        _rig.Resources.Change("1");
        _peer.ExpectNothing();
        Assert.Equal(0, _rig.Server.ObservationCount);
    }

    [Fact]
    public void Obs_13_a_large_notification_comes_in_blocks()
    {
        _peer.Get("obs", Register);
        string large = new('x', 700);
        _rig.Resources.Change(large);
        Answer told = _peer.Expect();
        Assert.Equal(new Block(0, true, 5), told.Block(OptionNumber.Block2));
        _peer.Acknowledge(told);
        Answer rest = _peer.Get("obs", new RequestOptions { Token = [7] }.With(OptionNumber.Block2, new Block(1, false, 5)));
        Assert.Equal(large, told.Text + rest.Text);
        Assert.Equal(told.Find(OptionNumber.ETag), rest.Find(OptionNumber.ETag));
    }

    [Fact]
    public void The_same_token_again_is_the_same_observation()
    {
        _peer.Get("obs", Register);
        _peer.Get("obs", Register);
        Assert.Equal(1, _rig.Server.ObservationCount);
        _rig.Resources.Change("1");
        _peer.Acknowledge(_peer.Expect());
        _peer.ExpectNothing();
    }

    [Fact]
    public void The_same_identity_from_another_port_has_moved()
    {
        _peer.Get("obs?c=press7", Register);
        TestPeer moved = _rig.Peer(port: 2);
        moved.Get("obs?c=press7", Register);
        _rig.Resources.Change("1");
        _peer.ExpectNothing();
        Assert.Equal("1", moved.Expect().Text);
        Assert.Equal(1, _rig.Server.ObservationCount);
    }

    [Fact]
    public void Too_many_observers_get_what_there_is_and_no_more()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxObservationsPerPeer = 2, MaxObservations = 3 });
        TestPeer first = rig.Peer(port: 1);
        TestPeer second = rig.Peer(port: 2);
        Assert.Equal([true, true, false], Enumerable.Range(1, 3).Select(i => IsObserving(first, (byte)i)));
        Assert.Equal([true, false], Enumerable.Range(1, 2).Select(i => IsObserving(second, (byte)i)));
        Assert.Equal(3, rig.Server.ObservationCount);
    }

    [Fact]
    public void An_observer_that_is_told_nothing_is_asked_whether_it_is_there()
    {
        _peer.Get("obs", Register);
        _rig.Advance(3_599);
        _peer.ExpectNothing();
        _rig.Advance(10);
        Answer ping = _peer.Expect();
        Assert.Equal((CoapType.Confirmable, CoapCode.Empty), (ping.Type, ping.Code));
        _peer.Reset(ping);
        Assert.Equal(1, _rig.Server.ObservationCount);
        _rig.Advance(3_720);
        Assert.True(_peer.HasMail);
        Assert.Equal(0, _rig.Server.ObservationCount);
    }

    [Fact]
    public void An_observer_by_NON_must_acknowledge_now_and_then()
    {
        _peer.Get("obs-non", Register);
        var types = new List<CoapType>();
        for (int i = 0; i < 80; i++)
        {
            _rig.Resources.Change($"{i}");
            (CoapType type, _) = Told(out Answer told);
            types.Add(type);
            if (type == CoapType.Confirmable) _peer.Acknowledge(told);
            _rig.Advance(60);
        }

        Assert.InRange(types.Count(type => type == CoapType.Confirmable), 1, 2);
        Assert.Equal(1, _rig.Server.ObservationCount);
    }

    [Fact]
    public void A_lost_notification_comes_again()
    {
        _peer.Get("obs", Register);
        _peer.ToPeer(Fate.Drop, Fate.Duplicate);
        _rig.Resources.Change("1");
        _rig.Advance(3);
        Answer told = _peer.Expect();
        Assert.Equal(told.MessageId, _peer.Expect().MessageId);
        _peer.Acknowledge(told);
        _rig.Advance(100);
        _peer.ExpectNothing();
    }

    [Fact]
    public void Who_registers_from_an_address_that_may_be_false_observes_once_it_has_echoed()
    {
        _rig.Resources.Change(new string('x', 300));
        TestPeer peer = _rig.Peer(address: "192.0.2.1");
        Answer challenge = peer.Get("obs", Register);
        Assert.Equal((CoapCode.Unauthorized, 0), (challenge.Code, _rig.Server.ObservationCount));
        Answer registered = peer.Get("obs", Register.With(OptionNumber.Echo, challenge.Find(OptionNumber.Echo)!));
        Assert.Equal((CoapCode.Content, 1), (registered.Code, _rig.Server.ObservationCount));
    }

    [Fact]
    public void Half_of_all_places_are_for_observers_that_are_there()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxObservations = 4 });
        Assert.Equal([true, true, false], Enumerable.Range(1, 3).Select(port => IsObserving(rig.Peer(port, "192.0.2.1"), 1)));
        TestPeer proved = rig.Peer(4, "192.0.2.1");
        byte[] echo = proved.Get("obs", Register).Find(OptionNumber.Echo)!;
        Assert.NotNull(proved.Get("obs", Register.With(OptionNumber.Echo, echo)).Number(OptionNumber.Observe));
        Assert.True(IsObserving(rig.Peer(5), 1));
        Assert.Equal(4, rig.Server.ObservationCount);
    }

    private static bool IsObserving(TestPeer peer, byte token) =>
        peer.Get("obs", new RequestOptions { Token = [token] }.With(OptionNumber.Observe, 0)).Number(OptionNumber.Observe) is not null;

    private (CoapType Type, string Text) Told() => Told(out _);

    private (CoapType Type, string Text) Told(out Answer told)
    {
        told = _peer.Expect();
        return (told.Type, told.Text);
    }
}
