using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker reload</c>: has the running broker read its configuration again, and says what came of it.</summary>
public static class ReloadCommand
{
    /// <summary>What is asked over the control socket.</summary>
    public const string Request = "reload";

    // Reading files, reviewing clients: longer than a slow SD card needs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly CommandOption DataDirectory = CommandOption.Path("--data-dir", null, "DIR", "the broker's data directory, in place of -c");

    public static Command Command { get; } = new()
    {
        Name = "reload",
        Summary = "have the running broker take its changed configuration",
        Options = [SharedOptions.Config, DataDirectory, SharedOptions.Json],
        Remarks = """
            Asks the broker with this data directory to read the configuration it was started with again:
            users, access rules, certificates, listeners, limits, log level. What is wrong with it is shown
            as FILE:LINE:COLUMN, and then nothing changes. Clients that are still allowed stay connected.
            The answer names what needs a restart. SIGHUP does the same; its answer is in the log. Without
            -c and --data-dir the data directory is that of the embedded default.
            """,
        ExitCodes = "0 applied, or nothing has changed, 1 no broker answers, or it could not apply it",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        string directory = DirectoryOf(args, context, out IReadOnlyList<string> errors);
        ControlAnswer? answer = ControlClient.Ask(directory, Request, Patience, out string noAnswer);
        if (answer is null)
        {
            foreach (string error in errors) context.Error.WriteLine(error);
            throw new CommandException(noAnswer);
        }

        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(new ReloadAnswer(answer.ExitCode == ExitCode.Success, answer.Lines), CommandJson.Default.ReloadAnswer);
        }
        else
        {
            Show(answer, context);
        }

        return answer.ExitCode;
    }

    /// <summary>Where the broker's data is. A file with mistakes still says so: that broker is to say what is wrong, in its log too.</summary>
    private static string DirectoryOf(Arguments args, CommandContext context, out IReadOnlyList<string> errors)
    {
        errors = [];
        string? file = args.Text(SharedOptions.Config);
        if (args.Text(DataDirectory) is { } directory)
        {
            return file is null ? context.FullPath(directory) : throw new UsageException("--data-dir says where the broker is; leave out -c");
        }

        if (file is not null && !File.Exists(context.FullPath(file))) throw CommandException.Configuration([$"{file}: no such file"]);
        BrokerSettings settings = context.ReadSettings(context, file);
        errors = settings.Errors;
        return settings.DataDirectory;
    }

    private static void Show(ControlAnswer answer, CommandContext context)
    {
        TextWriter output = answer.ExitCode == ExitCode.Success ? context.Out : context.Error;
        foreach (string line in answer.Lines) output.WriteLine(Printable.Escape(line));
    }
}

/// <summary>What <c>reload --json</c> prints.</summary>
internal sealed record ReloadAnswer(bool Applied, IReadOnlyList<string> Lines);
