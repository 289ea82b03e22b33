using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Probing;
using EdgeBroker.Cli.Bridges;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker bridge ...</c>: try one, see and order those of the running broker, take over mosquitto's.</summary>
internal static class BridgeCommand
{
    public static Command Command { get; } = new()
    {
        Name = "bridge",
        Summary = "try bridges, see how they are, start and stop them, take over mosquitto's",
        Commands =
        [
            new Command
            {
                Name = "bridge test",
                Summary = "try a bridge from the bottom up, and say which layer fails and what to do",
                Operands = [new Operand("NAME")],
                Options = [SharedOptions.Config, SharedOptions.Json],
                Remarks = """
                    Looks up the name, connects, checks certificates, logs in, and sends one message there and back.
                    It does so under the client id with "-test" behind it, so that the bridge of the running broker
                    keeps its connection; where the other side knows one id only (AWS, Azure) it does not.
                    """,
                ExitCodes = "0 all is well, 1 something fails",
                ReadsConfiguration = true,
                Run = Test,
            },
            .. BridgeControlCommands.All,
            new Command
            {
                Name = "bridge import",
                Summary = "print the [[bridge]] tables that do what the bridges of mosquitto.conf FILE do",
                Operands = [new Operand("FILE")],
                Run = Import,
            },
        ],
    };

    private static int Test(Arguments args, CommandContext context)
    {
        BrokerConfiguration? configuration = ConfigurationFile.Read(args.Text(SharedOptions.Config), context, out IReadOnlyList<string> errors);
        if (configuration is null) throw CommandException.Configuration(errors);
        BridgeOptions bridge = configuration.Bridges.FirstOrDefault(one => one.Name == args.Operands[0])
            ?? throw new CommandException(configuration.Bridges.Count == 0
                ? "there is no [[bridge]]; -c FILE names the configuration"
                : $"there is no [[bridge]] of this name; there are {string.Join(", ", configuration.Bridges.Select(one => one.Name))}");
        IReadOnlyList<ProbeStep> steps = new BridgeProbe(bridge).RunAsync().GetAwaiter().GetResult();
        bool isGood = steps.All(step => step.IsGood);
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(new BridgeTestAnswer(bridge.Name, isGood, steps), VerbJson.Default.BridgeTestAnswer);
        }
        else
        {
            foreach (ProbeStep step in steps) context.Out.WriteLine($"{(step.IsGood ? "ok    " : "FAILED")}  {step.Step,-9}  {Printable.Escape(step.Text)}");
        }

        return isGood ? ExitCode.Success : ExitCode.Failed;
    }

    private static int Import(Arguments args, CommandContext context)
    {
        string path = context.FullPath(args.Operands[0]);
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{args.Operands[0]}: {FileFailure.Explain(exception, path)}");
        }

        var notes = new List<string>();
        string tables = MosquittoBridges.Convert(lines, notes);
        context.Out.Write(tables);
        foreach (string note in notes) context.Error.WriteLine("note: " + Printable.Escape(note));
        if (tables.Length > 0) return ExitCode.Success;
        context.Error.WriteLine("there is no \"connection\" in it");
        return ExitCode.Failed;
    }
}

/// <summary>How a trial of a bridge went.</summary>
internal sealed record BridgeTestAnswer(string Bridge, bool Good, IReadOnlyList<ProbeStep> Steps);
