using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Events;

public sealed class BrokerEventLogTests
{
    private readonly LogLines<BrokerEventLog> _lines = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Every_reason_for_a_drop_has_words_of_its_own()
    {
        var events = new BrokerEventLog(_lines, _time);
        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            events.MessagesDropped(new DroppedEvent("away", reason, 3));
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(Enum.GetValues<DropReason>().Length, _lines.Distinct().Count());
        Assert.All(_lines, line => Assert.StartsWith("3 message(s) for away dropped: ", line, StringComparison.Ordinal));
        Assert.Throws<ArgumentOutOfRangeException>(() => events.MessagesDropped(new DroppedEvent("away", (DropReason)99, 1)));
    }

    [Theory]
    [InlineData(DropReason.SlowClient, "mqtt.max_outbound_bytes")]
    [InlineData(DropReason.QueueFull, "mqtt.max_queued_messages")]
    [InlineData(DropReason.QueueFull, "mqtt.max_queued_bytes")]
    [InlineData(DropReason.StoreFull, "storage.max_bytes")]
    [InlineData(DropReason.StoreDamaged, "storage.on_corruption")]
    public void A_drop_that_a_key_decides_about_names_the_key(DropReason reason, string key)
    {
        new BrokerEventLog(_lines, _time).MessagesDropped(new DroppedEvent("away", reason, 1));
        Assert.Contains(key, Assert.Single(_lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_action_of_a_limit_and_every_stage_of_memory_has_words_of_its_own()
    {
        var events = new BrokerEvents(new BrokerEventLog(_lines, _time));
        var limits = new BrokerLimits(new BrokerClock(_time), events);
        foreach (LimitAction action in Enum.GetValues<LimitAction>()) limits.Report(LimitKind.MaxMemory, action, "c");
        foreach (MemoryStage stage in Enum.GetValues<MemoryStage>()) events.MemoryStageChanged(new MemoryStageEvent(stage, 1024, 2048));
        Assert.Equal(Enum.GetValues<LimitAction>().Length + Enum.GetValues<MemoryStage>().Length, _lines.Distinct().Count());
    }

    [Fact]
    public void Who_comes_and_goes_is_named_with_user_listener_and_transport()
    {
        var events = new BrokerEventLog(_lines, _time);
        ClientDescription client = new("press7", "anna", "10.0.0.7:51234", "0.0.0.0:8883", "tls", ProtocolVersion.V5, 60);
        events.ClientConnected(new ConnectedEvent(client, true, false, 60, "anna"));
        events.ClientConnected(new ConnectedEvent(client with { UserName = null, Transport = "tcp" }, false, true, 0, null));
        events.ClientDisconnected(new DisconnectedEvent(client, DisconnectedBy.Client, ReasonCode.Success, "the client disconnected", 1, true, false));
        Assert.Equal(
            [
                "press7 connected from 10.0.0.7:51234 to 0.0.0.0:8883 over tls as anna (certificate): MQTT 5.0, keep alive 60 s, resumed session",
                "press7 connected from 10.0.0.7:51234 to 0.0.0.0:8883 over tcp as anonymous (no login): MQTT 5.0, keep alive 60 s, new session",
                "press7 at 10.0.0.7:51234 (anna, 0.0.0.0:8883) disconnected: the client disconnected (0x00 success)",
            ],
            _lines);
    }

    [Fact]
    public void A_refusal_names_listener_and_user_and_one_address_does_not_hide_another()
    {
        var events = new BrokerEventLog(_lines, _time);
        for (int i = 0; i < 100; i++) Refuse($"10.0.0.5:{5000 + i}", "guess" + i);
        Refuse("10.0.0.6:1", "press8");
        events.ConnectRefused(new ConnectRefusedEvent("10.0.0.7:1", null, ReasonCode.ServerBusy, "full", "0.0.0.0:1883"));
        Assert.Equal(
            "connection from 10.0.0.6:1 to 0.0.0.0:1883 refused, client id \"press8\", user \"anna\": the password is wrong (0x87 not authorized)", _lines[^2]);
        Assert.Equal("connection from 10.0.0.7:1 to 0.0.0.0:1883 refused before it named a client: full (0x89 server busy)", _lines[^1]);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("10.0.0.5: 95 more refused connections within 10 s are not logged one by one", _lines[^1]);

        void Refuse(string from, string client) =>
            events.ConnectRefused(new ConnectRefusedEvent(from, client, ReasonCode.NotAuthorized, "the password is wrong", "0.0.0.0:1883", "anna"));
    }

    [Fact]
    public void What_the_broker_ends_is_a_warning_unless_somebody_asked_for_it()
    {
        var warnings = new LogLines<BrokerEventLog>(LogLevel.Warning);
        var events = new BrokerEventLog(warnings, _time);
        ClientDescription client = new("press7", null, "10.0.0.7:1", "0.0.0.0:1883", "tcp", ProtocolVersion.V5, 60);
        foreach ((DisconnectedBy by, ReasonCode reason) in (IEnumerable<(DisconnectedBy, ReasonCode)>)
            [
                (DisconnectedBy.Broker, ReasonCode.AdministrativeAction), (DisconnectedBy.Broker, ReasonCode.ServerShuttingDown),
                (DisconnectedBy.Network, ReasonCode.KeepAliveTimeout), (DisconnectedBy.Client, ReasonCode.DisconnectWithWill),
                (DisconnectedBy.Broker, ReasonCode.PacketTooLarge),
            ])
        {
            events.ClientDisconnected(new DisconnectedEvent(client, by, reason, "so", 1, false, false));
        }

        Assert.Equal("press7 at 10.0.0.7:1 (anonymous, 0.0.0.0:1883) disconnected: so (0x95 packet too large)", Assert.Single(warnings));
    }

    [Fact]
    public void No_name_that_a_client_chose_fills_the_log()
    {
        string name = new('n', 65_000);
        byte[] topic = new byte[65_000];
        Array.Fill(topic, (byte)'t');
        var log = new BrokerEventLog(_lines, _time);
        var refused = new RefusedEvent { ClientId = name, UserName = name, Topic = topic, Reason = ReasonCode.NotAuthorized };
        ClientDescription client = new(name, name, "10.0.0.7:51234", "0.0.0.0:8883", "tls", ProtocolVersion.V5, 60);
        log.ClientConnected(new ConnectedEvent(client, true, false, 60, name));
        log.ClientDisconnected(new DisconnectedEvent(client, DisconnectedBy.Client, ReasonCode.Success, "the client disconnected", 1, true, false));
        log.ConnectRefused(new ConnectRefusedEvent("10.0.0.5:1", name, ReasonCode.NotAuthorized, "the password is wrong", "0.0.0.0:1883", name));
        log.SessionEnded(name);
        log.SubscriptionCreated(new SubscriptionCreatedEvent { ClientId = name, UserName = name, Filter = topic, Granted = QoS.AtMostOnce });
        log.SubscriptionRemoved(new SubscriptionRemovedEvent { ClientId = name, Filter = topic, Cause = SubscriptionEnd.Unsubscribed });
        log.SubscribeRefused(refused);
        log.PublishRefused(refused);
        log.MessagesDropped(new DroppedEvent(name, DropReason.QueueFull, 3));
        new BrokerLimits(new BrokerClock(_time), new BrokerEvents(log)).Report(LimitKind.MaxMemory, LimitAction.Disconnected, name);
        for (int i = 0; i < 100; i++) log.MessagesDropped(new DroppedEvent(name, DropReason.QueueFull, 3));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(_lines.Count > 10);
        Assert.All(_lines, line => Assert.InRange(line.Length, 1, 600));
        Assert.Contains(new string('n', 128) + "…", _lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ReasonCode.QoSNotSupported, "0x9B qos not supported")]
    [InlineData((ReasonCode)0xEE, "0xEE")]
    public void A_reason_code_is_logged_with_its_name(ReasonCode reason, string text) => Assert.Equal(text, ReasonText.Coded(reason));
}
