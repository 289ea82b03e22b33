namespace EdgeBroker.Cli.Options;

/// <summary>An argument that is no option.</summary>
/// <param name="Name">What help and errors call it.</param>
/// <param name="IsRequired">Whether it must be there.</param>
/// <param name="Repeats">Whether it takes all that remain; the last one only.</param>
public sealed record Operand(string Name, bool IsRequired = true, bool Repeats = false)
{
    public string Shown => (IsRequired, Repeats) switch
    {
        (true, true) => Name + "...",
        (true, false) => Name,
        (false, true) => $"[{Name}...]",
        _ => $"[{Name}]",
    };
}

/// <summary>Options under a heading of their own in help.</summary>
public sealed record OptionGroup(string Title, params CommandOption[] Options);

/// <summary>A verb of the executable, or one of a verb's own commands: what it takes, what help says, and what it does.</summary>
public sealed class Command
{
    /// <summary>The word on the command line; of a verb's command both: <c>passwd add</c>.</summary>
    public required string Name { get; init; }

    /// <summary>One line, for lists.</summary>
    public required string Summary { get; init; }

    public Operand[] Operands { get; init; } = [];

    public CommandOption[] Options { get; init; } = [];

    public OptionGroup[] Groups { get; init; } = [];

    /// <summary>A verb's own commands. It may do something without one as well, then with operands and options of its own.</summary>
    public Command[] Commands { get; init; } = [];

    /// <summary>What help says behind the options.</summary>
    public string Remarks { get; init; } = "";

    /// <summary>What the exit codes 0, 1 and others of its own mean.</summary>
    public string ExitCodes { get; init; } = "0 done, 1 failed";

    /// <summary>Whether it ends with 78 when the configuration is wrong.</summary>
    public bool ReadsConfiguration { get; init; }

    /// <summary>Whether it cannot work without OpenSSL.</summary>
    public bool NeedsOpenSsl { get; init; }

    /// <summary>Of an option that is given twice the last one holds, as with mosquitto's clients; otherwise it is an error.</summary>
    public bool LastHolds { get; init; }

    /// <summary>Options of mosquitto's clients that this one has not.</summary>
    public string[] Unsupported { get; init; } = [];

    /// <summary>Does it, and returns an <see cref="ExitCode"/>; null: only its commands do something.</summary>
    public Func<Arguments, CommandContext, int>? Run { get; init; }

    public IEnumerable<CommandOption> AllOptions => Options.Concat(Groups.SelectMany(group => group.Options));

    /// <summary>How it is used, in one line.</summary>
    public string Usage => HelpText.UsageOf(this);

    /// <summary>Reads the arguments behind its name.</summary>
    /// <exception cref="UsageException">They are wrong.</exception>
    public Arguments Read(ReadOnlySpan<string> args) => ArgumentReader.Read(this, args);
}
