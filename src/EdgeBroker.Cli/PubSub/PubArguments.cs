using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.PubSub;

/// <summary>Where <c>pub</c> takes its messages from.</summary>
internal enum PayloadSource
{
    Text,
    File,
    Empty,
    WholeInput,
    InputLines,
}

/// <summary>The command line of <c>pub</c>.</summary>
internal sealed class PubArguments
{
    private static readonly CommandOption Topic = CommandOption.Text("--topic", 't', "TOPIC", "the topic");
    private static readonly CommandOption MessageText = CommandOption.Text("--message", 'm', "TEXT", "this text");
    private static readonly CommandOption MessageFile = CommandOption.Path("--file", 'f', "PATH", "the content of a file");
    private static readonly CommandOption NullMessage = CommandOption.Flag("--null-message", 'n', "an empty message");
    private static readonly CommandOption StdinFile = CommandOption.Flag("--stdin-file", 's', "all of standard input");
    private static readonly CommandOption StdinLine = CommandOption.Flag("--stdin-line", 'l', "each line of standard input");
    private static readonly CommandOption RetainFlag = CommandOption.Flag("--retain", 'r', "the server keeps the message as the topic's last value");
    private static readonly CommandOption RepeatCount = CommandOption.Number("--repeat", null, "N", 1, int.MaxValue, "publish N times");
    private static readonly CommandOption RepeatPause = CommandOption.Seconds("--repeat-delay", null, "S", 0, 1_000_000, "with S seconds in between");
    private static readonly CommandOption MaxInflight = CommandOption.Number(
        "--max-inflight", 'M', "N", 1, 65535, "QoS 1 and 2 messages sent ahead of their acknowledgement (MQTT 3.1.1: 20)");

    private static readonly CommandOption TimeLimit = CommandOption.Seconds(
        "--timeout", 'W', "S", 0, 1_000_000, $"give up after S seconds, with exit code {ExitCode.TimedOut} (for as long as the server takes)");

    public static readonly OptionGroup[] Groups =
    [
        new("Message (one of the first five)", MessageText, MessageFile, NullMessage, StdinFile, StdinLine, Topic, RetainFlag, RepeatCount, RepeatPause,
            MaxInflight, TimeLimit),
        ClientArguments.Connection, ClientArguments.Will, TlsArguments.Options,
    ];

    private static readonly (CommandOption Option, PayloadSource Source)[] Sources =
    [
        (MessageText, PayloadSource.Text), (MessageFile, PayloadSource.File), (NullMessage, PayloadSource.Empty), (StdinFile, PayloadSource.WholeInput),
        (StdinLine, PayloadSource.InputLines),
    ];

    /// <param name="args">The arguments of <c>pub</c>.</param>
    public PubArguments(Arguments args)
    {
        Client = new ClientArguments(args, Topic);
        if (Client.Topics.Count != 1) throw new UsageException(Client.Topics.Count == 0 ? "give a topic with -t" : "give one topic, with -t or with -L");
        (CommandOption Option, PayloadSource Source)[] given = Array.FindAll(Sources, one => args.Has(one.Option));
        if (given.Length == 0) throw new UsageException("give a message: -m text, -f file, -n for an empty one, -s or -l to read standard input");
        if (given.Length > 1) throw new UsageException("give only one of -m, -f, -n, -s and -l");
        Source = given[0].Source;
        Text = args.Text(given[0].Option) ?? "";
        Retain = args.Has(RetainFlag);
        Repeat = args.Number(RepeatCount) ?? 1;
        RepeatDelay = args.Seconds(RepeatPause) ?? TimeSpan.Zero;
        MaximumInflight = (ushort?)args.Number(MaxInflight);
        Timeout = args.Seconds(TimeLimit);
    }

    public ClientArguments Client { get; }

    public PayloadSource Source { get; }

    /// <summary>The message itself, or the file's path.</summary>
    public string Text { get; }

    public bool Retain { get; }

    public long Repeat { get; }

    public TimeSpan RepeatDelay { get; }

    public ushort? MaximumInflight { get; }

    /// <summary>How long it may take; null: for ever.</summary>
    public TimeSpan? Timeout { get; }
}
