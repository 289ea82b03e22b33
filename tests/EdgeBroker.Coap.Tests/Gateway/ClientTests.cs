using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Coap.Tests.Gateway;

/// <summary>CoAP clients as whoever looks after the broker sees them: listed, told of, owned and disconnected as clients of MQTT are.</summary>
public sealed class ClientTests : IDisposable
{
    private static readonly DoorSettings WithLogins = new("127.0.0.1:5683", AllowAnonymous: true, AllowQueryCredentials: true);
    private static readonly RequestOptions One = new RequestOptions().Carrying("1");
    private static readonly RequestOptions Register = new RequestOptions().With(OptionNumber.Observe, 0);

    private readonly GatewayRig _rig;
    private readonly BrokerView _view;

    public ClientTests()
    {
        _rig = new GatewayRig(authenticator: new AnyName(), door: WithLogins);
        _view = new BrokerView(_rig.Broker, new RecentRefusals(_rig.Time));
    }

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task A_client_is_a_row_that_says_what_it_does()
    {
        TestPeer peer = _rig.Peer();
        peer.Ask(CoapCode.Put, "ps/a?c=press7&u=anna", One);
        peer.Get("ps/in/b?c=press7&u=anna", Register);
        _rig.Publish("in/b", "2");
        await peer.MailAsync();
        peer.Acknowledge(peer.Expect());
        SessionSummary row = Assert.Single(_view.Sessions(SessionFilter.All, null, 10).Items);
        Assert.Equal(("$coap/press7", SessionSummary.Connected, "anna"), (row.ClientId, row.State, row.User));
        Assert.Equal(("coap", "udp", "127.0.0.1:40000", "127.0.0.1:5683"), (row.Protocol, row.Transport, row.Address, row.Listener));
        Assert.Equal((1, 0, 0), (row.SubscriptionsCount, row.InflightCount, row.QueueMessages));
        Assert.Equal((1, 1), (row.Traffic!.MessagesReceived, row.Traffic.MessagesSent));
        Assert.True(row.Traffic.BytesReceived > 0 && row.Traffic.BytesSent > 0);
        SessionDetail detail = _view.Session("press7")!;
        Assert.Equal(("in/b", 1), (Assert.Single(detail.Subscriptions).Filter, detail.Subscriptions[0].Qos));
    }

    [Fact]
    public void Filters_pages_and_top_lists_know_clients_and_sessions_alike()
    {
        using var mqtt = new BrokerClient(_rig.Broker, "mqtt");
        TestPeer[] peers = [.. Enumerable.Range(0, 5).Select(i => _rig.Peer(40_000 + i))];
        for (int i = 0; i < peers.Length; i++) peers[i].Ask(CoapCode.Put, $"ps/a?c=c{i}&u={(i < 3 ? "anna" : "bert")}", One);
        Assert.Equal(3, _view.Sessions(new SessionFilter { User = "anna" }, null, 10).Total);
        Assert.Equal(5, _view.Sessions(new SessionFilter { Protocol = "coap" }, null, 10).Total);
        Assert.Equal(0, _view.Sessions(new SessionFilter { IsConnected = false }, null, 10).Total);
        Assert.Equal(["$coap/c4"], _view.Sessions(new SessionFilter { Text = "40004" }, null, 10).Items.Select(row => row.ClientId));
        var seen = new List<string>();
        for (string? after = null; ;)
        {
            Page<SessionSummary> page = _view.Sessions(SessionFilter.All, after, 2);
            seen.AddRange(page.Items.Select(row => row.ClientId));
            if ((after = page.Next) is null) break;
        }

        Assert.Equal(["$coap/c0", "$coap/c1", "$coap/c2", "$coap/c3", "$coap/c4", "mqtt"], seen);
        Assert.Equal(Enumerable.Reverse(seen), _view.SessionsDescending(SessionFilter.All, null, 10).Items.Select(row => row.ClientId));
        peers[2].Ask(CoapCode.Put, "ps/a?c=c2&u=anna", One);
        Assert.Equal("$coap/c2", _view.TopSessions(SessionFilter.All, row => row.Traffic?.MessagesReceived ?? 0, 1).Items[0].ClientId);
    }

    [Theory]
    [InlineData("press7")]
    [InlineData("$coap/press7")]
    public void Who_is_kicked_observes_no_more_and_is_told(string id)
    {
        TestPeer peer = _rig.Peer();
        peer.Get("ps/a?c=press7&u=anna", Register);
        Assert.Equal(KickOutcome.ChangedMeanwhile, _view.Kick(id, forget: false, connection: "0"));
        Assert.Equal(KickOutcome.Disconnected, _view.Kick(id, forget: false, connection: _view.Session(id)!.Summary.Connection));
        Assert.Equal(CoapCode.ServiceUnavailable, peer.Expect().Code);
        Assert.Equal((0, 0), (_rig.Broker.Subscriptions.Count, _rig.Server.Resources.Layer.PeerCount));
        Assert.Empty(_view.Sessions(SessionFilter.All, null, 10).Items);
        Assert.Equal(KickOutcome.NotFound, _view.Kick(id, forget: false));
        BrokerEvent end = Assert.Single(_rig.Events.All, one => one.Kind == BrokerEventKind.Disconnected);
        Assert.Equal(("$coap/press7", DisconnectedBy.Broker, ReasonCode.AdministrativeAction), (end.ClientId, end.By, end.Reason));
        // It may come back at once.
        Assert.Equal(CoapCode.Content, peer.Get("ps/a?c=press7&u=anna", Register with { Token = [3] }).Code);
    }

    [Fact]
    public void A_kick_of_a_session_leaves_the_client_of_its_name_alone()
    {
        using var mqtt = new BrokerClient(_rig.Broker, "press7", userName: "anna");
        _rig.Peer().Ask(CoapCode.Put, "ps/a?c=press7&u=anna", One);
        Assert.Equal(KickOutcome.Disconnected, _view.Kick("press7", forget: false));
        Assert.Equal("$coap/press7", _view.Session("$coap/press7")?.Summary.ClientId);
    }

    [Fact]
    public void A_client_id_is_one_users_be_it_by_MQTT_or_by_CoAP()
    {
        using var mqtt = new BrokerClient(_rig.Broker, "press7", userName: "anna");
        Assert.Equal(CoapCode.Unauthorized, _rig.Peer(40_001).Ask(CoapCode.Put, "ps/a?c=press7&u=bert", One).Code);
        Assert.Equal(CoapCode.Created, _rig.Peer(40_002).Ask(CoapCode.Put, "ps/a?c=press8&u=anna", One).Code);
        Assert.Equal(CoapCode.Unauthorized, _rig.Peer(40_003).Ask(CoapCode.Put, "ps/a?c=press8&u=bert", One).Code);
        Assert.Equal(2, _rig.Events.All.Count(one => one.Kind == BrokerEventKind.Refused && one.Text.Contains("another user", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_client_with_several_peers_is_one_and_leaves_with_the_last()
    {
        _rig.Peer(40_001).Ask(CoapCode.Put, "ps/a?c=press7&u=anna", One);
        _rig.Peer(40_002).Ask(CoapCode.Put, "ps/a?c=press7&u=anna", One);
        SessionSummary row = Assert.Single(_view.Sessions(SessionFilter.All, null, 10).Items);
        Assert.Equal(("127.0.0.1:40002", 2), (row.Address, row.Traffic!.MessagesReceived));
        Assert.Equal(1, _rig.Events.Count(BrokerEventKind.Connected, "$coap/press7"));
        _rig.Server.Close();
        Assert.Equal(1, _rig.Events.Count(BrokerEventKind.Disconnected, "$coap/press7"));
    }

    [Fact]
    public void Who_shows_itself_anew_does_not_seem_to_leave()
    {
        TestPeer peer = _rig.Peer();
        peer.Ask(CoapCode.Put, "ps/a?c=press7&u=anna", One);
        _rig.Server.Review();
        Assert.Single(_view.Sessions(SessionFilter.All, null, 10).Items);
        peer.Ask(CoapCode.Put, "ps/a?c=press7&u=anna", One);
        Assert.Equal((1, 0), (_rig.Events.Count(BrokerEventKind.Connected), _rig.Events.Count(BrokerEventKind.Disconnected)));
        Assert.Equal(2, _rig.Events.Count(BrokerEventKind.Authenticated));
    }

    [Fact]
    public void Who_proves_nothing_is_listed_and_not_told_of()
    {
        _rig.Peer().Ask(CoapCode.Put, "ps/a", One);
        Assert.Equal("$coap/coap-127.0.0.1:40000", Assert.Single(_view.Sessions(SessionFilter.All, null, 10).Items).ClientId);
        _rig.Server.Close();
        Assert.DoesNotContain(
            _rig.Events.All, one => one.Kind is BrokerEventKind.Connected or BrokerEventKind.Disconnected or BrokerEventKind.Authenticated);
    }

    [Fact]
    public void A_login_that_fails_is_told_with_the_name_that_was_tried()
    {
        _rig.Peer().Ask(CoapCode.Put, "ps/a?c=press7&u=nobody", One);
        BrokerEvent failed = Assert.Single(_rig.Events.All, one => one.Kind == BrokerEventKind.NotAuthenticated);
        Assert.Equal(("$coap/press7", ReasonCode.NotAuthorized), (failed.ClientId, failed.Reason));
        Assert.Empty(_view.Sessions(SessionFilter.All, null, 10).Items);
    }

    /// <summary>Lets everybody in but "nobody".</summary>
    private sealed class AnyName : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
            ValueTask.FromResult(request.UserName == "nobody"
                ? AuthenticationResult.Refused(ReasonCode.NotAuthorized, "nobody of that name")
                : AuthenticationResult.Admitted(request.UserName, Permissions.All));
    }
}
