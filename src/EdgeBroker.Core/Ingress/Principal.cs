using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core.Ingress;

/// <summary>
/// Who publishes and subscribes, and under which rights. One for each connection; replaced as a whole when its rights change. Used by one thread at a time.
/// </summary>
public sealed class Principal
{
    /// <summary>For whom it acts: a session by its connection's right, or any other receiver.</summary>
    public required Receiver Receiver { get; init; }

    /// <summary>Where the receiver is a session: the generation in which the connection was given the right to act for it.</summary>
    public uint Generation { get; init; }

    /// <summary>The connection's right to act for its session; the default where the receiver is none.</summary>
    public ConnectionLease Lease => Receiver is Session session ? new ConnectionLease(session, Generation) : default;

    /// <summary>What it was let in with, and what it may do.</summary>
    public required AuthenticationResult Identity { get; init; }

    /// <summary>The options that were granted to it.</summary>
    public required MqttOptions Grants { get; init; }

    /// <summary>Whether it is told why a publish is refused. An MQTT 3.1.1 client is not: its publish is acknowledged as usual [MQTT-3.3.5-2].</summary>
    public bool HearsRefusals { get; init; }

    /// <summary>Whether it brings a publish again that the store cannot keep just now, rather than hear that it is refused.</summary>
    public bool WaitsForStore { get; init; }

    /// <summary>
    /// Whether the client says that it is a bridge, or speaks a version in which it cannot say so: then it may tell at its own place under <c>$SYS</c> whether
    /// it is connected.
    /// </summary>
    public bool IsBridge { get; init; }

    /// <summary>What it has used of its rates; null until there are any.</summary>
    public ClientRateLimits? Rates { get; internal set; }

    /// <summary>What it may do.</summary>
    public Permissions Permissions => Identity.Permissions;

    /// <summary>The same with other rights.</summary>
    public Principal With(AuthenticationResult identity) => new()
    {
        Receiver = Receiver,
        Generation = Generation,
        Identity = identity,
        Grants = Grants,
        HearsRefusals = HearsRefusals,
        WaitsForStore = WaitsForStore,
        IsBridge = IsBridge,
        Rates = Rates,
    };
}
