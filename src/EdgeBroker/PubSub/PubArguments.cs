namespace EdgeBroker.PubSub;

/// <summary>Where <c>pub</c> takes its messages from.</summary>
internal enum PayloadSource
{
    None,
    Text,
    File,
    Empty,
    WholeInput,
    InputLines,
}

/// <summary>The command line of <c>pub</c>.</summary>
internal sealed class PubArguments
{
    public ClientArguments Client { get; } = new();

    public PayloadSource Source { get; private set; }

    /// <summary>The message itself, or the file's path.</summary>
    public string Text { get; private set; } = "";

    public bool Retain { get; private set; }

    public long Repeat { get; private set; } = 1;

    public TimeSpan RepeatDelay { get; private set; }

    public ushort? MaximumInflight { get; private set; }

    public void Read(string[] args)
    {
        var reader = new OptionReader(Verbs.Pub, args);
        while (reader.Next() is { } option)
        {
            switch (option)
            {
                case "--message": TakeSource(PayloadSource.Text, reader.Value()); break;
                case "--file": TakeSource(PayloadSource.File, reader.Value()); break;
                case "--null-message": TakeSource(PayloadSource.Empty); break;
                case "--stdin-file": TakeSource(PayloadSource.WholeInput); break;
                case "--stdin-line": TakeSource(PayloadSource.InputLines); break;
                case "--retain": Retain = true; break;
                case "--repeat": Repeat = reader.Number(1, int.MaxValue); break;
                case "--repeat-delay": RepeatDelay = reader.Seconds(); break;
                case "--max-inflight": MaximumInflight = (ushort)reader.Number(1, 65535); break;
                default: Client.TryTake(option, reader); break;
            }
        }

        if (Client.WantsHelp) return;
        if (Client.Topics.Count != 1) throw new UsageException(Client.Topics.Count == 0 ? "Give a topic with -t." : "Give one topic; pub publishes to one at a time.");
        if (Source == PayloadSource.None) throw new UsageException("Give a message: -m text, -f file, -n for an empty one, -s or -l to read standard input.");
    }

    private void TakeSource(PayloadSource source, string text = "")
    {
        if (Source != PayloadSource.None) throw new UsageException("Give only one of -m, -f, -n, -s and -l.");
        Source = source;
        Text = text;
    }
}
