using EdgeBroker.Core.Limits;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The keys of <c>[limits]</c>. Its connect_timeout belongs to the options of MQTT itself.</summary>
internal static class LimitsTable
{
    private const string Rates = "Rates: so many in a time (s, m, h, d), and \"burst\" at once (default: as many as the rate names). "
    + "Those of clients take on_exceed: "
        + "\"delay\" does not read the connection for a while, \"drop\" drops a publish (QoS 1 and 2: 5.0 clients are told 0x97, 3.1.1 clients are delayed, "
        + "having no such code) "
        + "or refuses a filter, \"disconnect\" ends the connection. Unix sockets have no address. Default: no limit. "
        + "What each did is counted under $SYS/broker/limits/.";

    private static readonly IntegerKind Connections = Kinds.Integer(1, 1_000_000);

    public static readonly TableSchema<BrokerConfiguration> Schema = new TableSchema<BrokerConfiguration>("[limits]")
        .Key(
            "connect_timeout",
            Kinds.Milliseconds(100, 600_000),
            c => c.Mqtt.ConnectTimeout,
            (c, v) => c with { Mqtt = c.Mqtt with { ConnectTimeout = v } },
            Applies.ToNewConnections,
            "for a new connection to say CONNECT")
        .Key(
            "send_timeout",
            Kinds.Milliseconds(100, 600_000),
            c => c.Limits.SendTimeout,
            (c, v) => c with { Limits = c.Limits with { SendTimeout = v } },
            Applies.AtOnce,
            "for a client over HTTP that takes nothing of its answer; then it is cut off")
        .Limit(
            "auth_failures_per_ip",
            Kinds.RateLimit("auth_failures_per_ip"),
            o => o.AuthFailuresPerIp,
            (o, v) => o with { AuthFailuresPerIp = v },
            "then an address waits before its next login is looked at: a second, doubling up to 16. \"0/s\": never. "
            + "On loopback and Unix sockets, where a proxy's clients look alike, it is the user name that waits instead")
        .Key(
            "max_memory",
            Kinds.MemoryLimit,
            c => c.Limits.MaxMemory,
            (c, v) => c with { Limits = c.Limits with { MaxMemory = v } },
            Applies.AtOnce,
            "\"auto\": what the control group (systemd, container) or, without one, the machine leaves | \"none\" | as \"256MB\". "
            + "At 80 % new connections are refused, at 88 % publishers are read slowly, at 94 % QoS 0 is dropped")
        .Key(
            "max_sessions",
            Kinds.Integer(1, 10_000_000),
            c => c.Limits.MaxSessions,
            (c, v) => c with { Limits = c.Limits with { MaxSessions = v } },
            Applies.AtOnce,
            "connected or not. Beyond: new ones that outlive their connection are refused with 0x97")
        .Key(
            "max_sessions_per_user",
            Kinds.Integer(1, 10_000_000),
            c => c.Limits.MaxSessionsPerUser,
            (c, v) => c with { Limits = c.Limits with { MaxSessionsPerUser = v } },
            Applies.AtOnce,
            "of one user; of anonymous clients, of one address (IPv6: one /64)")
        .Key(
            "max_will_bytes",
            Kinds.Size(SizeKind.KB, 64 * SizeKind.GB),
            c => c.Limits.MaxWillBytes,
            (c, v) => c with { Limits = c.Limits with { MaxWillBytes = v } },
            Applies.AtOnce,
            "of wills, topics included. Beyond: who brings a new one is refused with 0x97")
        .Key(
            "max_will_bytes_per_user",
            Kinds.Size(SizeKind.KB, 64 * SizeKind.GB),
            c => c.Limits.MaxWillBytesPerUser,
            (c, v) => c with { Limits = c.Limits with { MaxWillBytesPerUser = v } },
            Applies.AtOnce,
            "the same of one user or address")
        .Key(
            "max_filters",
            Kinds.Integer(1, 100_000_000),
            c => c.Limits.MaxFilters,
            (c, v) => c with { Limits = c.Limits with { MaxFilters = v } },
            Applies.AtOnce,
            "subscriptions of all clients. Beyond: new ones are refused with 0x97")
        .Key(
            "max_filters_per_user",
            Kinds.Integer(1, 100_000_000),
            c => c.Limits.MaxFiltersPerUser,
            (c, v) => c with { Limits = c.Limits with { MaxFiltersPerUser = v } },
            Applies.AtOnce,
            "the same of one user or address")
        .Key(
            "max_retained",
            Kinds.Integer(1, 100_000_000),
            c => c.Limits.MaxRetained,
            (c, v) => c with { Limits = c.Limits with { MaxRetained = v } },
            Applies.AtOnce,
            "retained messages. Beyond: new topics are refused with 0x97; those that have one may replace and delete it")
        .Key(
            "max_retained_bytes",
            Kinds.Size(SizeKind.KB, 64 * SizeKind.GB),
            c => c.Limits.MaxRetainedBytes,
            (c, v) => c with { Limits = c.Limits with { MaxRetainedBytes = v } },
            Applies.AtOnce,
            "of these, topics included")
        .Key(
            "max_retained_per_user",
            Kinds.Integer(1, 100_000_000),
            c => c.Limits.MaxRetainedPerUser,
            (c, v) => c with { Limits = c.Limits with { MaxRetainedPerUser = v } },
            Applies.AtOnce,
            "those that a user has set, and nobody else since")
        .Key(
            "max_retained_bytes_per_user",
            Kinds.Size(SizeKind.KB, 64 * SizeKind.GB),
            c => c.Limits.MaxRetainedBytesPerUser,
            (c, v) => c with { Limits = c.Limits with { MaxRetainedBytesPerUser = v } },
            Applies.AtOnce,
            "of these")
        .Key(
            "max_unauthenticated_bytes",
            Kinds.Size(64 * SizeKind.KB, SizeKind.GB),
            c => c.Limits.MaxUnauthenticatedBytes,
            (c, v) => c with { Limits = c.Limits with { MaxUnauthenticatedBytes = v } },
            Applies.AtOnce,
            "of CONNECT packets that are not complete, all together; an eighth of max_memory at most. Beyond: the largest are refused")
        .Key(
            "max_connections",
            Connections,
            c => c.Limits.MaxConnections,
            (c, v) => c with { Limits = c.Limits with { MaxConnections = v } },
            Applies.AtOnce,
            "of all listeners together. Default: no limit",
            example: "20_000")
        .Key(
            "max_connections_per_ip",
            Connections,
            c => c.Limits.MaxConnectionsPerIp,
            (c, v) => c with { Limits = c.Limits with { MaxConnectionsPerIp = v } },
            Applies.AtOnce,
            "IPv6 counts by /64. Default: no limit",
            example: "100")
        .Limit(
            "connections_per_ip",
            Kinds.RateLimit("connections_per_ip"),
            o => o.ConnectionsPerIp,
            (o, v) => o with { ConnectionsPerIp = v },
            "beyond: refused with 0x9F",
            "{ rate = \"100/m\", burst = 20 }",
            Rates)
        .Limit(
            "publishes_per_client",
            Kinds.RateLimit("publishes_per_client", ExceedAction.Delay),
            o => o.PublishesPerClient,
            (o, v) => o with { PublishesPerClient = v },
            "delay | drop | disconnect (0x96)",
            "{ rate = \"1000/s\", burst = 200, on_exceed = \"delay\" }")
        .Limit(
            "bytes_per_client",
            Kinds.RateLimit("bytes_per_client", ExceedAction.Delay, ofBytes: true),
            o => o.BytesPerClient,
            (o, v) => o with { BytesPerClient = v },
            "delay | drop | disconnect (0x96); whatever they are",
            "{ rate = \"1MB/s\", burst = \"256KB\", on_exceed = \"delay\" }")
        .Limit(
            "subscribes_per_client",
            Kinds.RateLimit("subscribes_per_client", ExceedAction.Drop),
            o => o.SubscribesPerClient,
            (o, v) => o with { SubscribesPerClient = v },
            "filters; delay | drop (refused with 0x97; 3.1.1: 0x80) | disconnect (0x97)",
            "{ rate = \"100/s\", burst = 20, on_exceed = \"drop\" }");

    private static TableSchema<BrokerConfiguration> Limit(
        this TableSchema<BrokerConfiguration> table,
        string name,
        RateLimitKind kind,
        Func<LimitOptions, RateLimit?> get,
        Func<LimitOptions, RateLimit?, LimitOptions> set,
        string comment,
        string? example = null,
        string? introduction = null) => table.Key(
            name, kind, c => get(c.Limits), (c, v) => c with { Limits = set(c.Limits, v) }, Applies.AtOnce, comment, example: example,
            introduction: introduction);
}
