using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.State;

/// <summary>Commands as tests need them.</summary>
internal static class Commands
{
    /// <summary>A store per node, and others by number.</summary>
    public static Guid Store(int number) => new(number, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);

    /// <summary>A certificate per number.</summary>
    public static string Fingerprint(int number) => number.ToString("x64", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A start.</summary>
    public static NodeUp Up(
        byte node, long incarnation = 1, int? store = null, int? certificate = null, long highestGrant = 0, long settledThrough = 0, byte wireMax = 1) =>
        new()
        {
            Node = node,
            Name = $"gw-{node}",
            Incarnation = incarnation,
            StoreId = Store(store ?? node),
            Fingerprint = Fingerprint(certificate ?? node),
            LinkAddress = $"192.168.1.{node}:7946",
            RaftAddress = $"192.168.1.{node}:7947",
            Servers = [$"mqtts://gw-{node}:8883"],
            WireMin = 1,
            WireMax = wireMax,
            RaftGeneration = 1,
            ConfigurationHash = 0xFEDC_BA98_7654_3210,
            IsWitness = node == 3,
            HighestGrant = highestGrant,
            SettledThrough = settledThrough,
        };

    /// <summary>A claim of some sessions.</summary>
    public static ClaimSessions Claim(byte node, long incarnation, byte over, long overIncarnation, params SessionToClaim[] sessions) =>
        new(node, incarnation, over, overIncarnation, false, sessions);

    /// <summary>A session to claim.</summary>
    public static SessionToClaim Session(string clientId, long known = 0, long stamp = 1, bool isClean = false) => new(clientId, known, stamp, isClean);

    /// <summary>Applies a command at the next index.</summary>
    public static Applied Apply(this ClusterStateMachine machine, ClusterCommand command) => machine.Apply(machine.View.Index + 1, CommandCodec.Write(command));
}
