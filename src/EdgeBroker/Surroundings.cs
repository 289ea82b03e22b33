using EdgeBroker.Access;

namespace EdgeBroker;

/// <summary>What a verb may know of and do to the world outside: handed in, so that a test can stand in for it.</summary>
internal sealed record Surroundings
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Opens stdout for what is data and not text.</summary>
    public Func<Stream> OpenOutput { get; init; } = () => Stream.Null;

    /// <summary>The next line of stdin; null at its end.</summary>
    public Func<string?> ReadLine { get; init; } = () => null;

    /// <summary>Asks for a password without showing it; null where there is no terminal.</summary>
    public Func<string, string?> AskHidden { get; init; } = _ => null;

    /// <summary>Where log lines go; unbuffered.</summary>
    public required Stream Log { get; init; }

    public required bool LogIsTerminal { get; init; }

    public required Func<string, string?> Environment { get; init; }

    public required string WorkingDirectory { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Ends a broker as SIGTERM does.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Those of the process itself.</summary>
    public static Surroundings OfProcess() => new()
    {
        Out = Console.Out,
        Error = Console.Error,
        OpenOutput = Console.OpenStandardOutput,
        ReadLine = () => Console.In.ReadLine(),
        AskHidden = HiddenPrompt.Ask,
        Log = Console.OpenStandardError(),
        LogIsTerminal = !Console.IsErrorRedirected,
        Environment = System.Environment.GetEnvironmentVariable,
        WorkingDirectory = System.Environment.CurrentDirectory,
        Time = TimeProvider.System,
    };
}
