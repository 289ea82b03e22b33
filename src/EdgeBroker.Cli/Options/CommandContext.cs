namespace EdgeBroker.Cli.Options;

/// <summary>What a command may know of and do to the world outside: handed in, so that a test can take its place.</summary>
public sealed record CommandContext
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Opens stdin for what is data and not text.</summary>
    public Func<Stream> OpenInput { get; init; } = () => Stream.Null;

    /// <summary>Opens stdout for what is data and not text.</summary>
    public Func<Stream> OpenOutput { get; init; } = () => Stream.Null;

    /// <summary>The next line of stdin; null at its end.</summary>
    public Func<string?> ReadLine { get; init; } = () => null;

    /// <summary>Asks for a password without showing it; null where there is no terminal.</summary>
    public Func<string, string?> AskHidden { get; init; } = _ => null;

    /// <summary>Where log lines go; unbuffered.</summary>
    public Stream Log { get; init; } = Stream.Null;

    public bool LogIsTerminal { get; init; }

    /// <summary>Whether somebody looks at what is written.</summary>
    public bool OutIsTerminal { get; init; }

    public Func<string, string?> Environment { get; init; } = _ => null;

    public required string WorkingDirectory { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Ends what is running as SIGTERM does.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Reads a configuration; null stands for the embedded default.</summary>
    public Func<CommandContext, string?, BrokerSettings> ReadSettings { get; init; } = (_, _) =>
        throw new InvalidOperationException("no configuration can be read");

    /// <summary>Whether this machine has what TLS and passwords need.</summary>
    public Func<bool> HasOpenSsl { get; init; } = OpenSsl.IsThere;

    /// <summary>A path as the user gave it, made absolute.</summary>
    public string FullPath(string path) => Path.GetFullPath(path, WorkingDirectory);

    /// <summary>Writes a line for a program that reads.</summary>
    public void WriteJson<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        Out.WriteLine(System.Text.Json.JsonSerializer.Serialize(value, type));
}
