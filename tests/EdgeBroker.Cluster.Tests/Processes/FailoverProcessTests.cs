using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Cluster.Tests.Processes;

/// <summary>Three published executables that vote: the death of their leader, and what becomes of its clients.</summary>
public sealed class FailoverProcessTests
{
    [Fact]
    public async Task Another_node_leads_when_the_leader_is_killed_and_lets_its_clients_in()
    {
        await using var crew = new Crew(votes: true);
        await crew.StartAsync(1, 2, 3);
        await crew.LinkedAsync(1, 2, 3);
        await crew.FormAsync();
        int leader = await crew.LeaderAsync(1);
        int[] others = [.. new[] { 1, 2, 3 }.Where(one => one != leader)];
        TestClient client = await crew.ConnectAsync(leader, "roamer", cleanStart: false, sessionPresent: false);
        await client.SubscribeAsync("plant/#", options: 1);

        crew.Kill(leader);
        string[] states = [.. new[] { 1, 2, 3 }.Select(one => one == leader ? "Down" : "Up")];
        foreach (int other in others) await crew.MembersAsync(other, states);
        Assert.NotEqual(leader, await crew.LeaderAsync(others[0]));
        client = await crew.ConnectAsync(others[0], "roamer", cleanStart: false, sessionPresent: false);
        await client.SubscribeAsync("other/#", options: 1);
        await crew.ExpectRefusedAsync(others[1], "roamer", ReasonCode.UseAnotherServer);

        // Back, it is a member as before, and the client's session is where its newest connection is.
        await crew.StartAsync(leader);
        await crew.LinkedAsync(1, 2, 3);
        foreach (int node in new[] { 1, 2, 3 }) await crew.MembersAsync(node, "Up", "Up", "Up");
        await crew.ExpectRefusedAsync(leader, "roamer", ReasonCode.UseAnotherServer);
        TestClient publisher = await crew.ConnectAsync(leader, "publisher", cleanStart: true);
        await publisher.PublishAsync("other/a", "to the new session", qos: 1);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("other/a", "to the new session", qos: 1));
    }

    [Fact]
    public async Task The_will_of_a_killed_node_s_client_is_heard_once()
    {
        await using var crew = new Crew(votes: true);
        await crew.StartAsync(1, 2, 3);
        await crew.LinkedAsync(1, 2, 3);
        await crew.FormAsync();
        int leader = await crew.LeaderAsync(1);
        int other = leader == 1 ? 2 : 1;
        TestClient watcher = await crew.ConnectAsync(other, "watcher", cleanStart: true);
        await watcher.SubscribeAsync("gone/#", options: 1);
        await crew.MournAsync(leader, "press", "gone/press", "the press is gone");
        // The others have a copy of it.
        await crew.SysAsync(other, "cluster/wills/copies", "1");

        crew.Kill(leader);
        await watcher.AcknowledgeAsync(await watcher.ExpectPublishAsync("gone/press", "the press is gone", qos: 1));
        await crew.StartAsync(leader);
        await crew.SaidAsync(leader, "this node was taken for dead: the wills of 1 client(s)");
        await crew.LinkedAsync(1, 2, 3);
        TestClient publisher = await crew.ConnectAsync(leader, "publisher", cleanStart: true);
        await publisher.PublishAsync("gone/nobody", "next", qos: 1);
        await watcher.ExpectPublishAsync("gone/nobody", "next", qos: 1);
    }
}
