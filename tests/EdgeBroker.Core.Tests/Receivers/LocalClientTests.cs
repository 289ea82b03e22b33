using System.Net;
using System.Text;
using CsCheck;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Receivers;

public sealed class LocalClientTests
{
    private readonly Bench _bench = new();

    [Fact]
    public void Its_id_is_reserved_and_its_name_its_own()
    {
        using LocalClient client = _bench.Broker.OpenLocal("probe", new LocalClientOptions());
        Assert.Equal("$local/probe", client.Id);
        Assert.True(ReservedIds.IsReserved(Encoding.UTF8.GetBytes(client.Id)));
        Assert.Throws<InvalidOperationException>(() => _bench.Broker.OpenLocal("probe", new LocalClientOptions()));
        client.Dispose();
        using LocalClient next = _bench.Broker.OpenLocal("probe", new LocalClientOptions());
        Assert.False(client.Subscribe("a", default) == ReasonCode.Success);
    }

    [Fact]
    public async Task Whoever_it_acts_for_is_accounted_for_what_it_leaves()
    {
        _bench.Broker.Limits.Replace(new LimitOptions { MaxRetainedPerUser = 2, MaxFiltersPerUser = 1 });
        HolderTable holders = _bench.Broker.Limits.Holders;
        ClientNetwork near = ClientNetwork.Of(IPAddress.Parse("10.0.0.5")), far = ClientNetwork.Of(IPAddress.Parse("10.0.0.6"));
        LocalClient anna = Acting("anna", near), again = Acting("anna", far), nobody = Acting(null, near), elsewhere = Acting(null, far);
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await RetainAsync(anna, "a"));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await RetainAsync(again, "b"));
        Assert.Equal(ReasonCode.QuotaExceeded, await RetainAsync(anna, "c"));
        foreach (LocalClient client in (LocalClient[])[nobody, elsewhere])
        {
            for (int i = 0; i < 2; i++) Assert.Equal(ReasonCode.NoMatchingSubscribers, await RetainAsync(client, $"of/{client.Options.Network}/{i}"));
            Assert.Equal(ReasonCode.QuotaExceeded, await RetainAsync(client, $"of/{client.Options.Network}/2"));
        }

        Assert.Equal(ReasonCode.Success, anna.Subscribe("a", default));
        Assert.Equal(ReasonCode.QuotaExceeded, again.Subscribe("b", default));
        anna.Dispose();
        Assert.Equal(ReasonCode.Success, again.Subscribe("b", default));
        Assert.Equal((2, 1), (holders.Find("anna", near)!.Retained, holders.Find("anna", near)!.Filters));
        // What it has left stays on the account when it has gone.
        foreach (LocalClient client in (LocalClient[])[again, nobody, elsewhere]) client.Dispose();
        _bench.Broker.RunDue();
        Assert.Equal((2, 0), (holders.Find("anna", near)!.Retained, holders.Find("anna", near)!.Filters));

        LocalClient Acting(string? user, ClientNetwork network) => _bench.Broker.OpenLocal($"of {user} at {network}", new LocalClientOptions
        {
            Identity = AuthenticationResult.Admitted(user, Permissions.All),
            Network = network,
            WaitsForStore = false,
        });

        static async Task<ReasonCode> RetainAsync(LocalClient client, string topic) =>
            await client.PublishAsync(new Message { Topic = Encoding.UTF8.GetBytes(topic), Payload = "v"u8.ToArray(), QoS = QoS.AtLeastOnce, Retain = true });
    }

    [Theory]
    [InlineData("$local/x", true)]
    [InlineData("$bridge/x", true)]
    [InlineData("$node/", true)]
    [InlineData("$local", false)]
    [InlineData("local/x", false)]
    [InlineData("", false)]
    public void Reserved_ids_begin_with_a_name_of_the_broker_s(string id, bool reserved) =>
        Assert.Equal(reserved, ReservedIds.IsReserved(Encoding.UTF8.GetBytes(id)));

    [Fact]
    public async Task Whoever_waits_to_read_is_woken_by_a_message_and_by_the_end()
    {
        LocalClient client = Open();
        ValueTask<bool> arrival = client.WaitToReadAsync();
        Assert.False(arrival.IsCompleted);
        _bench.Publish("a", "m");
        Assert.True(await arrival.AsTask().WaitAsync(Deadline.Timeout));
        Assert.True(client.WaitToReadAsync().Result);
        Assert.True(client.TryRead(out LocalDelivery read));
        Assert.Equal("m", Encoding.UTF8.GetString(read.Message.Payload));
        Assert.False(client.TryRead(out _));
        arrival = client.WaitToReadAsync();
        client.Dispose();
        Assert.False(await arrival.AsTask().WaitAsync(Deadline.Timeout));
        Assert.False(client.WaitToReadAsync().Result);
    }

    [Fact]
    public async Task Whoever_waits_to_read_is_woken_by_retained_messages()
    {
        _bench.Publish("r", "m", retain: true);
        LocalClient client = Open();
        ValueTask<bool> arrival = client.WaitToReadAsync();
        client.Subscribe("r", default);
        Assert.True(await arrival.AsTask().WaitAsync(Deadline.Timeout));
        Assert.True(client.TryRead(out LocalDelivery read));
        Assert.True(read.Retain);
    }

    [Fact]
    public async Task A_wait_can_be_given_up_and_begun_again()
    {
        LocalClient client = Open();
        using var cancel = new CancellationTokenSource();
        ValueTask<bool> arrival = client.WaitToReadAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => arrival.AsTask());
        arrival = client.WaitToReadAsync();
        _bench.Publish("a", "m");
        Assert.True(await arrival.AsTask().WaitAsync(Deadline.Timeout));
    }

    [Fact]
    public void The_latest_of_each_topic_takes_the_place_of_one_not_read_yet() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 9].Array[0, 60]).Sample((most, steps) =>
        {
            var bench = new Bench();
            using LocalClient client = bench.Broker.OpenLocal(
                "latest", new LocalClientOptions { Content = LocalQueueContent.LatestOfEachTopic, MaxQueuedMessages = most });
            client.Subscribe("#", default);
            var model = new List<(string Topic, string Payload)>();
            int dropped = 0;
            for (int i = 0; i < steps.Length; i++)
            {
                if (steps[i] >= 8)
                {
                    Assert.Equal(model.Count > 0, client.TryRead(out LocalDelivery read));
                    if (model.Count == 0) continue;
                    Assert.Equal(model[0], (Encoding.UTF8.GetString(read.Message.Topic), Encoding.UTF8.GetString(read.Message.Payload)));
                    model.RemoveAt(0);
                    continue;
                }

                string topic = "t" + steps[i];
                bench.Publish(topic, "m" + i);
                int at = model.FindIndex(one => one.Topic == topic);
                if (at >= 0)
                {
                    model[at] = (topic, "m" + i);
                    continue;
                }

                if (model.Count == most)
                {
                    model.RemoveAt(0);
                    dropped++;
                }

                model.Add((topic, "m" + i));
            }

            Assert.Equal(model.Count, client.QueuedMessages);
            Assert.Equal(model.Sum(one => one.Topic.Length + one.Payload.Length), client.QueuedBytes);
            Assert.Equal(dropped, client.Dropped);
            Assert.Equal(dropped, bench.Events.Dropped.Sum(one => one.Count));
        });

    [Fact]
    public async Task A_publish_is_complete_when_it_is_on_disk_for_a_durable_receiver()
    {
        var journal = new TestJournal();
        var bench = new Bench(journal: journal);
        using LocalClient client = bench.Broker.OpenLocal("p", new LocalClientOptions());
        bench.Connect("durable", expirySeconds: 60).Subscribe("a", QoS.AtLeastOnce);
        journal.Commit();
        Assert.True(client.PublishAsync(Of("b", QoS.AtLeastOnce)).IsCompletedSuccessfully);
        Assert.True(client.PublishAsync(Of("a", QoS.AtMostOnce)).IsCompletedSuccessfully);
        ValueTask<ReasonCode> published = client.PublishAsync(Of("a", QoS.AtLeastOnce));
        Assert.False(published.IsCompleted);
        journal.Commit();
        Assert.Equal(ReasonCode.Success, await published.AsTask().WaitAsync(Deadline.Timeout));
    }

    [Fact]
    public async Task A_publish_waits_while_the_store_cannot_write()
    {
        var journal = new TestJournal { CommitsAtOnce = true };
        var bench = new Bench(journal: journal);
        using LocalClient client = bench.Broker.OpenLocal("p", new LocalClientOptions());
        Client durable = bench.Connect("durable", expirySeconds: 60);
        durable.Subscribe("a", QoS.AtLeastOnce);
        journal.Condition = JournalCondition.Failing;
        using var cancel = new CancellationTokenSource();
        ValueTask<ReasonCode> givenUp = client.PublishAsync(Of("a", QoS.AtLeastOnce), cancel.Token);
        ValueTask<ReasonCode> published = client.PublishAsync(Of("a", QoS.AtLeastOnce));
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => givenUp.AsTask());
        bench.Broker.RunDue();
        Assert.False(published.IsCompleted);
        Assert.Empty(durable.Sent);
        journal.Condition = JournalCondition.Ready;
        bench.Broker.RunDue();
        Assert.Equal(ReasonCode.Success, await published.AsTask().WaitAsync(Deadline.Timeout));
        Assert.Single(durable.Sent);
    }

    [Fact]
    public void What_it_may_not_do_is_refused()
    {
        using LocalClient client = _bench.Broker.OpenLocal("nobody", new LocalClientOptions { Permissions = Permissions.None });
        Assert.Equal(ReasonCode.NotAuthorized, client.Subscribe("a", default));
        Assert.Equal(ReasonCode.NotAuthorized, client.PublishAsync(Of("a", QoS.AtMostOnce)).Result);
        LocalClient other = Open();
        Assert.Equal(ReasonCode.NotAuthorized, other.PublishAsync(Of("$SYS/x", QoS.AtMostOnce)).Result);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("a/#", "a/#b")]
    [InlineData("a\0", "a\0")]
    [InlineData("+", "$share/g")]
    public void What_is_no_topic_or_filter_is_refused(string topic, string filter)
    {
        LocalClient client = Open();
        Assert.Equal(ReasonCode.TopicNameInvalid, client.PublishAsync(Of(topic, QoS.AtMostOnce)).Result);
        Assert.Equal(ReasonCode.TopicFilterInvalid, client.Subscribe(filter, default));
    }

    [Fact]
    public void All_who_get_a_message_share_one_copy()
    {
        LocalClient one = Open(), two = _bench.Broker.OpenLocal("two", new LocalClientOptions());
        two.Subscribe("#", default);
        var message = Of("a", QoS.AtMostOnce);
        Assert.Equal(ReasonCode.Success, one.PublishAsync(message).Result);
        Assert.True(one.TryRead(out LocalDelivery first));
        Assert.True(two.TryRead(out LocalDelivery second));
        Assert.Same(message, first.Message);
        Assert.Same(message, second.Message);
    }

    [Fact]
    public void A_client_closed_twice_or_while_others_publish_loses_nobody_s_message()
    {
        using LocalClient lasting = _bench.Broker.OpenLocal("lasting", new LocalClientOptions { MaxQueuedMessages = 100_000 });
        lasting.Subscribe("a", default);
        const int Publishers = 3, Each = 2_000;
        Parallel.For(0, Publishers + 1, i =>
        {
            if (i < Publishers)
            {
                using LocalClient publisher = _bench.Broker.OpenLocal("p" + i, new LocalClientOptions());
                for (int n = 0; n < Each; n++) Assert.Equal(ReasonCode.Success, publisher.PublishAsync(Of("a", QoS.AtLeastOnce, $"{i} {n}")).Result);
                return;
            }

            for (int n = 0; n < 200; n++)
            {
                LocalClient passing = _bench.Broker.OpenLocal("passing" + n, new LocalClientOptions());
                passing.Subscribe("a", default);
                passing.TryRead(out _);
                passing.Dispose();
                passing.Dispose();
            }
        });
        int[] next = new int[Publishers];
        while (lasting.TryRead(out LocalDelivery read))
        {
            string[] parts = Encoding.UTF8.GetString(read.Message.Payload).Split(' ');
            Assert.Equal(next[int.Parse(parts[0], null)]++, int.Parse(parts[1], null));
        }

        Assert.All(next, count => Assert.Equal(Each, count));
        Assert.Equal(1, _bench.Broker.Subscriptions.Count);
    }

    private static Message Of(string topic, QoS qos, string payload = "m") =>
        new() { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), QoS = qos };

    private LocalClient Open()
    {
        LocalClient client = _bench.Broker.OpenLocal("one", new LocalClientOptions());
        client.Subscribe("a", new SubscriptionOptions(QoS.ExactlyOnce));
        return client;
    }
}
