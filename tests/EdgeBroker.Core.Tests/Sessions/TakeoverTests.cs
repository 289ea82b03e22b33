using System.Text;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>One client id from many threads at once.</summary>
public sealed class TakeoverTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_id_belongs_to_the_user_whose_session_is_connected_or_kept(bool cleanStart)
    {
        var bench = new Bench();
        ConnectionLease? Connect(string? userName) =>
            bench.Broker.Connect("press", cleanStart, new SessionGrant(60, 10, null) { UserName = userName }, bench.Context, new FakeLink());
        ConnectionLease anna = Connect("anna")!.Value;
        Assert.Null(Connect("bert"));
        Assert.Null(Connect(null));
        Assert.True(anna.Session.IsConnected);
        bench.Broker.Disconnect(anna, discardWill: true, newExpirySeconds: null, bench.Context);
        Assert.Null(Connect("bert"));
        anna = Connect("anna")!.Value;
        Assert.Equal("anna", anna.Session.UserName);
        // What ends with its connection is nobody's any more.
        bench.Broker.Disconnect(anna, discardWill: true, newExpirySeconds: 0, bench.Context);
        Assert.Equal("bert", Connect("bert")!.Value.Session.UserName);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_storm_of_takeovers_leaves_one_connection_and_a_tree_that_agrees_with_it(bool cleanStart)
    {
        const int threads = 4, rounds = 2_000;
        var bench = new Bench();
        bool done = false;
        Task publisher = Task.Run(() =>
        {
            RoutingContext context = bench.Broker.CreateContext();
            for (int i = 0; !Volatile.Read(ref done); i++)
            {
                bench.Broker.Publish(
                    new Messages.Publication { Topic = Encoding.UTF8.GetBytes("t" + (i % 3)), Payload = "m"u8, QoS = QoS.AtLeastOnce }, context);
            }
        });
        Task[] clients = [.. Enumerable.Range(0, threads).Select(thread => Task.Run(() => Storm(bench, cleanStart, rounds, thread)))];
        await Task.WhenAll(clients);
        Volatile.Write(ref done, true);
        await publisher;

        Client last = bench.Connect("one", expirySeconds: 60);
        Assert.Equal((1, 1), (bench.Broker.SessionCount, bench.Broker.ConnectedCount));
        Assert.Equal(last.Session.SubscriptionCount, bench.Broker.Subscriptions.Count);
        last.Drop();
        bench.Advance(61);
        Assert.Equal((0, 0, 0), (bench.Broker.SessionCount, bench.Broker.ConnectedCount, bench.Broker.Subscriptions.Count));
        Assert.True(bench.Broker.Subscriptions.Root.IsEmpty);
    }

    private static void Storm(Bench bench, bool cleanStart, int rounds, int thread)
    {
        RoutingContext context = bench.Broker.CreateContext();
        var random = new Random(thread);
        for (int i = 0; i < rounds; i++)
        {
            var link = new QuietLink();
            ConnectionLease lease = bench.Broker.Connect("one", cleanStart, new SessionGrant(random.Next(4) == 0 ? 0u : 60, 10, null), context, link)!.Value;
            byte[] filter = Encoding.UTF8.GetBytes("t" + random.Next(3));
            bench.Broker.Subscribe(lease.Session, lease, filter, new SubscriptionOptions(QoS.AtLeastOnce), 0, out _);
            bench.Broker.Pump(lease, context);
            if (random.Next(3) == 0) bench.Broker.Unsubscribe(lease.Session, lease, filter, out _);
            if (random.Next(2) == 0) bench.Broker.Disconnect(lease, discardWill: true, null, context);
        }
    }
}
