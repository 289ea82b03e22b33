using EdgeBroker.Core;

namespace EdgeBroker.Reloading;

/// <summary>What a change of each key of <c>[mqtt]</c>, and of those that concern one connection, takes to come into force.</summary>
internal static class MqttChanges
{
    private static readonly (string Key, Func<MqttOptions, object> Value, string? Applied)[] Keys =
    [
        ("mqtt.max_packet_size", o => o.MaxPacketSizeBytes, ForNewConnections),
        ("mqtt.max_qos", o => o.MaxQos, ForNewConnections),
        ("mqtt.retain", o => o.RetainAvailable, null),
        ("mqtt.receive_maximum", o => o.ReceiveMaximum, ForNewConnections),
        ("mqtt.topic_alias_maximum", o => o.TopicAliasMaximum, ForNewConnections),
        ("mqtt.max_keep_alive", o => o.MaxKeepAlive, ForNewConnections),
        ("mqtt.max_session_expiry", o => o.MaxSessionExpiry, ForNewConnections),
        ("mqtt.max_topic_levels", o => o.MaxTopicLevels, ForNewConnections + " and new subscriptions"),
        ("mqtt.max_subscriptions_per_client", o => o.MaxSubscriptionsPerClient, "for new subscriptions"),
        ("mqtt.max_queued_messages", o => o.MaxQueuedMessages, "with the next message of each queue"),
        ("mqtt.max_queued_bytes", o => o.MaxQueuedBytes, "with the next message of each queue"),
        ("mqtt.queue_overflow", o => o.QueueOverflow, "with the next message of each queue"),
        ("mqtt.max_outbound_bytes", o => o.MaxOutboundBytes, ForNewConnections),
        ("mqtt.sys_interval", o => o.SysInterval, null),
        ("auth.on_denied_publish_v311", o => o.DisconnectOnDeniedPublish, ForNewConnections),
        ("limits.connect_timeout", o => o.ConnectTimeout, ForNewConnections),
    ];

    // What CONNACK has told a client, or the client has built upon, holds as long as its connection.
    private const string ForNewConnections = "for new connections";

    /// <summary>Adds a line for each key that differs.</summary>
    public static void Find(MqttOptions before, MqttOptions after, List<string> applied, List<string> needsRestart)
    {
        foreach ((string key, Func<MqttOptions, object> value, string? when) in Keys)
        {
            if (value(before).Equals(value(after))) continue;
            if (when is not null) applied.Add($"{key}, {when}");
            else needsRestart.Add(key + (key == "mqtt.retain" ? ": clients that are connected have been told whether messages are retained" : ": $SYS is set up when the broker starts"));
        }
    }

    /// <summary>The newer options, but for what takes a restart.</summary>
    public static MqttOptions Merge(MqttOptions running, MqttOptions read) => read with { RetainAvailable = running.RetainAvailable, SysInterval = running.SysInterval };
}
