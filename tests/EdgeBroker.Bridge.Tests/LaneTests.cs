using EdgeBroker.Bridge.Routes;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>Lanes: what goes by one does not wait behind what waits in another.</summary>
public sealed class LaneTests : IDisposable
{
    private const int Backlog = 200;

    private static readonly RouteOptions Alarms = new() { Local = "plant/alarm/#", Lane = "alarms" };
    private static readonly RouteOptions Rest = new() { Local = "plant/#" };
    private static readonly LaneOptions AlarmLane = new() { Name = "alarms", Queue = Bridges.Queue };

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task A_live_message_passes_a_backlog_that_is_drained_at_its_rate()
    {
        using var port = new FaultyProxy();
        // The backlog takes minutes.
        BridgeOptions options = ToLanes(port.Port) with { DrainRate = new RateLimit(1, TimeSpan.FromSeconds(1), 1) };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options);
        await using TestClient near = await local.Test.ConnectAsync("near");
        for (int i = 0; i < Backlog; i++) await near.PublishAsync("plant/a", $"{i}", 1);
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        port.Target = remote.Port;
        await local.UntilConnectedAsync("up");
        int waited = 0;
        for (int i = 0; i < 3; i++)
        {
            await near.PublishAsync("plant/alarm/fire", $"{i}", 1);
            waited += await UntilAlarmAsync(far, $"{i}", waited);
        }

        Assert.InRange(waited, 0, Backlog - 1);
        Assert.InRange(local["up"].BacklogMessages, 1, Backlog);
        // In the order in which they go.
        await local.UntilAsync("up", status => status.Lanes is [{ Name: "alarms", BacklogMessages: 0 }, { Name: "", BacklogMessages: > 0, BacklogBytes: > 0 }]);
    }

    [Fact]
    public async Task A_lane_has_room_in_flight_while_another_waits_for_its_acknowledgements()
    {
        using var server = new ScriptedServer();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", ToLanes(server.Port).Over311() with { MaximumInflight = 4 });
        await using TestClient near = await local.Test.ConnectAsync("near");
        using ScriptedConnection connection = await server.AcceptAsync("20 02 00 00");
        await local.UntilConnectedAsync("up");
        for (int i = 0; i < 10; i++) await near.PublishAsync("plant/a", $"{i}", 1);
        ReceivedPacket[] waiting = [await connection.ReceiveAsync(), await connection.ReceiveAsync()];
        await near.PublishAsync("plant/alarm/a", "alarm", 1);
        ReceivedPacket alarm = await connection.ReceiveAsync();
        Assert.Equal("alarm", alarm.PayloadText);
        Assert.DoesNotContain(alarm.PacketId, waiting.Select(one => one.PacketId));
        await connection.SendAsync(Packets.V311.Puback(alarm.PacketId));
        await local.UntilAsync("up", status => status is { BacklogMessages: 10, Acknowledged: 1 });
        // An acknowledgement is for the lane whose message it was: the next of that lane goes.
        await connection.SendAsync(Packets.V311.Puback(waiting[0].PacketId));
        Assert.Equal("2", (await connection.ReceiveAsync()).PayloadText);
        await local.UntilAsync("up", status => status is { BacklogMessages: 9, Acknowledged: 2 });
    }

    [Fact]
    public async Task What_waits_in_lanes_survives_a_restart_and_each_topic_keeps_its_order()
    {
        using var port = new FaultyProxy();
        string data = Path.Combine(_directory.Path, "data");
        await using (DurableBroker first = await DurableBroker.StartAsync(data, ToLanes(port.Port)))
        {
            await using TestClient near = await first.Bridged.Test.ConnectAsync("near");
            for (int i = 0; i < 100; i++) await near.PublishAsync(i % 2 == 0 ? "plant/a" : "plant/alarm/b", $"{i}", 1);
            await first.Bridged.UntilAsync("up", status => status.BacklogMessages == 100);
        }

        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        port.Target = remote.Port;
        await using DurableBroker second = await DurableBroker.StartAsync(data, ToLanes(port.Port));
        var came = new Dictionary<string, List<int>> { ["plant/a"] = [], ["plant/alarm/b"] = [] };
        for (int i = 0; i < 100; i++)
        {
            ReceivedPacket packet = await far.ExpectAsync(PacketType.Publish);
            await far.AcknowledgeAsync(packet);
            came[packet.Topic].Add(int.Parse(packet.PayloadText, System.Globalization.CultureInfo.InvariantCulture));
        }

        Assert.Equal(Enumerable.Range(0, 50).Select(i => 2 * i), came["plant/a"]);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (2 * i) + 1), came["plant/alarm/b"]);
        await second.Bridged.UntilAsync("up", status => status is { BacklogMessages: 0, Dropped: 0 });
    }

    [Fact]
    public async Task What_came_in_does_not_go_out_by_a_lane()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        RouteOptions both = Alarms with { Direction = RouteDirection.Both };
        BridgeOptions options = Bridges.To(remote.Port, both) with { Lanes = [AlarmLane], TellsPath = false };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options.Over311(isBridge: true));
        await local.UntilConnectedAsync("up");
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.SubscribeAsync("plant/#", 1);
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        await far.PublishAsync("plant/alarm/a", "from far", 1);
        await far.AcknowledgeAsync(await far.ExpectPublishAsync("plant/alarm/a", "from far", 1));
        await near.AcknowledgeAsync(await near.ExpectPublishAsync("plant/alarm/a", "from far", 1));
        await local.UntilAsync("up", status => status is { Received: 1, Sent: 0, BacklogMessages: 0 });
        await far.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_lane_that_is_taken_out_leaves_no_session_behind()
    {
        using var port = new FaultyProxy();
        BridgeOptions options = ToLanes(port.Port);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options);
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/alarm/a", "goes with its lane", 1);
        await near.PublishAsync("plant/a", "stays", 1);
        await local.UntilAsync("up", status => status.BacklogMessages == 2);
        await local.ReloadAsync(Bridges.To(port.Port, Rest));
        await local.UntilAsync("up", status => status.BacklogMessages == 1);
        Assert.Equal(["$bridge/up"], local.Broker.SessionIds.Where(id => id.StartsWith("$bridge/", StringComparison.Ordinal)));
    }

    public void Dispose() => _directory.Dispose();

    private static BridgeOptions ToLanes(int port) => Bridges.To(port, Alarms, Rest) with { Lanes = [AlarmLane] };

    /// <summary>Takes messages until the alarm comes; returns how many others came, in their order, before it.</summary>
    private static async Task<int> UntilAlarmAsync(TestClient far, string alarm, int next)
    {
        for (int others = 0; ; others++)
        {
            ReceivedPacket packet = await far.ExpectAsync(PacketType.Publish);
            await far.AcknowledgeAsync(packet);
            if (packet.Topic == "plant/alarm/fire")
            {
                Assert.Equal(alarm, packet.PayloadText);
                return others;
            }

            Assert.Equal($"{next + others}", packet.PayloadText);
        }
    }
}
