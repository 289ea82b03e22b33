using EdgeBroker.Core.Limits;

namespace EdgeBroker.Reloading;

/// <summary>Which keys of <c>[limits] </c> differ. All come into force at once, for connections that are there and those to come; nobody is disconnected for
/// what was permitted until now.</summary>
internal static class LimitChanges
{
    private static readonly (string Key, Func<LimitOptions, object?> Value)[] Keys =
    [
        ("limits.connections_per_ip", o => o.ConnectionsPerIp),
        ("limits.max_connections_per_ip", o => o.MaxConnectionsPerIp),
        ("limits.max_connections", o => o.MaxConnections),
        ("limits.publishes_per_client", o => o.PublishesPerClient),
        ("limits.bytes_per_client", o => o.BytesPerClient),
        ("limits.subscribes_per_client", o => o.SubscribesPerClient),
        ("limits.auth_failures_per_ip", o => o.AuthFailuresPerIp),
        ("limits.max_memory", o => o.MaxMemory),
    ];

    /// <summary>Adds a line for each key that differs.</summary>
    public static void Find(LimitOptions before, LimitOptions after, List<string> applied)
    {
        foreach ((string key, Func<LimitOptions, object?> value) in Keys)
        {
            if (!Equals(value(before), value(after))) applied.Add(key);
        }
    }
}
