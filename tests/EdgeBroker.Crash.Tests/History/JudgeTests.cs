namespace EdgeBroker.Crash.Tests.History;

/// <summary>The judge, on small histories of which one can see what is wrong.</summary>
public sealed class JudgeTests
{
    private const int Publisher = 0;
    private const int Subscriber = 1;
    private const int Other = 2;

    private readonly RunHistory _history = new(["publisher", "subscriber", "other"], () => 0);
    private int _number;

    [Fact]
    public void All_is_well()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        int message = Publish("a/b");
        Acknowledge(message);
        Deliver(Subscriber, message);
        Verdict verdict = Judge.Of(_history);
        Assert.Empty(verdict.Violations);
        Assert.Equal((1, 1), (verdict.Owed, verdict.Delivered));
    }

    [Fact]
    public void Acknowledged_and_not_delivered_is_lost()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        Acknowledge(Publish("a/b"));
        Broken(Promise.NothingIsLost);
    }

    [Fact]
    public void Not_acknowledged_may_be_lost()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        Publish("a/b");
        Broken();
    }

    [Theory]
    [InlineData(true, "in order")]
    [InlineData(false, "like this")]
    public void Of_a_wrong_order_it_says_whether_a_bridge_had_it_already(bool isBridgeRight, string said)
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        int[] messages = [Publish("a/b"), Publish("a/b")];
        foreach (int message in isBridgeRight ? messages : messages.Reverse()) _history.Add(EventKind.Forwarded, Other, message: message);
        foreach (int message in messages.Reverse()) Deliver(Subscriber, message);
        Violation violation = Assert.Single(Judge.Of(_history).Violations);
        Assert.Equal(Promise.Order, violation.Promise);
        Assert.EndsWith($"over the bridge's link they went {said}", violation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Sent_before_the_subscription_was_granted_may_be_missing()
    {
        _history.Add(EventKind.SubscribeSent, Subscriber, 1, number: 2, text: "a/#");
        int message = Publish("a/b");
        _history.Add(EventKind.Subscribed, Subscriber, 1, number: 2, text: "a/#");
        Acknowledge(message);
        Broken();
    }

    [Fact]
    public void Twice_is_once_too_often_at_QoS_2()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        int message = Publish("a/b");
        Deliver(Subscriber, message);
        Deliver(Subscriber, message);
        Broken(Promise.ExactlyOnce);
    }

    [Fact]
    public void Twice_is_allowed_at_QoS_1()
    {
        Subscribe(Subscriber, "a/#", qos: 1);
        int message = Publish("a/b");
        Deliver(Subscriber, message, qos: 1);
        Deliver(Subscriber, message, qos: 1);
        Broken();
    }

    [Fact]
    public void A_later_message_first_is_disorder()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        int first = Publish("a/b");
        int second = Publish("a/b");
        Deliver(Subscriber, second);
        Deliver(Subscriber, first);
        Broken(Promise.Order);
    }

    [Fact]
    public void Another_topic_may_overtake()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        int first = Publish("a/b");
        int second = Publish("a/c");
        Deliver(Subscriber, second);
        Deliver(Subscriber, first);
        Broken();
    }

    [Fact]
    public void What_is_sent_after_the_subscription_ended_must_not_come()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        _history.Add(EventKind.UnsubscribeSent, Subscriber, 2, text: "a/#");
        _history.Add(EventKind.Unsubscribed, Subscriber, 2, text: "a/#");
        Deliver(Subscriber, Publish("a/b"));
        Broken(Promise.OnlySubscribed);
    }

    [Fact]
    public void An_ended_subscription_owes_nothing()
    {
        Subscribe(Subscriber, "a/#", qos: 2);
        Acknowledge(Publish("a/b"));
        _history.Add(EventKind.UnsubscribeSent, Subscriber, 2, text: "a/#");
        Broken();
    }

    [Fact]
    public void A_message_comes_at_the_granted_QoS()
    {
        Subscribe(Subscriber, "a/#", qos: 1);
        Deliver(Subscriber, Publish("a/b"), qos: 2);
        Broken(Promise.Unchanged);
    }

    [Fact]
    public void A_session_with_something_acknowledged_must_be_there()
    {
        _history.Add(EventKind.Connected, Subscriber, number: 0);
        Subscribe(Subscriber, "a/#", qos: 1);
        _history.Add(EventKind.Connected, Subscriber, number: 0);
        Broken(Promise.SessionPresent);
    }

    [Fact]
    public void A_group_gets_a_message_through_one_member()
    {
        Subscribe(Subscriber, "$share/g/a/#", qos: 2);
        Subscribe(Other, "$share/g/a/#", qos: 2);
        int message = Publish("a/b");
        Acknowledge(message);
        Deliver(Other, message);
        Broken();
        Deliver(Subscriber, message);
        Broken(Promise.ExactlyOnce);
        Acknowledge(Publish("a/b"));
        Broken(Promise.ExactlyOnce, Promise.NothingIsLost);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(-1, false)]
    public void A_topic_has_the_last_acknowledged_value_or_a_later_one(int seen, bool good)
    {
        int[] values = [Publish("r/a", retain: true), Publish("r/a", retain: true), Publish("r/a", retain: true)];
        Acknowledge(values[0]);
        Acknowledge(values[1]);
        Look(seen < 0 ? null : values[seen]);
        Broken(good ? [] : [Promise.Retained]);
    }

    [Fact]
    public void A_cleared_topic_has_no_value()
    {
        Acknowledge(Publish("r/a", retain: true));
        int cleared = Publish("r/a", retain: true, empty: true);
        Acknowledge(cleared);
        Look(null);
        Broken();
        Look(0);
        Broken(Promise.Retained);
    }

    private void Subscribe(int client, string filter, int qos)
    {
        _history.Add(EventKind.SubscribeSent, client, 1, number: qos, text: filter);
        _history.Add(EventKind.Subscribed, client, 1, number: qos, text: filter);
    }

    private int Publish(string topic, bool retain = false, bool empty = false) =>
        _history.AddPublish(new SentMessage(Publisher, ++_number, topic, 2, retain, empty ? 0 : 20), 1).Message;

    private void Acknowledge(int message) => _history.Add(EventKind.Received, Publisher, 1, message);

    private void Deliver(int client, int message, int qos = 2) => _history.Add(EventKind.Delivered, client, 1, message, qos);

    private void Look(int? value)
    {
        _history.Add(EventKind.RetainedLook, -1);
        if (value is { } message) _history.Add(EventKind.RetainedSeen, -1, message: message, text: "r/a");
        _history.Add(EventKind.RetainedLooked, -1);
    }

    private void Broken(params Promise[] promises) => Assert.Equal(promises.Order(), Judge.Of(_history).Violations.Select(v => v.Promise).Distinct().Order());
}
