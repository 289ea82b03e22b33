namespace EdgeBroker.Core.Limits;

/// <summary>
/// The table <c>[limits]</c>, but for <c>connect_timeout</c>. Immutable; <see cref="BrokerLimits.Replace"/> puts another in its place. Null: no limit.
/// </summary>
public sealed record LimitOptions
{
    /// <summary>New connections from one network.</summary>
    public RateLimit? ConnectionsPerIp { get; init; }

    /// <summary>Connections of one network at once.</summary>
    public int? MaxConnectionsPerIp { get; init; }

    /// <summary>Connections of all listeners at once.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>PUBLISH packets of one connection.</summary>
    public RateLimit? PublishesPerClient { get; init; }

    /// <summary>Bytes received from one connection, whatever they are.</summary>
    public RateLimit? BytesPerClient { get; init; }

    /// <summary>Filters one connection subscribes.</summary>
    public RateLimit? SubscribesPerClient { get; init; }

    /// <summary>Logins of one network that fail before the next has to wait.</summary>
    public RateLimit? AuthFailuresPerIp { get; init; } = DefaultAuthFailures;

    /// <summary>How long a client over HTTP may take nothing of an answer that is longer than the sockets hold.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where the memory limit comes from.</summary>
    public MemoryLimit MaxMemory { get; init; } = MemoryLimit.Automatic;

    /// <summary>Bytes kept of packets that are not complete, of all who have not logged in together.</summary>
    public long MaxUnauthenticatedBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Sessions, connected or not; beyond, only those that end with their connection begin.</summary>
    public int MaxSessions { get; init; } = 100_000;

    /// <summary>Retained messages; beyond, those that are there may be replaced and deleted.</summary>
    public int MaxRetained { get; init; } = 1_000_000;

    /// <summary>Bytes of retained messages, topics included.</summary>
    public long MaxRetainedBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Sessions of one user, or of the anonymous clients of one address.</summary>
    public int MaxSessionsPerUser { get; init; } = 50_000;

    /// <summary>Bytes of wills, topics included.</summary>
    public long MaxWillBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>The same of one user or address.</summary>
    public long MaxWillBytesPerUser { get; init; } = 32 * 1024 * 1024;

    /// <summary>Filters of all clients.</summary>
    public int MaxFilters { get; init; } = 2_000_000;

    /// <summary>The same of one user or address.</summary>
    public int MaxFiltersPerUser { get; init; } = 1_000_000;

    /// <summary>Retained messages of one user or address.</summary>
    public int MaxRetainedPerUser { get; init; } = 1_000_000;

    /// <summary>Their bytes.</summary>
    public long MaxRetainedBytesPerUser { get; init; } = 256L * 1024 * 1024;

    /// <summary>What applies without configuration.</summary>
    public static RateLimit DefaultAuthFailures { get; } = new(10, TimeSpan.FromMinutes(1), 5) { Text = "10/m" };
}
