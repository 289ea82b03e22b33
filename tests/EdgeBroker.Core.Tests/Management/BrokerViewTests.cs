using System.Text;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Management;

/// <summary>What is seen of a broker from outside, and done to it.</summary>
public sealed class BrokerViewTests
{
    private readonly Bench _bench = new();
    private readonly BrokerView _view;

    public BrokerViewTests() => _view = new BrokerView(_bench.Broker, new RecentRefusals(_bench.Time));

    [Fact]
    public void A_row_tells_connection_queue_and_drops()
    {
        Client away = _bench.Connect("away", expirySeconds: 3600, policy: new QueuePolicy(2, 1000, null, null, QueueOverflow.DropOldest, KeepsQoS0: false));
        away.Subscribe("a/#", QoS.AtLeastOnce);
        away.Subscribe("b", QoS.AtMostOnce);
        away.Disconnect();
        _bench.Connect("here").Subscribe("a/x", QoS.AtLeastOnce);
        _bench.Advance(5);
        _bench.Publish("a/x", "12345", QoS.AtLeastOnce);
        _bench.Advance(60);
        _bench.Publish("a/x", "67890", QoS.AtLeastOnce);
        _bench.Publish("a/x", "abcde", QoS.AtLeastOnce);
        _bench.Advance(10);

        Page<SessionSummary> page = _view.Sessions(SessionFilter.All, null, 10);
        Assert.Equal((2, null), (page.Total, page.Next));
        SessionSummary first = page.Items[0];
        Assert.Equal(("away", SessionSummary.Disconnected, 2, 0), (first.ClientId, first.State, first.SubscriptionsCount, first.InflightCount));
        Assert.Equal((2, 16, 10, 1), (first.QueueMessages, first.QueueBytes, first.QueueOldestSeconds, first.DroppedTotal));
        Assert.Equal((3600, 3600 - 75), (first.ExpirySeconds, first.EndsInSeconds));
        SessionSummary second = page.Items[1];
        Assert.Equal(("here", SessionSummary.Connected, 1, 3), (second.ClientId, second.State, second.SubscriptionsCount, second.InflightCount));
        Assert.Equal((0, 0, null, 0, null), (second.QueueMessages, second.QueueBytes, second.QueueOldestSeconds, second.DroppedTotal, second.EndsInSeconds));
    }

    [Fact]
    public void A_session_is_shown_with_all_it_holds()
    {
        Client client = _bench.Connect(
            "c", expirySeconds: 60, receiveMaximum: 2, will: Bench.WillOf("gone", "bye", delaySeconds: 9, QoS.AtLeastOnce, retain: true));
        client.Subscribe("z/+", QoS.ExactlyOnce, identifier: 7, noLocal: true, retainAsPublished: true, handling: RetainHandling.DoNotSend);
        client.Subscribe("$share/g/a", QoS.AtLeastOnce);
        _bench.Publish("z/1", "xy", QoS.ExactlyOnce);
        _bench.Publish("a", "x", QoS.AtLeastOnce);
        _bench.Publish("a", "queued", QoS.AtLeastOnce);
        SessionDetail session = _view.Session("c")!;
        Assert.Equal(["$share/g/a", "z/+"], session.Subscriptions.Select(one => one.Filter));
        SubscriptionView one = session.Subscriptions[1];
        Assert.Equal((2, true, true, 2), (one.Qos, one.NoLocal, one.RetainAsPublished, one.RetainHandling));
        Assert.Equal([7u], one.Identifiers!);
        Assert.Equal([(1, 2, "pubrec"), (2, 1, "puback")], session.Inflight.Select(open => (open.PacketId, open.Qos, open.State)));
        Assert.Equal(("z/1", 5), (session.Inflight[0].Topic, session.Inflight[0].Bytes));
        Assert.Equal((1, 2), (session.Summary.QueueMessages, session.Summary.InflightCount));
        Assert.Equal(new WillView("gone", 1, true, 3, 9), session.Will);
        Assert.Equal(("drop-oldest", (long)_bench.Broker.Options.MaxQueuedMessages), (session.Queue.Overflow, session.Queue.MaxMessages));
        Assert.Null(_view.Session("C"));
    }

    [Theory]
    [InlineData(null, null, null, "anna-1 anna-2 bert-1")]
    [InlineData("anna-*", null, null, "anna-1 anna-2")]
    [InlineData("*-1", null, true, "bert-1")]
    [InlineData("?nna-1", null, false, "anna-1")]
    [InlineData(null, "bert", null, "bert-1")]
    [InlineData(null, "?*", null, "bert-1")]
    [InlineData("anna-3", null, null, "")]
    public void Sessions_are_filtered(string? clientId, string? user, bool? isConnected, string expected)
    {
        _bench.Connect("anna-1", expirySeconds: 60).Disconnect();
        _bench.Connect("anna-2", expirySeconds: 60);
        var link = new FakeLink();
        _bench.Broker.Connect("bert-1", cleanStart: false, new SessionGrant(60, 10, null) { UserName = "bert" }, _bench.Context, link);
        Page<SessionSummary> page = _view.Sessions(new SessionFilter { ClientId = clientId, User = user, IsConnected = isConnected }, null, 10);
        Assert.Equal(expected, string.Join(' ', page.Items.Select(one => one.ClientId)));
        Assert.Equal(page.Items.Count, page.Total);
    }

    [Fact]
    public void A_hundred_thousand_sessions_are_paged_while_sessions_come_and_go()
    {
        const int sessions = 100_000;
        for (int i = 0; i < sessions; i++) _bench.Connect($"client-{i:d6}", expirySeconds: 60, link: new FakeLink());
        var seen = new List<string>();
        string? after = null;
        int pages = 0;
        do
        {
            Page<SessionSummary> page = _view.Sessions(SessionFilter.All, after, 10_000);
            seen.AddRange(page.Items.Select(one => one.ClientId));
            after = page.Next;
            // One that was before this page, one that is behind all.
            _bench.Connect($"client-000000-{pages}", expirySeconds: 60);
            _view.Kick($"client-{sessions - 1 - pages:d6}", forget: true);
            pages++;
        }
        while (after is not null);
        Assert.Equal(10, pages);
        string[] stayed = [.. Enumerable.Range(0, sessions - 9).Select(i => $"client-{i:d6}")];
        Assert.Equal(stayed, seen.Where(one => one.Length == "client-000000".Length).Take(stayed.Length));
        Assert.Equal(seen.Order(StringComparer.Ordinal), seen);
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    [Fact]
    public async Task A_list_waits_for_a_session_that_is_busy_and_holds_up_nobody_else()
    {
        for (int i = 0; i < 100; i++) _bench.Connect($"client-{i:d3}", link: new FakeLink()).Subscribe("t");
        Client busy = _bench.Connect("client-050-busy");
        Task<Page<SessionSummary>> list;
        using (busy.Session.SyncRoot.EnterScope())
        {
            Thread lister = null!;
            var began = new TaskCompletionSource();
            list = Task.Factory.StartNew(
                () =>
                {
                    lister = Thread.CurrentThread;
                    began.SetResult();
                    return _view.Sessions(SessionFilter.All, null, 1000);
                },
                TaskCreationOptions.LongRunning);
            began.Task.Wait();
            while ((lister.ThreadState & ThreadState.WaitSleepJoin) == 0) Thread.Yield();
            // Now it waits for the one session: all others can be delivered to, subscribe, come and go.
            _bench.Publish("t", "x");
            _bench.Connect("yet-another").Subscribe("u");
            _bench.Connect("another").Disconnect();
            Assert.False(list.IsCompleted);
        }

        Assert.Equal(101, (await list).Items.Count);
    }

    [Fact]
    public void A_client_that_is_kicked_loses_its_connection_and_its_session_stays()
    {
        Client client = _bench.Connect("c", expirySeconds: 60);
        Assert.Equal(KickOutcome.Disconnected, _view.Kick("c", forget: false));
        Assert.Equal(ReasonCode.AdministrativeAction, client.Link.ClosedWith);
        // The connection's own thread says that it is gone.
        client.Disconnect();
        Assert.Equal(KickOutcome.NotConnected, _view.Kick("c", forget: false));
        Assert.NotNull(_view.Session("c"));
        Assert.Equal(KickOutcome.NotFound, _view.Kick("d", forget: false));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void One_that_is_forgotten_is_gone_and_its_will_is_published_only_where_that_is_asked_for(bool isConnected, bool publishWill)
    {
        Client watcher = _bench.Connect("watcher");
        watcher.Subscribe("gone");
        Client client = _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("gone", "bye", delaySeconds: 30));
        client.Subscribe("a", QoS.AtLeastOnce);
        if (!isConnected) client.Drop();
        Assert.Equal(KickOutcome.Forgotten, _view.Kick("c", forget: true, publishWill));
        Assert.Equal(isConnected ? ReasonCode.AdministrativeAction : null, client.Link.ClosedWith);
        Assert.Equal(publishWill ? ["bye"] : [], watcher.Payloads);
        Assert.Null(_view.Session("c"));
        Assert.Equal((1, 1), (_bench.Broker.SessionCount, _bench.Broker.Subscriptions.Count));
        Assert.Equal(KickOutcome.NotFound, _view.Kick("c", forget: true));
    }

    [Fact]
    public void Retained_messages_are_listed_read_and_deleted()
    {
        for (int i = 0; i < 1000; i++) _bench.Publish($"plant/{i:d3}/value", $"v{i}", QoS.AtLeastOnce, retain: true);
        _bench.Publish("other", "x", retain: true, expirySeconds: 10);
        _bench.Publish("plant/expired", "x", retain: true, expirySeconds: 1);
        _bench.Time.Advance(TimeSpan.FromSeconds(2));
        Page<RetainedSummary> page = _view.Retained("#", null, 3);
        Assert.Equal(["other", "plant/000/value", "plant/001/value"], page.Items.Select(one => one.Topic));
        Assert.Equal((1001, "plant/001/value"), (page.Total, page.Next));
        Assert.Equal(new RetainedSummary("other", 0, 1, 8), page.Items[0]);
        page = _view.Retained("plant/+/value", page.Next, 5000);
        Assert.Equal((998, 1000, null), (page.Items.Count, page.Total, page.Next));
        Assert.Empty(_view.Retained("none/#", null, 10).Items);

        Assert.Equal("v7", Encoding.UTF8.GetString(_view.RetainedValueOf("plant/007/value")!.Payload));
        Assert.Null(_view.RetainedValueOf("plant/expired"));
        Client subscriber = _bench.Connect("c");
        subscriber.Subscribe("plant/007/value");
        subscriber.Pump();
        Assert.Equal(["v7"], subscriber.Payloads);
        Assert.True(_view.DeleteRetained("plant/007/value", out _));
        Assert.False(_view.DeleteRetained("plant/007/value", out _));
        Assert.Null(_view.RetainedValueOf("plant/007/value"));
        // As when a client deletes it, and once.
        Assert.Equal(["v7", ""], subscriber.Payloads);
    }

    [Fact]
    public void Who_gets_a_topic_is_told_filter_by_filter()
    {
        Client one = _bench.Connect("one");
        one.Subscribe("a/b", QoS.AtLeastOnce);
        one.Subscribe("a/#", QoS.ExactlyOnce, noLocal: true);
        one.Subscribe("a/c");
        _bench.Connect("three").Subscribe("$share/g/+/b", QoS.AtLeastOnce);
        _bench.Connect("two").Subscribe("$share/g/+/b");
        using LocalClient local = _bench.Broker.OpenLocal("probe", new LocalClientOptions());
        local.Subscribe("a/b", new SubscriptionOptions(QoS.AtMostOnce));
        Page<SubscriberView> page = _view.Subscribers("a/b", null, 10);
        Assert.Equal(["$local/probe", "one", "three", "two"], page.Items.Select(subscriber => subscriber.ClientId));
        Assert.Equal(["a/#", "a/b"], page.Items[1].Subscriptions.Select(subscription => subscription.Filter).Order());
        Assert.Equal([(2, true), (1, false)], page.Items[1].Subscriptions.OrderByDescending(s => s.Qos).Select(s => (s.Qos, s.NoLocal)));
        Assert.Equal(["one", "three"], _view.Subscribers("a/b", "$local/probe", 2).Items.Select(subscriber => subscriber.ClientId));
        Assert.Empty(_view.Subscribers("$SYS/a", null, 10).Items);
    }

    [Fact]
    public void Shared_groups_are_found_wherever_they_are_in_the_tree()
    {
        string[] filters = ["$share/a/#", "$share/a/x/+/y", "$share/b/x/+/y", "$share/c/+", "$share/d/deep/er/and/deeper", "$share/d/x/#"];
        foreach (string filter in filters)
        {
            _bench.Connect("member-1 " + filter).Subscribe(filter);
            _bench.Connect("member-2 " + filter).Subscribe(filter);
        }

        _bench.Connect("plain").Subscribe("x/+/y");
        Page<SharedGroupView> page = _view.SharedGroups(null, 100);
        Assert.Equal(filters.Order(StringComparer.Ordinal), page.Items.Select(one => one.Filter));
        Assert.All(page.Items, one => Assert.Equal((2, "member-1 " + one.Filter), (one.Members, one.ClientIds[0])));
        Assert.Equal((filters[1], filters[1]), (_view.SharedGroups(filters[0], 1).Items[0].Filter, _view.SharedGroups(filters[0], 1).Next));
    }
}
