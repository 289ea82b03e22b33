using EdgeBroker.Configuration;
using EdgeBroker.Control;
using EdgeBroker.Verbs;

namespace EdgeBroker.Reloading;

/// <summary><c>edgebroker reload</c>: has the running broker read its configuration again, and says what came of it.</summary>
internal static class ReloadCommand
{
    public const string Usage = """
        usage: edgebroker reload [-c FILE | --data-dir DIR]

          -c, --config FILE   the broker's configuration, which says where its data is
              --data-dir DIR  the broker's data directory, in place of -c

        Asks the broker with this data directory to read the configuration it was started
        with again: users, access rules, certificates, listeners, limits, log level. What is
        wrong with it is shown as FILE:LINE:COLUMN, and then nothing changes. Clients that
        are still allowed stay connected. The answer names what needs a restart.
        SIGHUP does the same; its answer is in the log. Without -c and --data-dir the data
        directory is that of the embedded default.
        Exit codes: 0 applied, or nothing has changed; 1 no broker answers, or it could not
        apply it; 64 wrong usage; 78 wrong configuration.
        """;

    private const string Option = "--data-dir";
    private const string LongForm = Option + "=";

    // Reading files, reviewing clients: longer than a slow SD card needs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static int Run(string[] args, Surroundings world)
    {
        if (TakeDirectory(args, out string? directory, out string[] rest) is { } misuse) return CommandLine.Misused(misuse, Usage, world);
        string[] errors = [];
        if (directory is null)
        {
            string? file = ConfigOption.Read(rest, out string? problem);
            if (problem is not null) return CommandLine.Misused(problem, Usage, world);
            if (file is not null && !File.Exists(Path.GetFullPath(file, world.WorkingDirectory)))
            {
                world.Error.WriteLine($"{Printable.Escape(file)}: no such file");
                return ExitCode.Configuration;
            }

            // A file with mistakes still says where its broker is: that one is to say what is wrong, in its log too.
            var loader = new ConfigurationLoader(world.Environment, world.WorkingDirectory, world.Time);
            loader.Load(file, out errors);
            directory = loader.DataDirectory;
        }

        if (ControlClient.Ask(Path.GetFullPath(directory, world.WorkingDirectory), Request, Patience, out string noAnswer) is { } answer)
        {
            return Show(answer, world);
        }

        foreach (string error in errors) world.Error.WriteLine(error);
        world.Error.WriteLine($"edgebroker: {Printable.Escape(noAnswer)}");
        return ExitCode.Failed;
    }

    /// <summary>What is asked over the control socket.</summary>
    public const string Request = "reload";

    private static int Show(ControlAnswer answer, Surroundings world)
    {
        TextWriter output = answer.ExitCode == ExitCode.Success ? world.Out : world.Error;
        foreach (string line in answer.Lines) output.WriteLine(Printable.Escape(line));
        return answer.ExitCode;
    }

    /// <summary>Takes --data-dir; what remains is -c and its file. What is wrong, or null.</summary>
    private static string? TakeDirectory(string[] args, out string? directory, out string[] rest)
    {
        directory = null;
        var others = new List<string>();
        string? problem = null;
        for (int i = 0; i < args.Length; i++)
        {
            string? value = null;
            if (args[i].StartsWith(LongForm, StringComparison.Ordinal)) value = args[i][LongForm.Length..];
            else if (args[i] == Option) value = ++i < args.Length ? args[i] : "";
            else others.Add(args[i]);
            if (value is null) continue;
            if (value.Length == 0) problem = Option + " needs a directory";
            else if (directory is not null) problem = Option + " is given twice";
            directory = value;
        }

        rest = [.. others];
        if (problem is null && directory is not null && others.Count > 0) problem = $"{Option} says it all; without it, -c FILE names a configuration";
        return problem;
    }
}
