namespace EdgeBroker.Cli.Options;

/// <summary>A command cannot do what it was asked for; the message says why, and what helps.</summary>
public sealed class CommandException : Exception
{
    public CommandException(string message)
        : base(message)
    {
    }

    public CommandException(string message, int exitCode)
        : base(message) => ExitCode = exitCode;

    public CommandException(string message, Exception cause)
        : base(message, cause)
    {
    }

    private CommandException(int exitCode, IReadOnlyList<string> lines)
        : base("")
    {
        ExitCode = exitCode;
        Lines = lines;
    }

    public int ExitCode { get; } = Cli.ExitCode.Failed;

    /// <summary>Lines that say it as they stand, each with its place in a file.</summary>
    public IReadOnlyList<string> Lines { get; } = [];

    /// <summary>The configuration is wrong.</summary>
    /// <param name="lines">Each with its place.</param>
    public static CommandException Configuration(IReadOnlyList<string> lines) => new(Cli.ExitCode.Configuration, lines);
}
