using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>Two or three linked nodes on which nothing goes wrong.</summary>
public sealed class FlowTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_message_reaches_another_node_once_and_goes_no_further(int qos)
    {
        World world = Linked(3);
        var subscriber = new SimClient("b", world.Nodes[1], "t/1", QoS.ExactlyOnce);
        var other = new SimClient("c", world.Nodes[2], "t/1", QoS.ExactlyOnce);
        Serve(world, subscriber, other);
        Publish(world.Nodes[0], "t/1", "m1", (QoS)qos);
        Serve(world, subscriber, other);
        Assert.Equal(["m1"], subscriber.Received);
        Assert.Equal(["m1"], other.Received);
        // Taken once by each of the others, from node 1.
        Assert.Equal([0, 1, 1], world.Nodes.Select(node => node.Mesh.Peers.Sum(peer => peer.Inbox.Taken)));
    }

    [Fact]
    public void A_flow_that_is_acknowledged_at_once_writes_nothing_on_either_node()
    {
        World world = Linked(2);
        var subscriber = new SimClient("b", world.Nodes[1], "t/1", QoS.AtLeastOnce);
        Serve(world, subscriber);
        (int first, int second) = (world.Nodes[0].Journal.MessagesWritten, world.Nodes[1].Journal.MessagesWritten);
        for (int i = 0; i < 20; i++)
        {
            PublishOutcome outcome = Publish(world.Nodes[0], "t/1", "m" + i, QoS.AtLeastOnce);
            // The disk is slower than the network here: acknowledgements come back before it writes.
            Exchange(world, subscriber);
            Assert.True(outcome.Completion is null or { IsDone: true });
        }

        Serve(world, subscriber);
        Assert.Equal(20, subscriber.Received.Count);
        Assert.Equal((first, second), (world.Nodes[0].Journal.MessagesWritten, world.Nodes[1].Journal.MessagesWritten));
    }

    [Fact]
    public void What_nobody_elsewhere_wants_stays_here()
    {
        World world = Linked(2);
        var subscriber = new SimClient("b", world.Nodes[1], "t/1", QoS.AtLeastOnce);
        Serve(world, subscriber);
        Publish(world.Nodes[0], "t/2", "m", QoS.AtLeastOnce);
        Serve(world, subscriber);
        Assert.Equal(0, world.Nodes[1].Mesh.Peers.Single().Inbox.Taken);
    }

    [Fact]
    public void A_publisher_never_waits_for_a_node_that_does_not_read()
    {
        World world = Linked(2);
        var subscriber = new SimClient("b", world.Nodes[1], "t/1", QoS.AtLeastOnce);
        Serve(world, subscriber);
        for (int i = 0; i < 200; i++)
        {
            PublishOutcome outcome = Publish(world.Nodes[0], "t/1", new string('x', 500) + i, QoS.AtLeastOnce);
            world.Nodes[0].Journal.Commit(int.MaxValue);
            Assert.False(outcome.Reason.IsError());
            // It waits on this node's disk, as for a session that is away.
            if (i > 50) Assert.True(outcome.Completion is null or { IsDone: true });
        }

        Assert.True(world.Nodes[0].Mesh.Peers.Single().Link!.Output.BytesOf(Cluster.Links.FrameClass.Messages) < 5_000);
        Serve(world, subscriber);
        Assert.Equal(200, subscriber.Received.Count);
    }

    [Fact]
    public void QoS_0_goes_in_bursts_and_is_not_repeated()
    {
        World world = Linked(2);
        var link = new CountingLink();
        SimNode there = world.Nodes[1];
        Core.Sessions.ConnectionLease lease =
            there.Broker.Connect("c", cleanStart: true, new Core.Sessions.SessionGrant(0, 10, null), there.Context, link)!.Value;
        there.Broker.Subscribe(lease.Session, lease, "t/#"u8, new SubscriptionOptions(QoS.AtMostOnce), 0, out _);
        Serve(world);
        SimNode here = world.Nodes[0];
        for (int i = 0; i < 100; i++)
        {
            here.Broker.Publish(new Publication { Topic = "t/1"u8, Payload = World.Bytes("m" + i) }, here.Context, here.Context.Batch);
        }

        here.Broker.Deliver(here.Context.Batch, here.Context);
        Serve(world);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => "m" + i), link.Payloads);
    }

    [Fact]
    public void An_old_retained_value_gets_a_stamp_and_reaches_the_others()
    {
        var world = new World(3, 2);
        world.Nodes[0].Broker.Retained.Restore("r/old"u8, new Message { Topic = World.Bytes("r/old"), Payload = World.Bytes("v"), Ordinal = 1 }, 1);
        Serve(world);
        Assert.Equal("v", World.Text(world.Nodes[1].Broker.Retained.Look("r/old"u8)!.Payload));
        Assert.Equal(world.Nodes[0].RetainedSet(true), world.Nodes[1].RetainedSet(true));
    }

    [Fact]
    public void A_session_stays_where_it_is_when_the_connection_it_was_to_end_with_never_came()
    {
        World world = Linked(2);
        var client = new SimClient("b", world.Nodes[0], "t/1", QoS.AtLeastOnce);
        Serve(world, client);
        client.Disconnect();
        var claim = new SimClaim("b", world.Nodes[0], isClean: false, isKept: false, sawHome: true, sawStarts: true);
        Serve(world);
        Assert.True(claim.IsAnswered);
        claim.Abandon();
        Serve(world);
        Assert.True(world.Nodes[0].Mesh.Sessions.Owns("b"));
        Assert.NotNull(world.Nodes[1].Mesh.Peers.Single().Sessions.Find("b"));
    }

    private static World Linked(int nodes)
    {
        var world = new World(3, nodes);
        world.Clients.Clear();
        world.Run(0);
        Assert.True(world.HasSettled);
        return world;
    }

    private static void Serve(World world, params SimClient[] clients)
    {
        world.Clients.Clear();
        world.Clients.AddRange(clients);
        world.Settle();
        Assert.True(world.HasSettled);
    }

    // Without the disks.
    private static void Exchange(World world, SimClient client)
    {
        for (int i = 0; i < 20; i++)
        {
            foreach (SimConnection connection in world.Network.Connections)
            {
                connection.MoveAll();
            }

            client.Act();
            foreach (SimNode node in world.Nodes) node.RunIfAsked();
        }
    }

    private static PublishOutcome Publish(SimNode node, string topic, string payload, QoS qos) =>
        node.Broker.Publish(new Publication { Topic = World.Bytes(topic), Payload = World.Bytes(payload), QoS = qos }, node.Context);

    private sealed class CountingLink : Core.Ports.ISessionLink
    {
        public List<string> Payloads { get; } = [];

        public bool HasRoom => true;

        public void RequestPumpWhenDrained()
        {
        }

        public void Prepare(Core.Sessions.Session session)
        {
        }

        public void SendConnack(bool sessionPresent)
        {
        }

        public Core.Ports.SendOutcome Send(in Core.Ports.Delivery delivery, in Publication message, Core.Routing.RoutingContext context)
        {
            Payloads.Add(World.Text(message.Payload));
            return Core.Ports.SendOutcome.Sent;
        }

        public void SendPubrel(ushort packetId)
        {
        }

        public void RequestPump()
        {
        }

        public void Close(ReasonCode reason)
        {
        }
    }
}
