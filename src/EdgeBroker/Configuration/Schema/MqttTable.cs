using EdgeBroker.Core;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The keys of <c>[mqtt]</c>.</summary>
internal static class MqttTable
{
    public static readonly ChoiceKind<QueueOverflow> Overflow = Kinds.Choice(
        ("drop-oldest", QueueOverflow.DropOldest, ""), ("drop-newest", QueueOverflow.DropNewest, ""),
        ("reject", QueueOverflow.Reject, "the publisher is told"), ("keep-latest", QueueOverflow.KeepLatestPerTopic, "of a topic"),
        ("hold-publishers", QueueOverflow.HoldPublishers, ""));

    private static readonly (string Word, MqttVersions Version)[] Versions =
        [("3.1", MqttVersions.V31), ("3.1.1", MqttVersions.V311), ("5.0", MqttVersions.V5)];

    public static readonly TableSchema<MqttOptions> Schema = new TableSchema<MqttOptions>("[mqtt]")
        .Key(
            "versions",
            Kinds.List("versions, of \"3.1\", \"3.1.1\" and \"5.0\"", text => Array.Exists(Versions, one => one.Word == text)),
            o => [.. Versions.Where(one => o.Versions.HasFlag(one.Version)).Select(one => one.Word)],
            (o, v) => o with { Versions = Versions.Where(one => v.Contains(one.Word)).Aggregate(MqttVersions.None, (all, one) => all | one.Version) },
            Applies.ToNewConnections,
            "of MQTT that clients may speak")
        .Key(
            "max_packet_size",
            Kinds.Size(256, 255 * SizeKind.MB),
            o => o.MaxPacketSizeBytes,
            (o, v) => o with { MaxPacketSizeBytes = (int)v },
            Applies.ToNewConnections,
            "larger packets are refused, and their sender is disconnected")
        .Key(
            "max_connect_bytes",
            Kinds.Size(256, SizeKind.MB),
            o => o.MaxConnectBytes,
            (o, v) => o with { MaxConnectBytes = (int)v },
            Applies.ToNewConnections,
            "CONNECT may not be larger: its sender has not logged in yet")
        .Key(
            "max_client_id_bytes",
            Kinds.Integer(23, 65_535),
            o => o.MaxClientIdBytes,
            (o, v) => o with { MaxClientIdBytes = v },
            Applies.ToNewConnections,
            "longer client ids are refused with 0x85")
        .Key("max_qos", Kinds.Integer(0, 2), o => o.MaxQos, (o, v) => o with { MaxQos = v }, Applies.ToNewConnections, "highest QoS accepted and granted")
        .Key(
            "retain",
            Kinds.Boolean,
            o => o.RetainAvailable,
            (o, v) => o with { RetainAvailable = v },
            Applies.AfterRestart("clients that are connected have been told whether messages are retained"),
            "whether retained messages are kept")
        .Key(
            "receive_maximum",
            Kinds.Integer(1, 65_535),
            o => o.ReceiveMaximum,
            (o, v) => o with { ReceiveMaximum = v },
            Applies.ToNewConnections,
            "messages in flight, each way")
        .Key(
            "topic_alias_maximum",
            Kinds.Integer(0, 65_535),
            o => o.TopicAliasMaximum,
            (o, v) => o with { TopicAliasMaximum = v },
            Applies.ToNewConnections,
            "topic aliases, each way; a client's topics behind them: 256 KB")
        .Key("max_keep_alive", Kinds.Seconds(0, 65_535), o => o.MaxKeepAlive, (o, v) => o with { MaxKeepAlive = v }, Applies.ToNewConnections, "0s: no limit")
        .Key(
            "max_session_expiry",
            Kinds.Seconds(0, 49_710L * 86_400),
            o => o.MaxSessionExpiry,
            (o, v) => o with { MaxSessionExpiry = v },
            Applies.ToNewConnections,
            "longer requests are lowered to this")
        .Key(
            "restart_will_delay",
            Kinds.Seconds(0, 3_600),
            o => o.RestartWillDelay,
            (o, v) => o with { RestartWillDelay = v },
            Applies.AfterRestart("it is for the start after a power cut"),
            "after a power cut or a crash: time to be back before a will is published")
        .Key(
            "max_topic_levels",
            Kinds.Integer(1, 1_000),
            o => o.MaxTopicLevels,
            (o, v) => o with { MaxTopicLevels = v },
            Applies.ToNewConnectionsAndSubscriptions,
            "levels of a topic or filter")
        .Key(
            "max_subscriptions_per_client",
            Kinds.Integer(1, 1_000_000),
            o => o.MaxSubscriptionsPerClient,
            (o, v) => o with { MaxSubscriptionsPerClient = v },
            Applies.ToNewSubscriptions,
            "the next one is refused")
        .Key(
            "wide_subscriptions",
            Kinds.Choice(("refuse", false, ""), ("filter", true, "each message is judged when it is delivered")),
            o => o.FiltersWideSubscriptions,
            (o, v) => o with { FiltersWideSubscriptions = v },
            Applies.AtOnceWithReview,
            "filters, as \"#\", that match more than is permitted")
        .Key(
            "max_queued_messages",
            Kinds.Integer(1, 10_000_000),
            o => o.MaxQueuedMessages,
            (o, v) => o with { MaxQueuedMessages = v },
            Applies.WithNextMessage,
            "per session")
        .Key(
            "max_queued_bytes",
            Kinds.Size(SizeKind.KB, 64 * SizeKind.GB),
            o => o.MaxQueuedBytes,
            (o, v) => o with { MaxQueuedBytes = v },
            Applies.WithNextMessage,
            "per session")
        .Key("queue_overflow", Overflow, o => o.QueueOverflow, (o, v) => o with { QueueOverflow = v }, Applies.WithNextMessage, "")
        .Key(
            "max_outbound_bytes",
            Kinds.Size(4 * SizeKind.KB, SizeKind.GB),
            o => o.MaxOutboundBytes,
            (o, v) => o with { MaxOutboundBytes = (int)v },
            Applies.ToNewConnections,
            "per connection, before QoS 0 is dropped")
        .Key(
            "sys_interval",
            Kinds.Seconds(0, 86_400),
            o => o.SysInterval,
            (o, v) => o with { SysInterval = v },
            Applies.AfterRestart("$SYS is set up when the broker starts"),
            "0s: no $SYS topics");
}
