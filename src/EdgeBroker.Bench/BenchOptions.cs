using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>One run, as the command line asks for it.</summary>
internal sealed record BenchOptions
{
    /// <summary>Bytes of an application message when nothing else is said.</summary>
    public const int DefaultPayloadBytes = 64;

    public required Scenario Scenario { get; init; }

    /// <summary><c>host:port</c> or <c>unix:/path</c>.</summary>
    public string Address { get; init; } = "localhost:1883";

    public ProtocolVersion Version { get; init; } = ProtocolVersion.V311;

    public string? UserName { get; init; }

    public string? Password { get; init; }

    /// <summary>Of publishers and subscribers alike.</summary>
    public QoS QoS { get; init; }

    /// <summary>Bytes of the application message; at least <see cref="MessageStamp.Bytes"/>.</summary>
    public int PayloadBytes { get; init; } = DefaultPayloadBytes;

    public int Publishers { get; init; }

    public int Subscribers { get; init; }

    /// <summary>Messages of one publisher that may be on their way: unacknowledged, and (without a rate) not yet with all receivers.</summary>
    public int Window { get; init; } = 64;

    /// <summary>Messages a publisher writes with one system call.</summary>
    public int Batch { get; init; } = 8;

    /// <summary>How long is measured, when <see cref="Messages"/> is 0.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it runs before measuring begins, when <see cref="Messages"/> is 0.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Messages to publish, all publishers together; 0: as many as the duration allows.</summary>
    public long Messages { get; init; }

    /// <summary>Messages a second, all publishers together; 0: as fast as the window allows.</summary>
    public double RatePerSecond { get; init; }

    /// <summary>How long nothing may arrive before what is missing counts as lost.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether messages carry expiry, content type, response topic and user properties; MQTT 5.</summary>
    public bool WithProperties { get; init; }

    /// <summary>Whether publishers name their topic by an alias from the second message on, and subscribers let the server do so; MQTT 5.</summary>
    public bool WithAliases { get; init; }

    /// <summary>Filters of all subscribers together, in <see cref="Scenario.Wild"/>.</summary>
    public int Filters { get; init; } = 10_000;

    /// <summary>Topics at least, in <see cref="Scenario.Wild"/>.</summary>
    public int Topics { get; init; } = 50_000;

    /// <summary>Retained messages, in <see cref="Scenario.Retain"/>.</summary>
    public int Retained { get; init; } = 10_000;

    /// <summary>Whether messages are retained instead of queued, in <see cref="Scenario.Store"/>.</summary>
    public bool RetainEach { get; init; }

    /// <summary>Connections, in <see cref="Scenario.Connect"/>.</summary>
    public int Connections { get; init; } = 1000;

    /// <summary>Whether each connection subscribes to a topic of its own, in <see cref="Scenario.Connect"/>.</summary>
    public bool SubscribeEach { get; init; }

    /// <summary>How long connections stay idle, in <see cref="Scenario.Connect"/>.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Clients beside the load that publish to themselves and wait; their round trips are measured.</summary>
    public int Beside { get; init; }

    /// <summary>The broker's process, for its CPU time and memory.</summary>
    public int? BrokerPid { get; init; }

    /// <summary>Whether the result is one line of JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Whether publishers wait for their deliveries, so that no queue grows without bound.</summary>
    public bool IsClosedLoop => RatePerSecond == 0;

    /// <summary>The options of a scenario when nothing else is said.</summary>
    public static BenchOptions DefaultsOf(Scenario scenario) => scenario switch
    {
        Scenario.FanIn => new BenchOptions { Scenario = scenario, Publishers = 50, Subscribers = 1 },
        Scenario.FanOut => new BenchOptions { Scenario = scenario, Publishers = 1, Subscribers = 100 },
        Scenario.Wild => new BenchOptions { Scenario = scenario, Publishers = 10, Subscribers = 100 },
        Scenario.Shared => new BenchOptions { Scenario = scenario, Publishers = 10, Subscribers = 4 },
        Scenario.Connect => new BenchOptions { Scenario = scenario },
        Scenario.Retain => new BenchOptions { Scenario = scenario, Publishers = 1, Subscribers = 1 },
        Scenario.Store => new BenchOptions { Scenario = scenario, Publishers = 1, Subscribers = 1, QoS = QoS.AtLeastOnce },
        Scenario.Latency => new BenchOptions { Scenario = scenario, Publishers = 50, Subscribers = 50, QoS = QoS.AtLeastOnce, RatePerSecond = 5000 },
        _ => new BenchOptions { Scenario = scenario, Publishers = 50, Subscribers = 50 },
    };
}
