using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker config show|default|schema</c>: a configuration with all that is in force by default, and what there is to configure.</summary>
internal static class ConfigCommand
{
    public static Command Command { get; } = new()
    {
        Name = "config",
        Summary = "show what is in force, all keys with their defaults, or their schema",
        Commands =
        [
            new Command
            {
                Name = "config show",
                Summary = "every value that is in force, and where it was set",
                Options = [SharedOptions.Config, SharedOptions.Json],
                Remarks = """
                    Behind each value stands the place that sets it, FILE:LINE:COLUMN, or "default". What is printed is
                    a valid configuration with the same meaning. A secret is shown by the file or variable that holds
                    it, never by what it is. With --json the same values as one object, in the form of `config schema`.
                    """,
                ExitCodes = "0 printed, 1 failed",
                ReadsConfiguration = true,
                Run = Show,
            },
            new Command
            {
                Name = "config default",
                Summary = "every key with its default and what it means: the text of broker.toml",
                Run = (_, context) => Print(ConfigurationDocuments.Default(), context),
            },
            new Command
            {
                Name = "config schema",
                Summary = "a JSON Schema of configurations",
                Remarks = """
                    Types, bounds and defaults of what `config show --json` prints; for each key also what is expected
                    in words (x-expects), and when a change comes into force (x-applies).
                    """,
                Run = (_, context) => Print(ConfigurationDocuments.Schema() + "\n", context),
            },
        ],
    };

    private static int Show(Arguments args, CommandContext context)
    {
        BrokerConfiguration configuration = ConfigurationFile.Read(args.Text(SharedOptions.Config), context, out IReadOnlyList<string> errors)
            ?? throw CommandException.Configuration(errors);
        return Print(
            args.Has(SharedOptions.Json) ? ConfigurationDocuments.ShowJson(configuration) + "\n" : ConfigurationDocuments.Show(configuration), context);
    }

    private static int Print(string text, CommandContext context)
    {
        context.Out.Write(text);
        return ExitCode.Success;
    }
}
