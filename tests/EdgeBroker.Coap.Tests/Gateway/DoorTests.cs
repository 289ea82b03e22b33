using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Coap.Tests.Gateway;

/// <summary>Who is let in, and what rules say to him.</summary>
public sealed class DoorTests
{
    private static readonly DoorSettings Closed = new("127.0.0.1:5683", AllowAnonymous: false, AllowQueryCredentials: true);
    private static readonly RequestOptions One = new RequestOptions().Carrying("1");
    private static readonly RequestOptions Register = new RequestOptions().With(OptionNumber.Observe, 0);

    [Fact]
    public void Rules_say_what_a_peer_may_publish_read_and_observe()
    {
        using var rig = new GatewayRig();
        AclRule[] rules =
        [
            Allow(AccessActions.Publish | AccessActions.Retain, "in/#"), Allow(AccessActions.Subscribe, "out/#"), Allow(AccessActions.Subscribe, "own/%c"),
        ];
        rig.Rules.Current = new AclRuleSet(rules, []);
        rig.Publish("in/a", "1", retain: true);
        rig.Publish("out/a", "1", retain: true);
        TestPeer peer = rig.Peer();
        Assert.Equal(CoapCode.Changed, peer.Ask(CoapCode.Put, "ps/in/a", One).Code);
        Assert.Equal(CoapCode.Forbidden, peer.Ask(CoapCode.Put, "ps/out/a", One).Code);
        Assert.Equal(CoapCode.Forbidden, peer.Ask(CoapCode.Delete, "ps/out/a").Code);
        Assert.Equal(CoapCode.Forbidden, peer.Get("ps/in/a").Code);
        Assert.Equal(CoapCode.Forbidden, peer.Get("ps/in/a", Register).Code);
        Assert.Equal(CoapCode.Content, peer.Get("ps/out/a").Code);
        Assert.Equal(CoapCode.Content, peer.Get("ps/out/a", Register).Code);
        Assert.Equal(CoapCode.NotFound, peer.Get("ps/own/press7?c=press7").Code);
        Assert.Equal(CoapCode.Forbidden, peer.Get("ps/own/press7?c=press8").Code);
        Assert.Equal(2, rig.Events.All.Count(one => one.Kind == BrokerEventKind.PublishRefused));
        Assert.Equal(3, rig.Events.All.Count(one => one.Kind == BrokerEventKind.Subscribed && one.Reason.IsError()));
    }

    [Fact]
    public async Task A_peer_without_credentials_is_refused_where_they_are_needed_and_the_broker_says_why()
    {
        using var rig = new GatewayRig(authenticator: new Users(), door: Closed);
        TestPeer peer = rig.Peer();
        Assert.Equal(CoapCode.Unauthorized, peer.Get("ps/a").Code);
        BrokerEvent refused = await rig.Events.WaitForAsync(one => one.Kind == BrokerEventKind.Refused, "the refusal");
        Assert.Contains("nobody", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_in_a_query_are_looked_at_once()
    {
        var users = new Users { IsSlow = true };
        using var rig = new GatewayRig(authenticator: users, door: Closed);
        TestPeer peer = rig.Peer();
        Assert.Equal(CoapCode.Created, await AskAsync(peer, "ps/a?u=anna&p=right"));
        Assert.Equal(CoapCode.Changed, peer.Ask(CoapCode.Put, "ps/a?u=anna&p=right", One).Code);
        Assert.Equal(1, users.Asked);
        Assert.Equal(CoapCode.Unauthorized, await AskAsync(peer, "ps/a?u=anna&p=wrong"));
        Assert.Equal(CoapCode.Unauthorized, await AskAsync(peer, "ps/a"));
        Assert.Equal(3, users.Asked);
    }

    [Fact]
    public void Credentials_in_a_query_are_refused_unless_they_are_allowed()
    {
        var users = new Users();
        using var rig = new GatewayRig(authenticator: users, door: Closed with { AllowQueryCredentials = false });
        Assert.Equal(CoapCode.Unauthorized, rig.Peer().Get("ps/a?u=anna&p=right").Code);
        Assert.Equal(0, users.Asked);
    }

    [Fact]
    public async Task A_login_that_has_to_wait_is_looked_at_later()
    {
        using var rig = new GatewayRig(authenticator: new Users { WaitsFirst = TimeSpan.FromSeconds(2) }, door: Closed);
        TestPeer peer = rig.Peer();
        peer.Send(CoapCode.Put, "ps/a?u=anna&p=right", One);
        await Deadline.AdvanceUntil(rig.Time, () => rig.Broker.FindRetained("a"u8) is not null, "the value");
        await peer.MailAsync();
        Assert.Equal((CoapType.Acknowledgement, CoapCode.Empty), Kind(peer.Expect()));
        await peer.MailAsync();
        Assert.Equal((CoapType.Confirmable, CoapCode.Created), Kind(peer.Expect()));
    }

    [Fact]
    public async Task Rules_that_change_end_what_they_do_not_permit_and_leave_the_rest()
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        peer.Get("ps/a", new RequestOptions { Token = [1] }.With(OptionNumber.Observe, 0));
        peer.Get("ps/b", new RequestOptions { Token = [2] }.With(OptionNumber.Observe, 0));
        rig.Rules.Current = new AclRuleSet([Allow(AccessActions.Subscribe, "b")], []);
        rig.Server.Review();
        Answer ended = peer.Expect();
        Assert.Equal(CoapCode.Forbidden, ended.Code);
        Assert.Equal([1], ended.Token);
        peer.Acknowledge(ended);
        rig.Publish("b", "1");
        await peer.MailAsync();
        Assert.Equal("1", peer.Expect().Text);
        Assert.Equal(CoapCode.Forbidden, peer.Ask(CoapCode.Put, "ps/c", One).Code);
    }

    [Fact]
    public void Who_is_not_let_in_any_more_observes_no_more()
    {
        using var rig = new GatewayRig();
        TestPeer peer = rig.Peer();
        peer.Get("ps/a", Register);
        rig.Door.Current = rig.Door.Current with { AllowAnonymous = false };
        Assert.Equal(1, rig.Server.Review());
        Assert.Equal(CoapCode.Unauthorized, peer.Expect().Code);
        Assert.Equal(CoapCode.Unauthorized, peer.Get("ps/a").Code);
        Assert.Equal(0, rig.Broker.Subscriptions.Count);
    }

    private static (CoapType Type, CoapCode Code) Kind(Answer answer) => (answer.Type, answer.Code);

    private static AclRule Allow(AccessActions actions, string topic) =>
        new() { Source = "broker.toml:1", Allows = true, Actions = actions, Topics = [new AclPattern(topic)] };

    private static async Task<CoapCode> AskAsync(TestPeer peer, string path)
    {
        peer.Send(CoapCode.Put, path, One);
        await peer.MailAsync();
        return peer.Expect().Code;
    }

    /// <summary>Knows Anna.</summary>
    private sealed class Users : IAuthenticator
    {
        public bool IsSlow { get; init; }

        public TimeSpan? WaitsFirst { get; init; }

        public int Asked { get; private set; }

        public async ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
        {
            Asked++;
            if (IsSlow) await Task.Yield();
            AuthenticationResult verdict = request is { UserName: "anna", Password: { } password } && password.AsSpan().SequenceEqual("right"u8)
                ? AuthenticationResult.Admitted("anna", Permissions.All)
                : AuthenticationResult.Refused(ReasonCode.NotAuthorized, "nobody of that name and password");
            return WaitsFirst is { } wait ? AuthenticationResult.Later(wait, new Next(verdict)) : verdict;
        }

        private sealed class Next(AuthenticationResult verdict) : IAuthenticationExchange
        {
            public ValueTask<AuthenticationResult> ContinueAsync(byte[] data, CancellationToken cancellation) => ValueTask.FromResult(verdict);
        }
    }
}
