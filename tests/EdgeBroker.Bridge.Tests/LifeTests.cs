using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>Orders, reloads, several servers, notifications, faults on the way.</summary>
public sealed class LifeTests
{
    private static readonly RouteOptions Out = new() { Local = "plant/#" };

    [Fact]
    public async Task A_bridge_is_stopped_started_drained_and_purged()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(remote.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await local.UntilConnectedAsync("up");
        Assert.True(await local.Part.OrderAsync("up", BridgeOrder.Stop));
        await local.UntilAsync("up", status => status.Phase == BridgePhase.Stopped);
        await near.PublishAsync("plant/a", "1", 1);
        Assert.Equal(1, local["up"].BacklogMessages);
        await local.Part.OrderAsync("up", BridgeOrder.Purge);
        Assert.Equal((0, BridgePhase.Stopped), (local["up"].BacklogMessages, local["up"].Phase));
        await near.PublishAsync("plant/a", "2", 1);
        await local.Part.OrderAsync("up", BridgeOrder.Drain);
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Stopped, BacklogMessages: 0, Acknowledged: 1 });
        await local.Part.OrderAsync("up", BridgeOrder.Start);
        await local.UntilConnectedAsync("up");
        Assert.False(await local.Part.OrderAsync("other", BridgeOrder.Start));
    }

    [Fact]
    public async Task Since_when_it_is_away_when_it_tries_again_and_how_long_the_other_side_takes_is_told()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        using var nowhere = new FaultyProxy();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(nowhere.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "1", 1);
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Waiting, NextTryAt: not null, RoundTripMs: null });
        DateTimeOffset since = local["up"].SinceAt;
        BridgeFault first = local["up"].LastFault!;
        // However often it tries.
        await local.UntilAsync("up", status => status.LastFault is { } fault && !ReferenceEquals(fault, first));
        Assert.Equal(since, local["up"].SinceAt);
        await local.ReloadAsync(Bridges.To(remote.Port, Out));
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Connected, NextTryAt: null, RoundTripMs: >= 0 });
        Assert.True(local["up"].SinceAt > since);
    }

    [Fact]
    public async Task A_lazy_bridge_comes_for_what_waits_and_leaves()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        BridgeOptions lazy = Bridges.To(remote.Port, Out) with { Start = BridgeStart.Lazy, IdleTimeout = TimeSpan.FromMilliseconds(100) };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", lazy);
        await using TestClient near = await local.Test.ConnectAsync("near");
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Idle, Connections: 0 });
        await near.PublishAsync("plant/a", "x", 1);
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Idle, Acknowledged: 1, Connections: 1 });
    }

    [Fact]
    public async Task A_reload_adds_changes_and_removes_bridges_and_keeps_what_waits()
    {
        using var nowhere = new FaultyProxy();
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        BridgeOptions one = Bridges.To(nowhere.Port, Out) with { Name = "one" };
        BridgeOptions two = Bridges.To(remote.Port, new RouteOptions { Local = "other/#" }) with { Name = "two" };
        two = two with { Connection = two.Connection with { ClientId = "gw-two" } };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", one, two);
        await using TestClient near = await local.Test.ConnectAsync("near");
        await local.UntilConnectedAsync("two");
        await near.PublishAsync("plant/a", "waits", 1);
        Assert.Equal(1, local["one"].BacklogMessages);
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("#", 1);

        BridgeOptions changed = Bridges.To(remote.Port, Out with { Remote = "new/#" }) with { Name = "one" };
        await local.ReloadAsync(changed, two);
        await far.AcknowledgeAsync(await far.ExpectPublishAsync("new/a", "waits", 1));
        // The one that has not changed has not noticed.
        Assert.Equal(1, local["two"].Connections);
        await local.ReloadAsync(two);
        Assert.Equal(["two"], local.Part.Statuses.Select(status => status.Name));
        Assert.Null(local.Broker.FindSession("$bridge/one"));
        Assert.Equal(1, local["two"].Connections);
    }

    [Fact]
    public async Task What_makes_no_sense_changes_nothing()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(remote.Port, Out));
        await local.UntilConnectedAsync("up");
        await Assert.ThrowsAsync<PartException>(() => local.ReloadAsync(Bridges.To(remote.Port, Out with { Remote = "a/+" })));
        Assert.Equal((BridgePhase.Connected, 1L), (local["up"].Phase, local["up"].Connections));
    }

    [Fact]
    public async Task Another_server_stands_in_and_the_first_is_gone_back_to()
    {
        using var first = new FaultyProxy();
        await using var primary = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using var second = new TestBroker(new TestBrokerOptions { OverSockets = true });
        BridgeOptions options = Bridges.To(first.Port, Out);
        options = options with
        {
            Connection = options.Connection with
            {
                OtherServers = [new TcpTransport("127.0.0.1", second.Port)],
                FailBackInterval = TimeSpan.FromMilliseconds(50),
            },
        };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options);
        await local.UntilConnectedAsync("up");
        Assert.Contains($"{second.Port}", local["up"].Server, StringComparison.Ordinal);
        first.Target = primary.Port;
        await local.UntilAsync("up", status => status.Phase == BridgePhase.Connected && status.Server.EndsWith($":{first.Port}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Both_sides_are_told_whether_it_is_connected()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        BridgeOptions options = Bridges.To(remote.Port, Out) with { Notifications = BridgeNotifications.Both };
        options = options with
        {
            Connection = options.Connection with { Will = new Will(new PublishMessage(options.NotificationTopic, "0"u8.ToArray()) { Retain = true }) },
        };
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync(options.NotificationTopic);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options);
        await using TestClient near = await local.Test.ConnectAsync("near");
        await far.ExpectPublishAsync(options.NotificationTopic, "1");
        await local.UntilConnectedAsync("up");
        await Deadline.Until(
            () => local.Broker.FindRetained(System.Text.Encoding.UTF8.GetBytes(options.NotificationTopic)) is { Payload: [(byte)'1'] }, "the retained 1 here");
        await local.Part.OrderAsync("up", BridgeOrder.Stop);
        await Deadline.Until(
            () => local.Broker.FindRetained(System.Text.Encoding.UTF8.GetBytes(options.NotificationTopic)) is { Payload: [(byte)'0'] }, "the retained 0 here");
    }

    [Fact]
    public async Task Over_a_link_that_is_cut_again_and_again_nothing_is_lost_and_the_order_is_kept()
    {
        const int Count = 400;
        using var link = new FaultyProxy();
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        link.Target = remote.Port;
        link.CutAfter(700);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(link.Port, Out));
        await using TestClient near = await local.Test.ConnectAsync("near");
        Task publishing = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
            {
                await near.PublishAsync("plant/a", $"{i}", 1);
                // In the middle of a packet, and at its edges.
                if (i % 80 == 40) link.CutAfter(1 + (i * 7 % 300));
            }
        });
        int next = 0;
        while (next < Count)
        {
            ReceivedPacket packet = await far.ExpectAsync(PacketType.Publish);
            await far.AcknowledgeAsync(packet);
            int value = int.Parse(packet.PayloadText, System.Globalization.CultureInfo.InvariantCulture);
            // What was not acknowledged comes again, and then all behind it.
            Assert.InRange(value, 0, next);
            if (value == next) next++;
        }

        await Deadline.Within(publishing, "everything to be published");
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Dropped: 0 });
        Assert.True(link.Cuts > 0 && local["up"].Connections > 1, $"{link.Cuts} cuts, {local["up"].Connections} connections");
    }

    [Fact]
    public async Task A_link_that_falls_silent_is_noticed_and_made_anew()
    {
        using var link = new FaultyProxy();
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        link.Target = remote.Port;
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(link.Port, Out) with { StallTimeout = TimeSpan.FromSeconds(1) });
        await using TestClient near = await local.Test.ConnectAsync("near");
        await local.UntilConnectedAsync("up");
        link.IsSilent = true;
        await near.PublishAsync("plant/a", "x", 1);
        await local.UntilAsync("up", status => status.LastFault is not null);
        link.IsSilent = false;
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Acknowledged: 1 });
    }

    [Fact]
    public async Task Findings_name_a_bridge_that_is_not_connected()
    {
        using var nowhere = new FaultyProxy();
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(nowhere.Port, Out));
        await local.UntilAsync("up", status => status.LastFault is not null);
        HealthFinding finding = Assert.Single(local.Part.Findings());
        Assert.Equal(("bridge up", HealthState.Warning), (finding.Part, finding.State));
        Assert.Contains("not connected to tcp://127.0.0.1", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retained_messages_are_brought_over_when_the_other_side_is_new()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(remote.Port, Out) with { Start = BridgeStart.OnCommand });
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/kept", "value", 1, retain: true);
        await local.Part.OrderAsync("up", BridgeOrder.Purge);
        await local.Part.OrderAsync("up", BridgeOrder.Start);
        await local.UntilAsync("up", status => status is { Acknowledged: >= 1, BacklogMessages: 0 });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        await far.AcknowledgeAsync(await far.ExpectPublishAsync("plant/kept", "value", 1, retain: true));
    }
}
