using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Testing;

/// <summary>What a test wants of its broker.</summary>
public sealed record TestBrokerOptions
{
    /// <summary>The limits. By default nothing happens by itself: no <c>$SYS</c>, no keep alive a client did not ask for.</summary>
    public MqttOptions Mqtt { get; init; } = Quiet;

    /// <summary>The table <c>[limits]</c>.</summary>
    public LimitOptions Limits { get; init; } = new();

    /// <summary>Whether clients come over loopback sockets to a real server on the system clock, instead of over memory on a clock the test moves.</summary>
    public bool OverSockets { get; init; }

    /// <summary>The clock of a broker over memory.</summary>
    public FakeTimeProvider Time { get; init; } = new();

    /// <summary>The broker's clock, where it shares it with a journal.</summary>
    public BrokerClock? Clock { get; init; }

    /// <summary>The journal; by default nothing outlives the broker.</summary>
    public IJournal Journal { get; init; } = VolatileJournal.Instance;

    /// <summary>The other nodes; by default there are none.</summary>
    public ICluster Cluster { get; init; } = StandaloneCluster.Instance;

    /// <summary>Who lets clients in.</summary>
    public IAuthenticator Authenticator { get; init; } = new AnonymousAuthenticator();

    /// <summary>Whether the listener lets in who presents nothing.</summary>
    public bool AllowAnonymous { get; init; } = true;

    /// <summary>The default limits; for <c>TestBrokerOptions.Quiet with { ... }</c>.</summary>
    public static MqttOptions Quiet { get; } = new() { SysInterval = TimeSpan.Zero, MaxKeepAlive = TimeSpan.Zero };
}
