using EdgeBroker.Protocol;
using EdgeBroker.PubSub;

namespace EdgeBroker.Bench;

/// <summary>The command line of <c>bench</c>.</summary>
internal static class BenchArguments
{
    private const int MostClients = 60_000;

    /// <summary>The scenarios by their names on the command line.</summary>
    public static readonly (string Name, Scenario Scenario)[] Scenarios =
    [
        ("fan-in", Scenario.FanIn), ("fan-out", Scenario.FanOut), ("pairs", Scenario.Pairs), ("wild", Scenario.Wild),
        ("shared", Scenario.Shared), ("connect", Scenario.Connect), ("retain", Scenario.Retain), ("latency", Scenario.Latency),
    ];

    private static readonly CommandOption[] Options =
    [
        new("--host", "-h"), new("--port", "-p"), new("--unix", null), new("--protocol-version", "-V"), new("--qos", "-q"), new("--username", "-u"), new("--pw", "-P"),
        new("--payload", null), new("--publishers", null), new("--subscribers", null), new("--window", null), new("--batch", null),
        new("--duration", null), new("--warm-up", null), new("--messages", null), new("--rate", null), new("--patience", null), new("--properties", null), new("--aliases", null),
        new("--filters", null), new("--topics", null), new("--retained", null), new("--connections", null), new("--subscribe", null), new("--hold", null),
        new("--beside", null), new("--broker-pid", null), new("--json", null), new("--help", null),
    ];

    /// <summary>Reads the command line; null when it asks for help.</summary>
    /// <exception cref="UsageException">It is wrong.</exception>
    public static BenchOptions? Read(string[] args)
    {
        if (args.Length == 0) throw new UsageException($"Name a scenario: {Names()}.");
        if (args[0] == "--help") return null;
        var reader = new OptionReader(Options, args[1..]);
        BenchOptions options = BenchOptions.DefaultsOf(Find(args[0]));
        string host = "localhost";
        long port = 1883;
        while (reader.Next() is { } option)
        {
            switch (option)
            {
                case "--help": return null;
                case "--host": host = reader.Value(); break;
                case "--port": port = reader.Number(1, 65535); break;
                case "--unix": options = options with { Address = "unix:" + reader.Value() }; break;
                case "--protocol-version": options = options with { Version = Version(reader.Value()) }; break;
                default: options = Take(options, option, reader); break;
            }
        }

        if (!options.Address.StartsWith("unix:", StringComparison.Ordinal)) options = options with { Address = host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}" };
        return Checked(options);
    }

    /// <summary>The name of a scenario on the command line.</summary>
    public static string NameOf(Scenario scenario) => Array.Find(Scenarios, one => one.Scenario == scenario).Name;

    private static BenchOptions Take(BenchOptions options, string option, OptionReader reader) => option switch
    {
        "--qos" => options with { QoS = (QoS)reader.Number(0, 2) },
        "--username" => options with { UserName = reader.Value() },
        "--pw" => options with { Password = reader.Value() },
        "--payload" => options with { PayloadBytes = (int)reader.Number(MessageStamp.Bytes, 16 * 1024 * 1024) },
        "--publishers" => options with { Publishers = (int)reader.Number(1, MostClients) },
        "--subscribers" => options with { Subscribers = (int)reader.Number(1, MostClients) },
        "--window" => options with { Window = (int)reader.Number(1, 65_535) },
        "--batch" => options with { Batch = (int)reader.Number(1, 65_535) },
        "--duration" => options with { Duration = Span(reader, 0.1, 900) },
        "--warm-up" => options with { WarmUp = Span(reader, 0, 900) },
        "--messages" => options with { Messages = reader.Number(1, long.MaxValue) },
        "--rate" => options with { RatePerSecond = reader.Number(1, 10_000_000) },
        "--patience" => options with { Patience = Span(reader, 0.1, 900) },
        "--properties" => options with { WithProperties = true },
        "--aliases" => options with { WithAliases = true },
        "--filters" => options with { Filters = (int)reader.Number(1, 10_000_000) },
        "--topics" => options with { Topics = (int)reader.Number(1, 10_000_000) },
        "--retained" => options with { Retained = (int)reader.Number(1, 10_000_000) },
        "--connections" => options with { Connections = (int)reader.Number(1, MostClients) },
        "--subscribe" => options with { SubscribeEach = true },
        "--hold" => options with { Hold = Span(reader, 0, 900) },
        "--beside" => options with { Beside = (int)reader.Number(1, MostClients) },
        "--broker-pid" => options with { BrokerPid = (int)reader.Number(1, int.MaxValue) },
        _ => options with { Json = true },
    };

    private static BenchOptions Checked(BenchOptions options)
    {
        if (options.WithProperties && options.Version == ProtocolVersion.V311) throw new UsageException("--properties belongs to MQTT 5; add -V 5.");
        if (options.WithAliases && options.Version == ProtocolVersion.V311) throw new UsageException("--aliases belongs to MQTT 5; add -V 5.");
        if (options.WithAliases && options.Scenario is Scenario.Wild or Scenario.Retain or Scenario.Connect) throw new UsageException("--aliases is for scenarios in which a publisher keeps to one topic.");
        if (options.Password is not null && options.UserName is null && options.Version == ProtocolVersion.V311) throw new UsageException("MQTT 3.1.1 has no password without a user name; add -u.");
        if (options.Batch > options.Window) throw new UsageException($"--batch {options.Batch}: a publisher cannot write more at once than its --window of {options.Window}.");
        if (options.Scenario is Scenario.Pairs or Scenario.Latency) options = options with { Subscribers = options.Publishers };
        if (options.Scenario == Scenario.Wild && options.Filters < options.Subscribers) throw new UsageException($"--filters {options.Filters}: each of the {options.Subscribers} subscribers needs one.");
        if (options.RatePerSecond > 0 && options.Scenario is Scenario.Connect or Scenario.Retain) throw new UsageException("--rate paces messages; this scenario has no stream of them.");
        return options;
    }

    private static Scenario Find(string name)
    {
        foreach ((string known, Scenario scenario) in Scenarios)
        {
            if (known == name) return scenario;
        }

        string hint = NearestName.Of(name, Scenarios.Select(one => one.Name)) is { } nearest ? $" Did you mean {nearest}?" : "";
        throw new UsageException($"There is no scenario \"{name}\"; there are {Names()}.{hint}");
    }

    private static string Names() => string.Join(", ", Scenarios.Select(one => one.Name));

    private static ProtocolVersion Version(string text) => text switch
    {
        "mqttv311" or "311" or "3.1.1" => ProtocolVersion.V311,
        "mqttv5" or "5" or "5.0" => ProtocolVersion.V5,
        _ => throw new UsageException($"-V {text}: give 311 or 5."),
    };

    private static TimeSpan Span(OptionReader reader, double leastSeconds, double mostSeconds)
    {
        TimeSpan span = reader.Seconds();
        return span.TotalSeconds >= leastSeconds && span.TotalSeconds <= mostSeconds ? span
            : throw new UsageException(FormattableString.Invariant($"{span.TotalSeconds} s: give seconds from {leastSeconds} to {mostSeconds}."));
    }
}
