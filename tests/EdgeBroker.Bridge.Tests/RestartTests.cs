using EdgeBroker.Bridge.Routes;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>What survives a restart of this side, on a real store.</summary>
public sealed class RestartTests : IDisposable
{
    private static readonly RouteOptions Out = new() { Local = "plant/#", MaximumQoS = QoS.ExactlyOnce };

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task A_backlog_survives_a_restart_and_goes_in_order()
    {
        using var port = new FaultyProxy();
        string data = Path.Combine(_directory.Path, "data");
        await using (DurableBroker first = await DurableBroker.StartAsync(data, Bridges.To(port.Port, Out)))
        {
            await using TestClient near = await first.Bridged.Test.ConnectAsync("near");
            for (int i = 0; i < 600; i++) await near.PublishAsync("plant/a", $"{i}", 1);
            await first.Bridged.UntilAsync("up", status => status.BacklogMessages == 600);
        }

        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        port.Target = remote.Port;
        await using DurableBroker second = await DurableBroker.StartAsync(data, Bridges.To(port.Port, Out));
        for (int i = 0; i < 600; i++) await far.AcknowledgeAsync(await far.ExpectPublishAsync("plant/a", $"{i}", 1));
        await second.Bridged.UntilAsync("up", status => status is { BacklogMessages: 0, Dropped: 0 });
    }

    [Fact]
    public async Task Killed_in_mid_drain_it_loses_nothing_and_sends_again_only_what_was_not_acknowledged()
    {
        using var server = new ScriptedServer();
        string data = Path.Combine(_directory.Path, "data");
        string copy = Path.Combine(_directory.Path, "copy");
        await using (DurableBroker first = await DurableBroker.StartAsync(data, Bridges.To(server.Port, Out).Over311()))
        {
            await using TestClient near = await first.Bridged.Test.ConnectAsync("near");
            using ScriptedConnection connection = await server.AcceptAsync("20 02 00 00");
            await first.Bridged.UntilConnectedAsync("up");
            for (int i = 0; i < 5; i++) await near.PublishAsync("plant/a", $"{i}", 1);
            for (int i = 0; i < 5; i++)
            {
                ReceivedPacket packet = await connection.ReceiveAsync();
                Assert.Equal($"{i}", packet.PayloadText);
                if (i < 2) await connection.SendAsync(Packets.V311.Puback(packet.PacketId));
            }

            await first.Bridged.UntilAsync("up", status => status.BacklogMessages == 3);
            // The journal writes what is done with in its own time; a message published behind it waits for the disk, and so for all before it.
            await near.PublishAsync("plant/a", "5", 1);
            DurableBroker.CopyAsKilled(data, copy);
        }

        await using DurableBroker second = await DurableBroker.StartAsync(copy, Bridges.To(server.Port, Out).Over311());
        using ScriptedConnection again = await server.AcceptAsync("20 02 01 00");
        var seen = new List<string>();
        while (seen.LastOrDefault() != "5")
        {
            ReceivedPacket packet = await again.ReceiveAsync();
            seen.Add(packet.PayloadText);
            await again.SendAsync(Packets.V311.Puback(packet.PacketId));
        }

        Assert.Equal(["2", "3", "4", "5"], seen.SkipWhile(payload => payload is "0" or "1"));
        await second.Bridged.UntilAsync("up", status => status.BacklogMessages == 0);
    }

    [Fact]
    public async Task What_comes_in_is_acknowledged_when_it_is_on_disk_and_QoS_2_comes_once_over_a_restart()
    {
        using var server = new ScriptedServer();
        string data = Path.Combine(_directory.Path, "data");
        var inward = new RouteOptions { Direction = RouteDirection.In, Local = "cmd/#", MaximumQoS = QoS.ExactlyOnce };
        await using (DurableBroker first = await DurableBroker.StartAsync(data, Bridges.To(server.Port, inward).Over311()))
        {
            await using TestClient reader = await first.Bridged.Test.ConnectAsync("reader", ProtocolVersion.V311, cleanStart: false);
            await reader.SubscribeAsync("cmd/#", 2);
            await reader.DropAsync();
            using ScriptedConnection connection = await server.AcceptAsync("20 02 00 00");
            await connection.SendAsync(Packets.V311.Suback(await connection.ReadSubscribeAsync(), 2));
            await connection.SendAsync(Packets.V311.Publish("cmd/a", "once", 2, 77));
            Assert.Equal(PacketType.Pubrec, (await connection.ReceiveAsync()).Type);
        }

        await using DurableBroker second = await DurableBroker.StartAsync(data, Bridges.To(server.Port, inward).Over311());
        using ScriptedConnection again = await server.AcceptAsync("20 02 01 00");
        await again.SendAsync(Packets.V311.Suback(await again.ReadSubscribeAsync(), 2));
        await again.SendAsync(Packets.V311.Publish("cmd/a", "once", 2, 77, dup: true));
        Assert.Equal(PacketType.Pubrec, (await again.ReceiveAsync()).Type);
        await again.SendAsync(Packets.V311.Pubrel(77));
        Assert.Equal(PacketType.Pubcomp, (await again.ReceiveAsync()).Type);
        await using TestClient back = await second.Bridged.Test.ConnectAsync("reader", ProtocolVersion.V311, cleanStart: false, sessionPresent: true);
        await back.AcknowledgeAsync(await back.ExpectPublishAsync("cmd/a", "once", 2));
        await back.ExpectNothingAsync();
    }

    public void Dispose() => _directory.Dispose();
}
