using EdgeBroker.Core.Limits;

namespace EdgeBroker.Configuration;

/// <summary>The keys of <c>[limits]</c>.</summary>
internal static class LimitSchema
{
    private static readonly DurationKind ConnectTimeout = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10), DurationKind.Millisecond);

    private static readonly IntegerKind Connections = new(1, 1_000_000);

    /// <summary>The table. Its connect_timeout belongs to the options of MQTT itself.</summary>
    public static readonly TableSchema<ConfigurationDraft> Table = new TableSchema<ConfigurationDraft>("[limits]")
        .Key("connect_timeout", ConnectTimeout, (d, v) => d with { Mqtt = d.Mqtt with { ConnectTimeout = v } })
        .Key("max_memory", new MemoryLimitKind(), (d, v) => d with { Limits = d.Limits with { MaxMemory = v } })
        .Key("max_connections", Connections, (d, v) => d with { Limits = d.Limits with { MaxConnections = v } })
        .Key("max_connections_per_ip", Connections, (d, v) => d with { Limits = d.Limits with { MaxConnectionsPerIp = v } })
        .Rate("auth_failures_per_ip", null, (o, v) => o with { AuthFailuresPerIp = v })
        .Rate("connections_per_ip", null, (o, v) => o with { ConnectionsPerIp = v })
        .Rate("publishes_per_client", ExceedAction.Delay, (o, v) => o with { PublishesPerClient = v })
        .Rate("bytes_per_client", ExceedAction.Delay, (o, v) => o with { BytesPerClient = v }, ofBytes: true)
        .Rate("subscribes_per_client", ExceedAction.Drop, (o, v) => o with { SubscribesPerClient = v });

    private static TableSchema<ConfigurationDraft> Rate(
        this TableSchema<ConfigurationDraft> table, string key, ExceedAction? onExceed, Func<LimitOptions, RateLimit?, LimitOptions> set, bool ofBytes = false) =>
        table.Key(key, new RateLimitKind(key, onExceed, ofBytes), (d, v) => d with { Limits = set(d.Limits, v) });
}
