using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Cluster.Tests.Processes;

/// <summary>Three published executables that vote: nodes that are given up, and those that come by their numbers.</summary>
public sealed class MembershipProcessTests
{
    [Fact]
    public async Task A_removed_node_serves_nobody_until_it_comes_back_with_an_empty_disk()
    {
        await using Crew crew = await FormAsync();
        Assert.Equal(1, crew.Tell(1, "cluster", "remove", "3").ExitCode);
        crew.Kill(3);
        await crew.MembersAsync(1, "Up", "Up", "Down");
        await crew.TellUntilAsync(1, "node 3 is removed", "cluster", "remove", "3");
        await crew.MembersAsync(2, "Up", "Up", "Left");

        await crew.StartAsync(3);
        await crew.CauseAsync(3, "node 3 was removed from the cluster");
        await crew.ExpectRefusedAsync(3, "client", ReasonCode.ServerUnavailable);
        crew.Kill(3);
        crew.LoseDisk(3);
        await crew.StartAsync(3);
        await UpAsync(crew);
    }

    [Fact]
    public async Task A_voter_that_has_lost_its_disk_does_not_vote_until_it_is_replaced()
    {
        await using Crew crew = await FormAsync();
        crew.Kill(3);
        await crew.MembersAsync(1, "Up", "Up", "Down");
        crew.LoseDisk(3);
        await crew.StartAsync(3);
        await crew.CauseAsync(3, "its Raft log is lost");
        await crew.MembersAsync(1, "Up", "Up", "Down");

        await crew.TellUntilAsync(1, "node 3 is given up", "cluster", "replace", "3");
        await UpAsync(crew);
        TestClient subscriber = await crew.ConnectAsync(3, "subscriber", cleanStart: true);
        await subscriber.SubscribeAsync("plant/#", options: 1);
        TestClient publisher = await crew.ConnectAsync(1, "publisher", cleanStart: true);
        await publisher.PublishAsync("plant/a", "to the new node", qos: 1);
        await subscriber.ExpectPublishAsync("plant/a", "to the new node", qos: 1);
    }

    private static async Task<Crew> FormAsync()
    {
        var crew = new Crew(votes: true);
        await crew.StartAsync(1, 2, 3);
        await crew.LinkedAsync(1, 2, 3);
        await crew.FormAsync();
        return crew;
    }

    private static async Task UpAsync(Crew crew)
    {
        foreach (int node in new[] { 1, 2, 3 }) await crew.MembersAsync(node, "Up", "Up", "Up");
        await crew.LinkedAsync(1, 2, 3);
    }
}
