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

    /// <summary><c>max_sessions_per_user</c>: sessions of one user, or of the anonymous clients of one address.</summary>
    MaxSessionsPerUser,

    /// <summary><c>max_will_bytes</c>: bytes of wills.</summary>
    MaxWillBytes,

    /// <summary><c>max_will_bytes_per_user</c>: the same of one user or address.</summary>
    MaxWillBytesPerUser,

    /// <summary><c>max_filters</c>: filters subscribed.</summary>
    MaxFilters,

    /// <summary><c>max_filters_per_user</c>: the same of one user or address.</summary>
    MaxFiltersPerUser,

    /// <summary><c>max_retained_per_user</c>: retained messages of one user or address.</summary>
    MaxRetainedPerUser,

    /// <summary><c>max_retained_bytes_per_user</c>: their bytes.</summary>
    MaxRetainedBytesPerUser,

    /// <summary>A listener's own <c>max_connections</c>.</summary>
    MaxListenerConnections,

    /// <summary><c>max_unauthenticated_bytes</c>: what those have sent, all together, who have not logged in.</summary>
    MaxUnauthenticatedBytes,

    /// <summary><c>send_timeout</c>: time in which a client over HTTP takes nothing of its answer.</summary>
    SendTimeout,
}
