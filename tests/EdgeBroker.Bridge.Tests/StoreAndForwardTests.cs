using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>A bridge to a second broker, in one process.</summary>
public sealed class StoreAndForwardTests
{
    private static readonly RouteOptions Out = new() { Local = "plant/#", Remote = "gw/plant/#", MaximumQoS = QoS.ExactlyOnce };
    private static readonly RouteOptions In = new() { Direction = RouteDirection.In, Local = "cmd/#", Remote = "gw/cmd/#", MaximumQoS = QoS.ExactlyOnce };

    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task Messages_go_both_ways_by_their_routes(ProtocolVersion version)
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        BridgeOptions options = Bridges.To(remote.Port, Out, In);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", version == ProtocolVersion.V5 ? options : options.Over311());
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("gw/#", 2);
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.SubscribeAsync("cmd/#", 2);
        await local.UntilConnectedAsync("up");
        for (int qos = 0; qos <= 2; qos++)
        {
            await near.PublishAsync("plant/a", "out" + qos, qos);
            await far.AcknowledgeAsync(await far.ExpectPublishAsync("gw/plant/a", "out" + qos, qos));
            await far.PublishAsync("gw/cmd/b", "in" + qos, qos);
            await far.AcknowledgeAsync(await far.ExpectPublishAsync("gw/cmd/b", "in" + qos, qos));
            await near.AcknowledgeAsync(await near.ExpectPublishAsync("cmd/b", "in" + qos, qos));
        }

        await near.PublishAsync("other", "not carried", 1);
        await local.UntilAsync("up", status => status is { Acknowledged: 2, BacklogMessages: 0, Sent: 3, Received: 3, Refused: 0 });
        await far.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_is_published_while_the_other_side_is_away_waits_and_goes_in_order()
    {
        using var port = new FaultyProxy();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(port.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        for (int i = 0; i < 50; i++) await near.PublishAsync("plant/a", $"{i}", 1 + (i % 2));
        await local.UntilAsync("up", status => status is { BacklogMessages: 50, Sent: 0, LastFault: not null });

        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("gw/#", 1);
        port.Target = remote.Port;
        for (int i = 0; i < 50; i++) await far.AcknowledgeAsync(await far.ExpectPublishAsync("gw/plant/a", $"{i}", 1));
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Acknowledged: 50, Dropped: 0 });
    }

    [Fact]
    public async Task A_message_stays_until_the_other_side_acknowledges_and_comes_again_after_a_cut()
    {
        using var server = new ScriptedServer();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(server.Port, Out).Over311());
        await using TestClient near = await local.Test.ConnectAsync("near");
        using (ScriptedConnection first = await server.AcceptAsync("20 02 00 00"))
        {
            await local.UntilConnectedAsync("up");
            await near.PublishAsync("plant/a", "x", 1);
            ReceivedPacket sent = await first.ReceiveAsync();
            Assert.Equal(("gw/plant/a", "x", 1, false), (sent.Topic, sent.PayloadText, sent.QoS, sent.Dup));
            Assert.Equal(1, local["up"].BacklogMessages);
        }

        using ScriptedConnection second = await server.AcceptAsync("20 02 01 00");
        ReceivedPacket again = await second.ReceiveAsync();
        Assert.Equal(("x", 1, true), (again.PayloadText, again.QoS, again.Dup));
        Assert.Equal(1, local["up"].BacklogMessages);
        await second.SendAsync(Packets.V311.Puback(again.PacketId));
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Acknowledged: 1, Connections: 2 });
    }

    [Fact]
    public async Task Exactly_once_goes_on_where_it_was_cut()
    {
        using var server = new ScriptedServer();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(server.Port, Out).Over311());
        await using TestClient near = await local.Test.ConnectAsync("near");
        int packetId;
        using (ScriptedConnection first = await server.AcceptAsync("20 02 00 00"))
        {
            await local.UntilConnectedAsync("up");
            await near.PublishAsync("plant/a", "x", 2);
            packetId = (await first.ReceiveAsync()).PacketId;
            await first.SendAsync(Packets.V311.Pubrec(packetId));
            Assert.Equal((PacketType.Pubrel, packetId), await TypeAndId(first));
        }

        using ScriptedConnection second = await server.AcceptAsync("20 02 01 00");
        Assert.Equal((PacketType.Pubrel, packetId), await TypeAndId(second));
        await second.SendAsync(Packets.V311.Pubcomp(packetId));
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Acknowledged: 1 });
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.AtMostOnce)]
    public async Task A_server_of_a_lower_QoS_gets_what_it_takes_and_nothing_stays_behind(QoS most)
    {
        using var server = new ScriptedServer();
        // Queued with QoS 2 before the server says what it takes.
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(server.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "x", 2);
        await near.PublishAsync("plant/a", "y", 1);
        using ScriptedConnection connection = await server.AcceptAsync($"20 05 00 00 02 24 0{(int)most}", ProtocolVersion.V5);
        foreach (string expected in new[] { "x", "y" })
        {
            ReceivedPacket sent = await connection.ReceiveAsync();
            Assert.Equal((expected, (int)most), (sent.PayloadText, sent.QoS));
            if (most == QoS.AtLeastOnce) await connection.SendAsync(Packets.V5.Puback(sent.PacketId));
        }

        await local.UntilAsync("up", status => status.BacklogMessages == 0);
    }

    [Fact]
    public async Task A_refusal_for_good_ends_a_message_and_a_full_server_keeps_it()
    {
        using var server = new ScriptedServer();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(server.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        using (ScriptedConnection first = await server.AcceptAsync("20 03 00 00 00", ProtocolVersion.V5))
        {
            await local.UntilConnectedAsync("up");
            await near.PublishAsync("plant/a", "not allowed", 1);
            await first.SendAsync(Packets.V5.Puback((await first.ReceiveAsync()).PacketId, ReasonCode.NotAuthorized));
            await local.UntilAsync("up", status => status is { Refused: 1, BacklogMessages: 0, LastFault.Layer: FailureLayer.Permission });
            await near.PublishAsync("plant/a", "too many", 1);
            await first.SendAsync(Packets.V5.Puback((await first.ReceiveAsync()).PacketId, ReasonCode.QuotaExceeded));
        }

        using ScriptedConnection second = await server.AcceptAsync("20 03 01 00 00", ProtocolVersion.V5);
        ReceivedPacket again = await second.ReceiveAsync();
        Assert.Equal(("too many", true), (again.PayloadText, again.Dup));
        Assert.Equal(1, local["up"].Refused);
    }

    [Fact]
    public async Task A_server_that_acknowledges_nothing_is_left_and_tried_again()
    {
        using var server = new ScriptedServer();
        await using BridgedBroker local =
            await BridgedBroker.StartAsync("one", Bridges.To(server.Port, Out).Over311() with { StallTimeout = TimeSpan.FromSeconds(1) });
        await using TestClient near = await local.Test.ConnectAsync("near");
        using ScriptedConnection first = await server.AcceptAsync("20 02 00 00");
        await local.UntilConnectedAsync("up");
        await near.PublishAsync("plant/a", "x", 1);
        await first.ReceiveAsync();
        using ScriptedConnection second = await server.AcceptAsync("20 02 01 00");
        Assert.True((await second.ReceiveAsync()).Dup);
        await local.UntilAsync("up", status => status.LastFault?.Text.Contains("acknowledged none of 1 message(s)", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_message_too_large_for_the_server_is_dropped_and_said()
    {
        using var server = new ScriptedServer();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(server.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        using ScriptedConnection connection = await server.AcceptAsync("20 08 00 00 05 27 00000064", ProtocolVersion.V5);
        await local.UntilConnectedAsync("up");
        await near.PublishAsync("plant/a", new string('x', 100), 1);
        await near.PublishAsync("plant/a", "short", 1);
        Assert.Equal("short", (await connection.ReceiveAsync()).PayloadText);
        await local.UntilAsync("up", status => status is { Dropped: 1, BacklogMessages: 1 });
        Assert.Contains("larger", local["up"].LastFault!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backlog_goes_at_its_rate()
    {
        using var port = new FaultyProxy();
        var rate = new RateLimit(20, TimeSpan.FromSeconds(1), 1);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(port.Port, Out) with { DrainRate = rate });
        await using TestClient near = await local.Test.ConnectAsync("near");
        for (int i = 0; i < 12; i++) await near.PublishAsync("plant/a", $"{i}", 1);
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("gw/#", 1);
        long start = Environment.TickCount64;
        port.Target = remote.Port;
        for (int i = 0; i < 12; i++) await far.AcknowledgeAsync(await far.ExpectPublishAsync("gw/plant/a", $"{i}", 1));
        Assert.InRange(Environment.TickCount64 - start, 500, 20_000);
        await local.UntilAsync("up", status => status.BacklogMessages == 0);
    }

    [Fact]
    public async Task QoS_0_waits_when_asked_to()
    {
        using var port = new FaultyProxy();
        await using BridgedBroker local =
            await BridgedBroker.StartAsync("one", Bridges.To(port.Port, Out) with { Queue = Bridges.Queue with { KeepsQoS0 = true } });
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "kept", 0);
        await local.UntilAsync("up", status => status.BacklogMessages == 1);
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("gw/#", 1);
        port.Target = remote.Port;
        await far.ExpectPublishAsync("gw/plant/a", "kept");
    }

    private static async Task<(PacketType Type, int PacketId)> TypeAndId(ScriptedConnection connection)
    {
        ReceivedPacket packet = await connection.ReceiveAsync();
        return (packet.Type, packet.PacketId);
    }
}
