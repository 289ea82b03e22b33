using System.Text;
using EdgeBroker.Cluster.State;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>Nodes that are given up: what the others forget, and what becomes of one that comes back.</summary>
public sealed class RemovalTests
{
    [Fact]
    public void What_a_removed_node_wants_and_what_waits_for_it_is_forgotten()
    {
        World world = Begin();
        SimNode gone = world.Nodes[2];
        world.Clients.Add(new SimClient("kept", gone, "t/#", QoS.ExactlyOnce));
        world.Settle();
        gone.Crash();
        world.PassUntil(() => StateOf(world) == MemberState.Down);
        world.Nodes[0].Broker.Publish(
            new Publication { Topic = "t/1"u8, Payload = "waits"u8, QoS = QoS.AtLeastOnce }, world.Nodes[0].Context);
        Assert.Equal(1, PeerOf(world.Nodes[0]).Outbox.PendingMessages);

        Give(world, isReplaced: false);
        foreach (SimNode node in world.Nodes.Take(2))
        {
            world.PassUntil(() => PeerOf(node) is { IsForgotten: true, Outbox: { FilterCount: 0, PendingMessages: 0 } });
        }

        // Nothing is asked of the voters: nobody has the session any more.
        var claim = new SimClaim("kept", world.Nodes[0], isClean: false, isKept: true, sawHome: false, sawStarts: true);
        world.PassUntil(() => claim.IsAnswered);
        Assert.True(claim.TryEnter(out SimSessionLink? connection));
        Assert.False(connection.SessionPresent);
        Assert.Equal(0, claim.Grant);
    }

    [Fact]
    public void A_removed_node_that_comes_back_as_it_was_is_told_so_and_serves_nobody()
    {
        World world = Begin();
        SimNode gone = world.Nodes[2];
        gone.Crash();
        world.PassUntil(() => StateOf(world) == MemberState.Down);
        Give(world, isReplaced: false);
        gone.Start();
        world.PassUntil(() => gone.Mesh.Removed is not null);
        Assert.Null(world.Nodes[0].LinkTo(gone));
        var claim = new SimClaim("new", gone, isClean: true, isKept: false, sawHome: false, sawStarts: true);
        world.PassUntil(() => claim.IsAnswered);
        Assert.False(claim.TryEnter(out _));
        world.PassUntil(() => gone.Mesh.Status.Voters?.Cause?.Contains("empty node.data_dir", StringComparison.Ordinal) == true);
        Assert.Equal(MemberState.Left, StateOf(world));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Another_one_with_an_empty_disk_comes_by_its_number_and_gets_what_is_published_from_then_on(bool isReplaced)
    {
        World world = Begin();
        SimNode gone = world.Nodes[2];
        gone.Crash();
        world.PassUntil(() => StateOf(world) == MemberState.Down);
        Give(world, isReplaced);
        world.PassUntil(() => PeerOf(world.Nodes[0]).IsForgotten);
        gone.ReplaceDisk();
        world.Clients.Add(new SimClient("again", gone, "t/#", QoS.ExactlyOnce));
        world.Settle();
        Assert.True(world.HasSettled);
        world.PassUntil(() => StateOf(world) == MemberState.Up);
        Assert.False(PeerOf(world.Nodes[0]).IsForgotten);
        world.Nodes[0].Broker.Publish(
            new Publication { Topic = "t/1"u8, Payload = Encoding.UTF8.GetBytes("new"), QoS = QoS.ExactlyOnce }, world.Nodes[0].Context);
        world.Settle();
        Assert.Equal(["new"], world.Clients[^1].Received);
    }

    private static World Begin() => VoterWorld.Begin();

    private static MemberState StateOf(World world) => world.Voters!.Members[1].View.Members[3].State;

    private static MeshPeer PeerOf(SimNode node) => node.Mesh.Peers.First(peer => peer.Node == 3);

    private static void Give(World world, bool isReplaced)
    {
        Task<Applied> left = world.Voters!.Members[1].ProposeAsync(CommandCodec.Write(new NodeLeft(3, isReplaced)), 1, CancellationToken.None).AsTask();
        world.PassUntil(() => left.IsCompleted && StateOf(world) == MemberState.Left);
    }
}
