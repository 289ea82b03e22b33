namespace EdgeBroker.Cli.Options;

/// <summary>Finds the command, reads its arguments, runs it, and turns what goes wrong into text and an exit code.</summary>
/// <param name="verbs">The verbs, but for <c>help</c>; the first is run when none is named.</param>
public sealed class CommandLine(params Command[] verbs)
{
    private const string Program = "edgebroker";

    /// <summary>All verbs.</summary>
    public IReadOnlyList<Command> Verbs { get; } =
    [
        .. verbs,
        new Command { Name = "help", Summary = "explain a verb, or one of its commands",
            Operands = [new("VERB", IsRequired: false), new("COMMAND", IsRequired: false)] },
    ];

    /// <summary>Runs what the arguments name.</summary>
    public int Run(string[] args, CommandContext context)
    {
        try
        {
            return RunCommand(args, context);
        }
        catch (OutputException e) when (e.IsReaderGone)
        {
            // "| head" has seen enough.
            return ExitCode.Success;
        }
        catch (OutputException e)
        {
            Say($"{Program}: the output cannot be written: {e.Message}", context);
            return ExitCode.Failed;
        }
    }

    private int RunCommand(string[] args, CommandContext context)
    {
        Command? command = null;
        try
        {
            if (args is ["-h" or "--help" or "-?", ..]) return Print(HelpText.Of(Verbs), context);
            Arguments read = Read(args, ref command);
            if (read.WantsHelp) return Print(HelpText.Of(read.Command), context);
            return read.Command == Verbs[^1] ? Help(read, ref command, context) : Run(read, context);
        }
        catch (UsageException e)
        {
            string name = command is null ? Program : $"{Program} {command.Name}";
            Say($"{name}: {e.Message}", context);
            Say(command is null ? $"usage: {Program} [VERB] [OPTIONS]" : HelpText.UsageOf(command), context);
            Say(command is null ? $"\"{Program} help\" lists the verbs" : $"\"{name} --help\" explains it", context);
            return ExitCode.Usage;
        }
        catch (CommandException e)
        {
            foreach (string line in e.Lines) Say(line, context);
            if (e.Message.Length > 0) Say($"{Program} {command!.Name}: {e.Message}", context);
            return e.ExitCode;
        }
    }

    /// <summary>Reads arguments, the names of verb and command included.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="command">The command, as far as it has been found.</param>
    /// <exception cref="UsageException">They are wrong.</exception>
    public Arguments Read(string[] args, ref Command? command)
    {
        if (args is ["-v" or "-V" or "--version", ..]) args = ["version", .. args[1..]];
        if (args is [] || args[0].StartsWith('-')) return (command = Verbs[0]).Read(args);
        command = Find(args[0]);
        if (command.Run is not null && (args.Length < 2 || !command.Commands.Any(one => LastWord(one) == args[1]))) return command.Read(args.AsSpan(1));
        if (command.Run is null && args is [_, "--help" or "-h", ..]) return new Arguments(command) { WantsHelp = true };
        if (command.Run is null && args.Length < 2 && command.Commands.Length > 0) throw new UsageException($"a command is missing: {NamesOf(command)}");
        if (command.Commands.Length == 0) return command.Read(args.AsSpan(1));
        command = FindIn(command, args[1]);
        return command.Read(args.AsSpan(2));
    }

    private static int Run(Arguments read, CommandContext context)
    {
        if (read.Command.NeedsOpenSsl && !context.HasOpenSsl()) throw new CommandException(OpenSsl.Missing);
        return read.Command.Run!(read, context);
    }

    private int Help(Arguments read, ref Command? command, CommandContext context)
    {
        if (read.Operands.Count == 0) return Print(HelpText.Of(Verbs), context);
        command = null;
        Command asked = Find(read.Operands[0]);
        if (read.Operands.Count > 1)
        {
            command = asked;
            asked = FindIn(asked, read.Operands[1]);
        }

        return Print(HelpText.Of(asked), context);
    }

    private Command Find(string name) => Verbs.FirstOrDefault(verb => verb.Name == name)
        ?? throw new UsageException($"there is no verb \"{name}\"{Hint(name, Verbs.Select(verb => verb.Name))}");

    private static Command FindIn(Command verb, string name) => Array.Find(verb.Commands, one => LastWord(one) == name)
        ?? throw new UsageException(
            $"there is no command \"{name}\"{Hint(name, verb.Commands.Select(LastWord))}" + (verb.Commands.Length > 0 ? $"; there are {NamesOf(verb)}" : ""));

    private static string Hint(string name, IEnumerable<string> known) => NearestName.Of(name, known) is { } nearest ? $"; did you mean \"{nearest}\"?" : "";

    private static string NamesOf(Command verb) => string.Join(", ", verb.Commands.Select(LastWord));

    private static string LastWord(Command command) => command.Name[(command.Name.LastIndexOf(' ') + 1)..];

    private static int Print(string page, CommandContext context)
    {
        context.Out.Write(page);
        return ExitCode.Success;
    }

    private static void Say(string line, CommandContext context)
    {
        try
        {
            context.Error.WriteLine(Printable.Escape(line));
        }
        catch (OutputException)
        {
            // Nobody is left to be told; the exit code is.
        }
    }
}
