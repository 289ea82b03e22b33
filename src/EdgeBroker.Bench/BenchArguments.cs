using EdgeBroker.Cli;
using EdgeBroker.Cli.Options;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>The command line of <c>bench</c>.</summary>
internal static class BenchArguments
{
    private const int MostClients = 60_000;
    private const int MostSeconds = 900;
    private const int MostThings = 10_000_000;

    /// <summary>The scenarios by their names on the command line, and what help says of them.</summary>
    public static readonly (string Name, Scenario Scenario, string Help)[] Scenarios =
    [
        ("fan-in", Scenario.FanIn, "50 publishers on topics of their own, 1 subscriber to all of them"),
        ("fan-out", Scenario.FanOut, "1 publisher, 100 subscribers to its topic"),
        ("pairs", Scenario.Pairs, "50 publishers, each with a subscriber of its own"),
        ("wild", Scenario.Wild, "10 publishers, random ones of 50,000 topics; 100 subscribers, 10,000 filters, wildcards too"),
        ("shared", Scenario.Shared, "10 publishers, one shared group of 4 subscribers"),
        ("connect", Scenario.Connect, "1000 connections that come, stay idle, and go"),
        ("retain", Scenario.Retain, "10,000 retained messages, sent to 1 subscriber when it subscribes"),
        ("store", Scenario.Store, "1 publisher at QoS 1 that waits for its messages to be stored for 1 subscriber, which is away"),
        ("latency", Scenario.Latency, "pairs at QoS 1 and 5000 messages a second: how long they are on their way"),
    ];

    private static readonly CommandOption Host = CommandOption.Text("--host", 'h', "NAME", "server (localhost)");
    private static readonly CommandOption Port = CommandOption.Number("--port", 'p', "N", 1, 65535, "port (1883)");
    private static readonly CommandOption Unix = CommandOption.Path("--unix", null, "PATH", "Unix domain socket, in place of host and port");
    private static readonly CommandOption Version = CommandOption.Text("--protocol-version", 'V', "VERSION", "311 or 5 (311)");
    private static readonly CommandOption UserName = CommandOption.Text("--username", 'u', "NAME", "user name");
    private static readonly CommandOption Password = CommandOption.Text("--pw", 'P', "TEXT", "password");

    private static readonly CommandOption Qos = CommandOption.Number("--qos", 'q', "N", 0, 2, "QoS 0, 1 or 2 of publishers and subscribers (0)");
    private static readonly CommandOption Payload =
        CommandOption.Number("--payload", null, "BYTES", MessageStamp.Bytes, 16 * 1024 * 1024, $"size of a message ({BenchOptions.DefaultPayloadBytes})");
    private static readonly CommandOption Properties = CommandOption.Flag("--properties", null, "messages carry properties (MQTT 5)");
    private static readonly CommandOption Aliases = CommandOption.Flag("--aliases", null, "topics are named by alias from the second message on (MQTT 5)");
    private static readonly CommandOption Publishers = CommandOption.Number("--publishers", null, "N", 1, MostClients, "publishers");
    private static readonly CommandOption Subscribers = CommandOption.Number("--subscribers", null, "N", 1, MostClients, "subscribers");
    private static readonly CommandOption Window = CommandOption.Number("--window", null, "N", 1, 65_535, "messages of a publisher on their way at once (64)");
    private static readonly CommandOption Batch = CommandOption.Number("--batch", null, "N", 1, 65_535, "messages a publisher writes at once (8)");
    private static readonly CommandOption Rate = CommandOption.Number(
        "--rate", null, "N", 1, MostThings, "messages a second, all publishers together, instead of as fast as the window allows; latencies are shown");

    private static readonly CommandOption Filters = CommandOption.Number("--filters", null, "N", 1, MostThings, "filters, in wild");
    private static readonly CommandOption Topics = CommandOption.Number("--topics", null, "N", 1, MostThings, "topics, in wild");
    private static readonly CommandOption Retained = CommandOption.Number("--retained", null, "N", 1, MostThings, "messages, in retain");
    private static readonly CommandOption RetainEach = CommandOption.Flag("--retain", null, "messages are retained, in store; nobody subscribes");
    private static readonly CommandOption Connections = CommandOption.Number("--connections", null, "N", 1, MostClients, "connections, in connect");
    private static readonly CommandOption Subscribe = CommandOption.Flag("--subscribe", null, "each connection subscribes to a topic of its own, in connect");
    private static readonly CommandOption Hold = CommandOption.Seconds("--hold", null, "S", 0, MostSeconds, "how long connections stay idle, in connect (3)");

    private static readonly CommandOption Duration = CommandOption.Seconds("--duration", null, "S", 0.1m, MostSeconds, "measured time (5)");
    private static readonly CommandOption WarmUp = CommandOption.Seconds("--warm-up", null, "S", 0, MostSeconds, "time before it (1)");
    private static readonly CommandOption Messages =
        CommandOption.Number("--messages", null, "N", 1, long.MaxValue, "so many messages instead, all publishers together");
    private static readonly CommandOption Timeout =
        CommandOption.Seconds("--timeout", null, "S", 0.1m, MostSeconds, "how long nothing may arrive before what is missing is lost (5)");

    private static readonly CommandOption Beside = CommandOption.Number(
        "--beside", null, "N", 1, MostClients,
        "N clients beside the load, each of which publishes to itself at QoS 0, waits for the message, and publishes the next; "
        + "how long the broker takes is shown");

    private static readonly CommandOption BrokerPid = CommandOption.Number(
        "--broker-pid", null, "PID", 1, int.MaxValue, "the server's process, on this machine: messages per CPU-second, memory, and who was the limit");

    public static readonly OptionGroup[] Groups =
    [
        new("Connection", Host, Port, Unix, Version, UserName, Password),
        new("Load", Qos, Payload, Properties, Aliases, Publishers, Subscribers, Window, Batch, Rate, Filters, Topics, Retained, RetainEach, Connections,
            Subscribe, Hold, Beside),
        new("Length", Duration, WarmUp, Messages, Timeout),
        new("Result", BrokerPid, SharedOptions.Json),
    ];

    /// <summary>The run the arguments ask for.</summary>
    /// <exception cref="UsageException">They do not go together.</exception>
    public static BenchOptions ToOptions(Arguments args)
    {
        BenchOptions usual = BenchOptions.DefaultsOf(Find(args.Operands[0]));
        string host = args.Text(Host) ?? "localhost";
        long port = args.Number(Port) ?? 1883;
        return Checked(usual with
        {
            Address = args.Text(Unix) is { } path ? "unix:" + path : host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}",
            Version = ToVersion(args),
            UserName = args.Text(UserName),
            Password = args.Text(Password),
            QoS = (QoS?)args.Number(Qos) ?? usual.QoS,
            PayloadBytes = (int?)args.Number(Payload) ?? usual.PayloadBytes,
            WithProperties = args.Has(Properties),
            WithAliases = args.Has(Aliases),
            Publishers = (int?)args.Number(Publishers) ?? usual.Publishers,
            Subscribers = (int?)args.Number(Subscribers) ?? usual.Subscribers,
            Window = (int?)args.Number(Window) ?? usual.Window,
            Batch = (int?)args.Number(Batch) ?? usual.Batch,
            RatePerSecond = args.Number(Rate) ?? usual.RatePerSecond,
            Filters = (int?)args.Number(Filters) ?? usual.Filters,
            Topics = (int?)args.Number(Topics) ?? usual.Topics,
            Retained = (int?)args.Number(Retained) ?? usual.Retained,
            RetainEach = args.Has(RetainEach),
            Connections = (int?)args.Number(Connections) ?? usual.Connections,
            SubscribeEach = args.Has(Subscribe),
            Hold = args.Seconds(Hold) ?? usual.Hold,
            Duration = args.Seconds(Duration) ?? usual.Duration,
            WarmUp = args.Seconds(WarmUp) ?? usual.WarmUp,
            Messages = args.Number(Messages) ?? usual.Messages,
            Timeout = args.Seconds(Timeout) ?? usual.Timeout,
            Beside = (int?)args.Number(Beside) ?? usual.Beside,
            BrokerPid = (int?)args.Number(BrokerPid),
            Json = args.Has(SharedOptions.Json),
        });
    }

    /// <summary>The name of a scenario on the command line.</summary>
    public static string NameOf(Scenario scenario) => Array.Find(Scenarios, one => one.Scenario == scenario).Name;

    private static BenchOptions Checked(BenchOptions options)
    {
        bool isStream = options.Scenario is not (Scenario.Connect or Scenario.Retain or Scenario.Store);
        if (options.Scenario == Scenario.Store && (options.QoS == QoS.AtMostOnce || options.Subscribers != 1))
        {
            throw new UsageException("store waits for acknowledgements, which QoS 0 has none of, and has one subscriber");
        }

        if (options.RetainEach && options.Scenario != Scenario.Store) throw new UsageException("--retain belongs to store");
        if (options.WithProperties && options.Version == ProtocolVersion.V311) throw new UsageException("--properties belongs to MQTT 5; add -V 5");
        if (options.WithAliases && options.Version == ProtocolVersion.V311) throw new UsageException("--aliases belongs to MQTT 5; add -V 5");
        if (options.WithAliases && (options.Scenario == Scenario.Wild || !isStream))
        {
            throw new UsageException("--aliases is for scenarios in which a publisher keeps to one topic");
        }

        if (options.Password is not null && options.UserName is null && options.Version == ProtocolVersion.V311)
        {
            throw new UsageException("MQTT 3.1.1 has no password without a user name; add -u");
        }

        if (options.Batch > options.Window)
        {
            throw new UsageException($"--batch {options.Batch}: a publisher cannot write more at once than its --window of {options.Window}");
        }

        if (options.Scenario is Scenario.Pairs or Scenario.Latency) options = options with { Subscribers = options.Publishers };
        if (options.Scenario == Scenario.Wild && options.Filters < options.Subscribers)
        {
            throw new UsageException($"--filters {options.Filters}: each of the {options.Subscribers} subscribers needs one");
        }

        if (options.RatePerSecond > 0 && !isStream) throw new UsageException("--rate paces messages; this scenario has no stream of them");
        return options;
    }

    private static Scenario Find(string name)
    {
        foreach ((string known, Scenario scenario, _) in Scenarios)
        {
            if (known == name) return scenario;
        }

        string[] names = [.. Scenarios.Select(one => one.Name)];
        string hint = NearestName.Of(name, names) is { } nearest ? $"; did you mean {nearest}?" : "";
        throw new UsageException($"there is no scenario \"{name}\"; there are {string.Join(", ", names)}{hint}");
    }

    private static ProtocolVersion ToVersion(Arguments args) => args.Text(Version) switch
    {
        null or "mqttv311" or "311" or "3.1.1" => ProtocolVersion.V311,
        "mqttv5" or "5" or "5.0" => ProtocolVersion.V5,
        _ => throw args.Wrong(Version, "give 311 or 5"),
    };
}
