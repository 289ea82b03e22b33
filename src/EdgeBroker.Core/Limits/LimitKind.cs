namespace EdgeBroker.Core.Limits;

/// <summary>The limits, by what they bound. Each has the name of its key in the table <c>[limits]</c>.</summary>
public enum LimitKind : byte
{
    /// <summary><c>connections_per_ip</c>: new connections from one network in a time.</summary>
    ConnectionsPerIp,

    /// <summary><c>max_connections_per_ip</c>: connections of one network at once.</summary>
    MaxConnectionsPerIp,

    /// <summary><c>max_connections</c>: connections of all listeners at once.</summary>
    MaxConnections,

    /// <summary><c>publishes_per_client</c>: PUBLISH packets of one connection in a time.</summary>
    PublishesPerClient,

    /// <summary><c>bytes_per_client</c>: bytes received from one connection in a time.</summary>
    BytesPerClient,

    /// <summary><c>subscribes_per_client</c>: filters one connection subscribes in a time.</summary>
    SubscribesPerClient,

    /// <summary><c>auth_failures_per_ip</c>: failed logins of one network in a time.</summary>
    AuthFailuresPerIp,

    /// <summary><c>connect_timeout</c>: time to complete CONNECT.</summary>
    ConnectTimeout,

    /// <summary><c>max_memory</c>: memory of the process.</summary>
    MaxMemory,

    /// <summary><c>max_sessions</c>: sessions, connected or not.</summary>
    MaxSessions,

    /// <summary><c>max_retained</c>: retained messages.</summary>
    MaxRetained,

    /// <summary><c>max_retained_bytes</c>: their bytes.</summary>
    MaxRetainedBytes,

    /// <summary><c>max_unauthenticated_bytes</c>: what those have sent, all together, who have not logged in.</summary>
    MaxUnauthenticatedBytes,
}
