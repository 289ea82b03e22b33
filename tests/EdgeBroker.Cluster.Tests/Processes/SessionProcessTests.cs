using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Cluster.Tests.Processes;

/// <summary>Three published executables: which of them has a client's session, through the death of processes.</summary>
public sealed class SessionProcessTests
{
    [Fact]
    public async Task A_session_has_one_node_and_a_clean_start_ends_it_on_one_that_is_away()
    {
        await using var crew = new Crew();
        await crew.StartAsync(1, 2, 3);
        await crew.LinkedAsync(1, 2, 3);
        TestClient client = await crew.ConnectAsync(1, "roamer", cleanStart: false, sessionPresent: false);
        await client.SubscribeAsync("plant/#", options: 2);
        await crew.ExpectRefusedAsync(2, "roamer", ReasonCode.UseAnotherServer);

        // Its node dies and comes back: elsewhere it is known whose the session is, and here it is found.
        crew.Kill(1);
        TestClient publisher = await crew.ConnectAsync(2, "publisher", cleanStart: true);
        await publisher.PublishAsync("plant/a", "queued", qos: 2);
        await crew.ExpectRefusedAsync(2, "roamer", ReasonCode.ServerUnavailable);
        await crew.StartAsync(1);
        await crew.LinkedAsync(1, 2, 3);
        await crew.ExpectRefusedAsync(3, "roamer", ReasonCode.UseAnotherServer);
        client = await crew.ConnectAsync(1, "roamer", cleanStart: false, sessionPresent: true);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("plant/a", "queued", qos: 2));

        // A clean start goes on without the node that has the session. That this is over outlives the death of whoever knows it, but for the disk.
        crew.Kill(1);
        client = await crew.ConnectAsync(2, "roamer", cleanStart: true, sessionPresent: false);
        // So that the new one is on disk, too.
        await client.SubscribeAsync("other/#", options: 1);
        crew.Kill(2);
        crew.Kill(3);
        await crew.StartAsync(1, 2, 3);
        await crew.LinkedAsync(1, 2, 3);
        await crew.ExpectRefusedAsync(1, "roamer", ReasonCode.UseAnotherServer);
        client = await crew.ConnectAsync(2, "roamer", cleanStart: false, sessionPresent: true);
        publisher = await crew.ConnectAsync(3, "publisher", cleanStart: true);
        await publisher.PublishAsync("plant/b", "for the session that is over", qos: 1);
        await client.ExpectNothingAsync();
    }
}
