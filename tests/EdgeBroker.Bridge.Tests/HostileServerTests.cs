using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>Other sides that break the rules, say nothing, or say too much; and orders that cross each other.</summary>
public sealed class HostileServerTests : IDisposable
{
    private const string Welcome311 = "20 02 01 00";
    private const string Welcome5 = "20 03 01 00 00";

    private static readonly RouteOptions Out = new() { Local = "plant/#", MaximumQoS = QoS.ExactlyOnce };
    private static readonly RouteOptions In = new() { Direction = RouteDirection.In, Local = "cmd/#", MaximumQoS = QoS.ExactlyOnce };

    private readonly ScriptedServer _server = new();

    [Theory]
    [InlineData("90 03 FF FE 01")] // SUBACK of a SUBSCRIBE that was not
    [InlineData("B0 02 00 01")] // UNSUBACK
    [InlineData("50 02 00 00")] // PUBREC for identifier 0
    [InlineData("20 02 00 00")] // CONNACK again
    [InlineData("82 08 00 01 00 03 61 2F 62 00")] // SUBSCRIBE, which is for servers
    [InlineData("30 02 00 00")] // PUBLISH without a topic
    [InlineData("36 05 00 01 61 00 01")] // QoS 3
    [InlineData("30 04 00 02 C3 28")] // a topic that is not UTF-8
    [InlineData("30 FF FF FF FF 01")] // a length of five bytes
    [InlineData("30 FF FF FF 7F")] // the largest packet that can be announced
    [InlineData("40 02 00 01")] // PUBACK for what went with QoS 2
    [InlineData("00 00")]
    [InlineData("48 54 54 50 2F 31 2E 31 20 34 30 30 0D 0A")] // HTTP
    public async Task What_breaks_the_rules_ends_the_connection_and_the_next_one_goes_on(string bytes)
    {
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(_server.Port, Out).Over311());
        await using TestClient near = await local.Test.ConnectAsync("near");
        using (ScriptedConnection first = await _server.AcceptAsync(Welcome311))
        {
            await local.UntilConnectedAsync("up");
            await near.PublishAsync("plant/a", "kept", 2);
            Assert.Equal("kept", (await first.ReceiveAsync()).PayloadText);
            await first.SendAsync(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)));
            // It is the bridge that ends it: the server holds on.
            await local.UntilAsync("up", status => status.Phase != BridgePhase.Connected && status.LastFault is not null);
        }

        using ScriptedConnection second = await _server.AcceptAsync(Welcome311);
        ReceivedPacket again = await second.ReceiveAsync();
        Assert.Equal(("kept", true, 2), (again.PayloadText, again.Dup, again.QoS));
        await second.SendAsync(Packets.V311.Pubrec(again.PacketId));
        Assert.Equal((PacketType.Pubrel, again.PacketId), await TypeAndId(second));
        await second.SendAsync(Packets.V311.Pubcomp(again.PacketId));
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Acknowledged: 1, Dropped: 0 });
        // A message that may have come by the connection before says nothing of this one.
        Assert.Null(local["up"].RoundTripMs);
    }

    [Fact]
    public async Task A_subscription_that_is_refused_is_shown_until_it_is_granted()
    {
        var inward = new RouteOptions { Direction = RouteDirection.In, Local = "cmd/#" };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(_server.Port, inward).Over311());
        using (ScriptedConnection first = await _server.AcceptAsync(Welcome311))
        {
            await first.SendAsync(Packets.V311.Suback(await first.ReadSubscribeAsync(), 0x80));
            await local.UntilAsync("up", status => status is { Phase: BridgePhase.Connected, RefusedFilters: ["cmd/#"] });
            Assert.Contains(local.Part.Findings(), finding => finding.Detail.Contains("cmd/#", StringComparison.Ordinal));
        }

        using ScriptedConnection second = await _server.AcceptAsync(Welcome311);
        await second.SendAsync(Packets.V311.Suback(await second.ReadSubscribeAsync(), 1));
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Connected, RefusedFilters: [] });
        Assert.Empty(local.Part.Findings());
    }

    [Fact]
    public async Task Acknowledgements_of_what_was_never_sent_do_not_pass_for_progress()
    {
        BridgeOptions options = Bridges.To(_server.Port, Out).Over311() with { StallTimeout = TimeSpan.FromSeconds(1) };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options);
        await using TestClient near = await local.Test.ConnectAsync("near");
        using (ScriptedConnection first = await _server.AcceptAsync(Welcome311))
        {
            await local.UntilConnectedAsync("up");
            await near.PublishAsync("plant/a", "kept", 1);
            int packetId = (await first.ReceiveAsync()).PacketId;
            // Until the bridge has had enough of it.
            await Deadline.Until(() => local["up"].Phase != BridgePhase.Connected || Send(first, Packets.V311.Puback(packetId + 1000)), "the bridge to leave");
            Assert.Equal(0, local["up"].Acknowledged);
        }

        using ScriptedConnection second = await _server.AcceptAsync(Welcome311);
        ReceivedPacket again = await second.ReceiveAsync();
        Assert.Equal("kept", again.PayloadText);
        await second.SendAsync(Packets.V311.Puback(again.PacketId));
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Acknowledged: 1 });
    }

    [Fact]
    public async Task A_message_of_QoS_2_that_goes_with_QoS_1_and_is_refused_is_done_with()
    {
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(_server.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        // Maximum QoS 1.
        using ScriptedConnection connection = await _server.AcceptAsync("20 05 00 00 02 24 01", ProtocolVersion.V5);
        await local.UntilConnectedAsync("up");
        await near.PublishAsync("plant/a", "bad", 2);
        await near.PublishAsync("plant/a", "good", 2);
        ReceivedPacket bad = await connection.ReceiveAsync();
        ReceivedPacket good = await connection.ReceiveAsync();
        Assert.Equal((1, 1), (bad.QoS, good.QoS));
        await connection.SendAsync(Packets.V5.Puback(bad.PacketId, ReasonCode.PayloadFormatInvalid));
        await connection.SendAsync(Packets.V5.Puback(good.PacketId));
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Refused: 1, Acknowledged: 2, Connections: 1, Dropped: 0 });
    }

    [Fact]
    public async Task A_server_that_cuts_whoever_sends_to_a_topic_is_not_just_a_lost_connection()
    {
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(_server.Port, Out).Over311());
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/forbidden", "x", 1);
        using (ScriptedConnection first = await _server.AcceptAsync(Welcome311)) await first.ReceiveAsync();
        await local.UntilAsync("up", status => status.LastFault?.Text.Contains("plant/forbidden", StringComparison.Ordinal) == true);
        Assert.Equal(1, local["up"].BacklogMessages);
    }

    [Fact]
    public async Task A_full_store_does_not_keep_acknowledgements_from_making_room()
    {
        var journal = new TestJournal { CommitsAtOnce = true };
        await using var local = new BridgedBroker(
            "one", new TestBroker(new TestBrokerOptions { OverSockets = true, Journal = journal }), Bridges.To(_server.Port, Out, In));
        await local.Part.StartAsync(CancellationToken.None);
        // Whoever is away needs the store.
        await using (TestClient sleeper = await local.Test.ConnectAsync("sleeper", cleanStart: false, properties: Prop.SessionExpiry(3600)))
        {
            await sleeper.SubscribeAsync("cmd/#", 1);
            await sleeper.DisconnectAsync();
        }

        await using TestClient near = await local.Test.ConnectAsync("near");
        using (ScriptedConnection first = await _server.AcceptAsync(Welcome5, ProtocolVersion.V5))
        {
            int subscribe = await first.ReadSubscribeAsync();
            await first.SendAsync(Packets.V5.Suback(subscribe, 2));
            await local.UntilConnectedAsync("up");
            await near.PublishAsync("plant/a", "out", 1);
            ReceivedPacket sent = await first.ReceiveAsync();
            journal.Condition = JournalCondition.Failing;
            await first.SendAsync([.. Packets.V5.Publish("cmd/a", "in", 1, 7), .. Packets.V5.Puback(sent.PacketId)]);
            await local.UntilAsync("up", status => status.BacklogMessages == 0);
            journal.Condition = JournalCondition.Ready;
            // It leaves, so that the message comes again.
            Assert.Equal(PacketType.Disconnect, (await first.ReceiveAsync()).Type);
        }

        using ScriptedConnection second = await _server.AcceptAsync(Welcome5, ProtocolVersion.V5);
        await second.SendAsync(Packets.V5.Suback(await second.ReadSubscribeAsync(), 2));
        await second.SendAsync(Packets.V5.Publish("cmd/a", "in", 1, 7, dup: true));
        Assert.Equal((PacketType.Puback, 7), await TypeAndId(second));
        Assert.Equal(1, local.Broker.FindSession("sleeper")!.PendingMessages);
    }

    [Fact]
    public async Task Orders_and_reloads_that_cross_each_other_leave_a_bridge_that_works()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        BridgeOptions plan = Bridges.To(remote.Port, Out);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", plan);
        await using TestClient near = await local.Test.ConnectAsync("near");
        BridgeOrder[] orders = Enum.GetValues<BridgeOrder>();
        for (int round = 0; round < 10; round++)
        {
            List<Task> crossing = [.. Enumerable.Range(0, 8).Select(i => Task.Run(() => local.Part.OrderAsync("up", orders[(round + i) % orders.Length])))];
            crossing.Add(Task.Run(() => local.ReloadAsync(plan with { Fingerprint = $"{round}" })));
            await near.PublishAsync("plant/a", "may be purged", 1);
            await Deadline.Within(Task.WhenAll(crossing), "orders and a reload");
        }

        await local.Part.OrderAsync("up", BridgeOrder.Purge);
        await local.Part.OrderAsync("up", BridgeOrder.Start);
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        await local.UntilConnectedAsync("up");
        await near.PublishAsync("plant/a", "goes", 1);
        string seen;
        do
        {
            ReceivedPacket packet = await far.ExpectAsync(PacketType.Publish);
            await far.AcknowledgeAsync(packet);
            seen = packet.PayloadText;
        }
        while (seen != "goes");
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Connected, BacklogMessages: 0 });
    }

    public void Dispose() => _server.Dispose();

    private static bool Send(ScriptedConnection connection, byte[] packet)
    {
        try
        {
            connection.SendAsync(packet).GetAwaiter().GetResult();
        }
        catch (IOException)
        {
            // The bridge has left, which its status will say.
        }

        return false;
    }

    private static async Task<(PacketType Type, int PacketId)> TypeAndId(ScriptedConnection connection)
    {
        ReceivedPacket packet = await connection.ReceiveAsync();
        return (packet.Type, packet.PacketId);
    }
}
