namespace EdgeBroker.Configuration.Schema;

/// <summary>When a changed value comes into force.</summary>
internal sealed record Applies
{
    /// <summary>For everything and everybody, as soon as it is read.</summary>
    public static readonly Applies AtOnce = new("at once");

    /// <summary>At once, and whoever is connected is reviewed: clients that are not permitted any more are disconnected.</summary>
    public static readonly Applies AtOnceWithReview = new("at once; connected clients are reviewed") { ReviewsClients = true };

    /// <summary>
    /// For connections that are made from then on. What CONNACK told a client, or the client has built upon, holds as long as its connection.
    /// </summary>
    public static readonly Applies ToNewConnections = new("for new connections");

    /// <summary>For filters that are subscribed from then on.</summary>
    public static readonly Applies ToNewSubscriptions = new("for new subscriptions");

    /// <summary>Both.</summary>
    public static readonly Applies ToNewConnectionsAndSubscriptions = new("for new connections and new subscriptions");

    /// <summary>When the next message comes to a queue.</summary>
    public static readonly Applies WithNextMessage = new("with the next message of each queue");

    /// <summary>The old listener closes with its connections, and another opens.</summary>
    public static readonly Applies AsAnotherListener = new("at once, as another listener: the clients of the old one are disconnected");

    /// <summary>The bridge leaves, and another one of its name takes over what waits.</summary>
    public static readonly Applies AsAnotherBridge = new("at once: the bridge is made anew, and keeps what waits");

    private Applies(string when) => When = when;

    /// <summary>Completes "it applies".</summary>
    public string When { get; }

    /// <summary>Why it takes a restart; null: it takes none.</summary>
    public string? RestartReason { get; private init; }

    /// <summary>Whether clients may lose rights by it.</summary>
    public bool ReviewsClients { get; private init; }

    /// <summary>Not while the broker runs.</summary>
    /// <param name="reason">Why not.</param>
    public static Applies AfterRestart(string reason) => new("after a restart: " + reason) { RestartReason = reason };

    /// <summary>A line of the report on a reload: a key that has changed, and when that applies.</summary>
    public string Report(string key) => RestartReason is not null ? $"{key}: {RestartReason}" : this == AtOnce || ReviewsClients ? key : $"{key}, {When}";
}
