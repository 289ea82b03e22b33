using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Tests.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Ingress;

/// <summary>What is judged of publishes and filters, whatever protocol they come by.</summary>
public sealed class IngressTests
{
    private readonly RecordedEvents _events = new();
    private readonly TestJournal _journal = new();
    private readonly Broker _broker;
    private readonly RoutingContext _context;

    public IngressTests()
    {
        _broker = new Broker(TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), _journal, new BrokerEvents(_events), "test");
        _context = _broker.CreateContext();
    }

    [Theory]
    [InlineData("$SYS/broker/uptime", true, false)]
    [InlineData("$SYS", true, false)]
    [InlineData("$SYS/broker/connection/p/state", true, true)]
    [InlineData("$SYS/broker/connection/p/state", false, false)]
    [InlineData("$SYS/broker/connection/other/state", true, false)]
    [InlineData("$SYS/broker/connection/p/b/state", true, false)]
    [InlineData("$SYS/broker/connection/state", true, false)]
    [InlineData("$share/group/a", true, false)]
    [InlineData("$share", true, false)]
    [InlineData("$SYSTEM/a", false, true)]
    [InlineData("$other", false, true)]
    public void Under_SYS_only_a_bridge_s_own_state_is_published(string topic, bool isBridge, bool isAccepted)
    {
        PublishVerdict verdict = Publish(Principal(isBridge: isBridge), topic);
        Assert.Equal(isAccepted ? PublishDecision.Accepted : PublishDecision.Refused, verdict.Decision);
        if (isAccepted) return;
        Assert.Equal(ReasonCode.NotAuthorized, verdict.Reason);
        string cause = topic.StartsWith("$share", StringComparison.Ordinal) ? "$share is for subscriptions" : "only the broker publishes under $SYS";
        Assert.Contains(cause, verdict.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_goes_beyond_its_grants_is_disconnected()
    {
        Principal principal = Principal(TestBrokerOptions.Quiet with { MaxQos = 1, RetainAvailable = false, MaxTopicLevels = 2 });
        PublishVerdict verdict = Publish(principal, "t", QoS.ExactlyOnce);
        Assert.Equal(new PublishVerdict(PublishDecision.Disconnect, ReasonCode.QoSNotSupported, null, "QoS above mqtt.max_qos"), verdict);
        Assert.Equal(ReasonCode.RetainNotSupported, Publish(principal, "t", retain: true).Reason);
        Assert.Equal(ReasonCode.TopicNameInvalid, Publish(principal, "a/b/c").Reason);
        Assert.Equal(PublishDecision.Accepted, Publish(principal, "a/b", QoS.AtLeastOnce).Decision);
    }

    [Fact]
    public void What_is_not_permitted_is_refused_with_the_rule_and_told_to_the_events()
    {
        PublishVerdict verdict = Publish(Principal(rules: Allowing("a/#")), "b");
        Assert.Equal((PublishDecision.Refused, ReasonCode.NotAuthorized), (verdict.Decision, verdict.Reason));
        Assert.Equal("no [[acl]] rule allows to publish there", verdict.Cause);
        Assert.Equal(1, _events.Count(BrokerEventKind.PublishRefused, "p"));
        Assert.Equal(1, _broker.CountTraffic().PublishesDropped);
        Assert.Equal(PublishDecision.Accepted, Publish(Principal(rules: Allowing("a/#")), "a/b").Decision);
    }

    [Fact]
    public void Every_refusal_names_the_rule_or_the_key()
    {
        var refusals = new RecentRefusals(TimeProvider.System);
        _broker.Events.Add(refusals);
        MqttOptions options = TestBrokerOptions.Quiet with { MaxQos = 1, MaxTopicLevels = 2, MaxSubscriptionsPerClient = 1 };
        _broker.Options = options;
        _broker.Limits.Replace(new LimitOptions { SubscribesPerClient = new RateLimit(4, TimeSpan.FromHours(1), 4) { OnExceed = ExceedAction.Drop } });
        Principal principal = Principal(options, Allowing("a/#"));
        Publish(principal, "a", QoS.ExactlyOnce);
        Publish(principal, "b");
        Subscribe(principal, "b");
        Subscribe(principal, "a/b/c");
        Subscribe(principal, "a/1");
        Subscribe(principal, "a/2");
        Subscribe(principal, "a/3");
        Assert.Equal(
            [
                "limit: limits.subscribes_per_client (4 in 3600 s, burst 4)", "publish: QoS above mqtt.max_qos",
                "publish: no [[acl]] rule allows to publish there",
                "subscribe: a filter with more levels than mqtt.max_topic_levels", "subscribe: limits.subscribes_per_client (4 in 3600 s, burst 4)",
                "subscribe: no [[acl]] rule allows to subscribe to all of it",
                "subscribe: the client has as many subscriptions as it may (mqtt.max_subscriptions_per_client)",
            ],
            refusals.ToList().Select(one => $"{one.What}: {one.Cause}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false, PublishDecision.Disconnect)]
    [InlineData(true, PublishDecision.Refused)]
    public void Where_so_configured_one_that_cannot_be_told_is_disconnected(bool hearsRefusals, PublishDecision expected)
    {
        MqttOptions grants = TestBrokerOptions.Quiet with { DisconnectOnDeniedPublish = true };
        Assert.Equal(expected, Publish(Principal(grants, Allowing("a"), hearsRefusals), "b").Decision);
    }

    [Fact]
    public void A_payload_must_be_the_text_it_says_it_is()
    {
        var message = new Publication { Topic = "t"u8, Payload = [0xFF], IsText = true };
        PublishVerdict verdict = _broker.Ingress.Publish(message, Principal(), _context);
        Assert.Equal((PublishDecision.Refused, ReasonCode.PayloadFormatInvalid), (verdict.Decision, verdict.Reason));
        var text = new Publication { Topic = "t"u8, Payload = "ä"u8, IsText = true };
        Assert.Equal(PublishDecision.Accepted, _broker.Ingress.Publish(text, Principal(), _context).Decision);
        var bytes = new Publication { Topic = "t"u8, Payload = [0xFF] };
        Assert.Equal(PublishDecision.Accepted, _broker.Ingress.Publish(bytes, Principal(), _context).Decision);
    }

    [Fact]
    public void One_whom_nobody_hears_is_accepted_and_told_so()
    {
        Assert.Equal(new PublishVerdict(PublishDecision.Accepted, ReasonCode.NoMatchingSubscribers), Publish(Principal(), "t", QoS.AtLeastOnce));
    }

    [Fact]
    public void What_the_store_cannot_keep_is_refused_where_that_is_heard_and_else_brought_again()
    {
        Connect("durable", expirySeconds: 100, "t");
        Publication message = new() { Topic = "t"u8, Payload = "x"u8, QoS = QoS.AtLeastOnce };
        PublishVerdict kept = _broker.Ingress.Publish(message, Principal(), _context);
        Assert.Equal(PublishDecision.Accepted, kept.Decision);
        Assert.False(kept.Completion!.IsDone);
        _journal.Condition = JournalCondition.Failing;
        var refused = new PublishVerdict(PublishDecision.Refused, ReasonCode.QuotaExceeded, Cause: Broker.StoreCannotBeWritten);
        Assert.Equal(refused, _broker.Ingress.Publish(message, Principal(), _context));
        Assert.Equal(PublishDecision.Retry, _broker.Ingress.Publish(message, Principal(hearsRefusals: false), _context).Decision);
        Assert.Equal(1, _broker.FindSession("durable")!.PendingMessages);
    }

    [Theory]
    [InlineData(true, PublishDecision.Refused)]
    [InlineData(false, PublishDecision.Retry)]
    public void What_may_not_be_retained_is_counted_and_told_once(bool hearsRefusals, PublishDecision expected)
    {
        _broker.Limits.Replace(new LimitOptions { MaxRetained = 1 });
        Principal principal = Principal(hearsRefusals: hearsRefusals);
        Assert.Equal(PublishDecision.Accepted, Publish(principal, "a", QoS.AtLeastOnce, retain: true).Decision);
        Assert.Equal(expected, Publish(principal, "b", QoS.AtLeastOnce, retain: true).Decision);
        LimitAction action = hearsRefusals ? LimitAction.Refused : LimitAction.Delayed;
        Assert.Equal(1, _broker.Limits.Counters[LimitKind.MaxRetained, action]);
        // By its topic where it is refused, and by its limit where it waits: not by both.
        Assert.Equal(hearsRefusals ? (1, 0) : (0, 1), (_events.Count(BrokerEventKind.PublishRefused, "p"), _events.Count(BrokerEventKind.Limited, "p")));
    }

    [Fact]
    public void Rates_are_asked_first_and_charged_last()
    {
        _broker.Limits.Replace(new LimitOptions { PublishesPerClient = new RateLimit(1, TimeSpan.FromSeconds(1), 1) });
        Principal principal = Principal();
        ActiveLimits active = _broker.Limits.Active!;
        for (int i = 0; i < 3; i++) Assert.Equal(LimitDecision.Pass, _broker.Ingress.Admit(active, Operation.Publish, QoS.AtMostOnce, principal, 0).Decision);
        Core.Ingress.Ingress.Charge(active, Operation.Publish, 10, default, principal, 0);
        LimitVerdict second = _broker.Ingress.Admit(active, Operation.Publish, QoS.AtMostOnce, principal, 0);
        Assert.Equal(new LimitVerdict(LimitDecision.Wait, LimitKind.PublishesPerClient, 1_000), second);
        Assert.Equal(1, _broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed]);
        // New rights do not clear the account.
        Principal reviewed = principal.With(AuthenticationResult.Admitted("anna", Permissions.All));
        Assert.Equal(LimitDecision.Wait, _broker.Ingress.Admit(active, Operation.Publish, QoS.AtMostOnce, reviewed, 0).Decision);
    }

    [Fact]
    public void What_a_rate_drops_goes_no_further_but_must_keep_to_the_grants()
    {
        Connect("s", expirySeconds: 0, "t");
        Principal principal = Principal(TestBrokerOptions.Quiet with { MaxTopicLevels = 1 });
        var dropped = new LimitVerdict(LimitDecision.Drop, LimitKind.PublishesPerClient, 0);
        PublishVerdict verdict = _broker.Ingress.Publish(new Publication { Topic = "t"u8, QoS = QoS.AtLeastOnce }, principal, _context, admitted: dropped);
        Assert.Equal(
            new PublishVerdict(PublishDecision.Dropped, ReasonCode.QuotaExceeded, Cause: "limits.publishes_per_client is reached"), verdict);
        Assert.Equal(0, _broker.FindSession("s")!.PendingMessages);
        Assert.Equal(1, _broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Dropped]);
        Assert.Equal(1, _broker.CountTraffic().PublishesDropped);
        Assert.Equal(PublishDecision.Disconnect, _broker.Ingress.Publish(new Publication { Topic = "a/b"u8 }, principal, _context, admitted: dropped).Decision);
    }

    [Fact]
    public void A_filter_is_judged_without_its_group_and_granted_what_the_rules_leave()
    {
        Principal principal = Principal(rules: new AclRuleSet([Rules.Rule(true, Rules.Everything, ["a/#"], max: QoS.AtLeastOnce)], []));
        Assert.Equal(ReasonCode.GrantedQoS1, Subscribe(principal, "a/b", QoS.ExactlyOnce).Reason);
        Assert.Equal(ReasonCode.GrantedQoS1, Subscribe(principal, "$share/g/a/b", QoS.ExactlyOnce).Reason);
        Assert.Equal(ReasonCode.NotAuthorized, Subscribe(principal, "$share/g/b", QoS.ExactlyOnce).Reason);
        Assert.Equal(ReasonCode.NotAuthorized, Subscribe(principal, "#", QoS.ExactlyOnce).Reason);
        Assert.Equal(2, _broker.Subscriptions.Count);
        Assert.Equal(4, _events.Count(BrokerEventKind.Subscribed, "p"));
    }

    [Theory]
    [InlineData(ExceedAction.Delay, null, ReasonCode.Success)]
    [InlineData(ExceedAction.Drop, null, ReasonCode.QuotaExceeded)]
    [InlineData(ExceedAction.Disconnect, LimitKind.SubscribesPerClient, ReasonCode.QuotaExceeded)]
    public void Filters_beyond_their_rate_wait_are_refused_or_end_the_connection(ExceedAction action, LimitKind? disconnectedBy, ReasonCode second)
    {
        _broker.Limits.Replace(new LimitOptions { SubscribesPerClient = new RateLimit(1, TimeSpan.FromSeconds(1), 1) { OnExceed = action } });
        Principal principal = Principal();
        Assert.Equal(ReasonCode.Success, Subscribe(principal, "a").Reason);
        SubscribeVerdict verdict = Subscribe(principal, "b");
        Assert.Equal((second, disconnectedBy), (verdict.Reason, verdict.DisconnectedBy));
        Assert.Equal(second == ReasonCode.Success ? 2 : 1, _broker.Subscriptions.Count);
    }

    [Fact]
    public void A_will_is_judged_without_being_published()
    {
        Connect("s", expirySeconds: 0, "t");
        var will = new Publication { Topic = "t"u8, QoS = QoS.AtLeastOnce };
        Assert.Equal(PublishDecision.Accepted, Core.Ingress.Ingress.Evaluate(will, Permissions.All, TestBrokerOptions.Quiet, "s", isBridge: false).Decision);
        Assert.Equal(ReasonCode.NotAuthorized, Core.Ingress.Ingress.Evaluate(will, Permissions.None, TestBrokerOptions.Quiet, "s", isBridge: false).Reason);
        MqttOptions lower = TestBrokerOptions.Quiet with { MaxQos = 0 };
        Assert.Equal(ReasonCode.QoSNotSupported, Core.Ingress.Ingress.Evaluate(will, Permissions.All, lower, "s", false).Reason);
        Assert.Equal(0, _broker.FindSession("s")!.PendingMessages);
        Assert.Equal(0, _events.Count(BrokerEventKind.PublishRefused));
    }

    private static AclRuleSet Allowing(string topic) => new([Rules.Allow(Rules.Everything, topic)], []);

    private Principal Principal(MqttOptions? grants = null, AclRuleSet? rules = null, bool hearsRefusals = true, bool isBridge = false)
    {
        ConnectionLease lease = Connect("p", expirySeconds: 0);
        Permissions permissions = rules?.PermissionsFor(new AclSubject(null, "p", "")) ?? Permissions.All;
        return new Principal
        {
            Receiver = lease.Session,
            Generation = lease.Generation,
            Identity = AuthenticationResult.Admitted(null, permissions),
            Grants = grants ?? TestBrokerOptions.Quiet,
            HearsRefusals = hearsRefusals,
            WaitsForStore = !hearsRefusals,
            IsBridge = isBridge,
        };
    }

    private ConnectionLease Connect(string clientId, uint expirySeconds, params string[] filters)
    {
        ConnectionLease lease = _broker.Connect(clientId, cleanStart: true, new SessionGrant(expirySeconds, 100, null), _context, new FakeLink())!.Value;
        foreach (string filter in filters)
        {
            _broker.Subscribe(lease.Session, lease, Encoding.UTF8.GetBytes(filter), new SubscriptionOptions(QoS.AtLeastOnce), 0, out _);
        }

        return lease;
    }

    private PublishVerdict Publish(Principal principal, string topic, QoS qos = QoS.AtMostOnce, bool retain = false) =>
        _broker.Ingress.Publish(new Publication { Topic = Encoding.UTF8.GetBytes(topic), Payload = "x"u8, QoS = qos, Retain = retain }, principal, _context);

    private SubscribeVerdict Subscribe(Principal principal, string filter, QoS qos = QoS.AtMostOnce) =>
        _broker.Ingress.Subscribe(Encoding.UTF8.GetBytes(filter), new SubscriptionOptions(qos), 0, principal, 0);
}
