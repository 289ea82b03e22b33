using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary><c>mqtt.wide_subscriptions = "filter"</c>: a client that subscribes to more than it may receive gets what it may.</summary>
public sealed class WideSubscriptionTests : IAsyncDisposable
{
    private readonly RuleBook _rules = new();
    private readonly TestBroker _broker;

    public WideSubscriptionTests()
    {
        _rules.Use(Rule(false, "secret/#"), Rule(true, "open/#"));
        _broker = new TestBroker(
            new TestBrokerOptions { Authenticator = _rules, Mqtt = TestBrokerOptions.Quiet with { FiltersWideSubscriptions = true } });
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task Messages_are_judged_one_by_one(ProtocolVersion version)
    {
        TestClient client = await _broker.ConnectAsync("c", version);
        await client.SubscribeAsync("#", options: 2);
        TestClient publisher = await _broker.ConnectAsync("publisher");
        // Of one receive, as one batch.
        Packets packets = publisher.Packets;
        await publisher.SendAsync([.. packets.Publish("open/a", "1"), .. packets.Publish("secret/a", "no"), .. packets.Publish("open/a", "2")]);
        await publisher.PublishAsync("secret/a", "no", qos: 1);
        await publisher.PublishAsync("elsewhere", "no", qos: 2);
        await publisher.PublishAsync("open/b", "3", qos: 1);
        await client.ExpectPublishAsync("open/a", "1");
        await client.ExpectPublishAsync("open/a", "2");
        await client.ExpectPublishAsync("open/b", "3", qos: 1);
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task Retained_messages_are_judged_as_well()
    {
        TestClient publisher = await _broker.ConnectAsync("publisher");
        await publisher.PublishAsync("secret/r", "no", qos: 1, retain: true);
        await publisher.PublishAsync("open/r", "yes", qos: 1, retain: true);
        TestClient client = await _broker.ConnectAsync("c");
        await client.SubscribeAsync("#", options: 1);
        await client.ExpectPublishAsync("open/r", "yes", qos: 1, retain: true);
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_waited_under_other_rules_is_judged_by_those_of_now()
    {
        TestClient client = await _broker.ConnectAsync("c", properties: Prop.SessionExpiry(1000));
        await client.SubscribeAsync("#", options: 1);
        await client.DropAsync();
        TestClient publisher = await _broker.ConnectAsync("publisher");
        await publisher.PublishAsync("secret/1", "no", qos: 1);
        await publisher.PublishAsync("open/1", "not any more", qos: 1);
        await publisher.PublishAsync("both/1", "no", qos: 1);
        _rules.Use(Rule(false, "open/#"), Rule(true, "secret/#"));
        client = await _broker.ConnectAsync("c", cleanStart: false, properties: Prop.SessionExpiry(1000), sessionPresent: true);
        await client.ExpectNothingAsync();
        await publisher.PublishAsync("open/2", "no", qos: 1);
        await publisher.PublishAsync("secret/2", "now it may", qos: 1);
        await client.ExpectPublishAsync("secret/2", "now it may", qos: 1);
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_session_that_may_receive_nothing_of_a_filter_any_more_is_not_resumed()
    {
        TestClient client = await _broker.ConnectAsync("c", properties: Prop.SessionExpiry(1000));
        await client.SubscribeAsync("#", options: 1);
        await client.DropAsync();
        _rules.Use(Rule(false, "#"));
        await _broker.ConnectAsync("c", cleanStart: false, sessionPresent: false);
    }

    [Fact]
    public async Task What_matches_nothing_permitted_and_what_is_shared_is_refused()
    {
        TestClient client = await _broker.ConnectAsync("c");
        await client.SendAsync(client.Packets.Subscribe(3, null, ("secret/a", 0), ("secret/+", 2), ("$share/g/#", 2), ("+/a", 1), ("open/#", 1)));
        await client.ExpectAsync(client.Packets.Suback(3, 0x87, 0x87, 0x87, 1, 1));
    }

    [Fact]
    public async Task The_lowest_limit_of_what_is_permitted_is_granted()
    {
        _rules.Use(Rule(true, "slow/#", QoS.AtMostOnce), Rule(false, "secret/#"), Rule(true, "open/#", QoS.AtLeastOnce));
        TestClient client = await _broker.ConnectAsync("c");
        await client.SendAsync(client.Packets.Subscribe(3, null, ("#", 2), ("+/a", 2), ("open/#", 2)));
        await client.ExpectAsync(client.Packets.Suback(3, 0, 0, 1));
    }

    private static AclRule Rule(bool allows, string topic, QoS most = QoS.ExactlyOnce) => new()
    {
        Source = "broker.toml:7",
        Allows = allows,
        Actions = AccessActions.Subscribe,
        Topics = [new AclPattern(topic)],
        MaximumQoS = most,
    };

    /// <summary>Lets everybody in, by the rules of the moment; everybody may publish.</summary>
    private sealed class RuleBook : IAuthenticator
    {
        private AclRuleSet _set = AclRuleSet.Unrestricted;

        public void Use(params AclRule[] rules) => _set = new AclRuleSet(
            [.. rules, new AclRule { Source = "", Allows = true, Actions = AccessActions.Publish | AccessActions.Retain, Topics = [new AclPattern("#")] }], []);

        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
            ValueTask.FromResult(new AuthenticationResult(
                ReasonCode.Success, null, _set.PermissionsFor(new AclSubject(null, request.ClientId, request.Listener))));
    }
}
