namespace EdgeBroker.Cli.Options;

/// <summary>Options that several verbs have.</summary>
public static class SharedOptions
{
    public static readonly CommandOption Config = CommandOption.Path("--config", 'c', "FILE", "the broker's configuration; conf.d/*.toml beside it is merged");

    public static readonly CommandOption DataDirectory = CommandOption.Path("--data-dir", null, "DIR", "the broker's data directory, in place of -c");

    public static readonly CommandOption Json = CommandOption.Flag("--json", null, "print the result as one line of JSON");

    public static readonly CommandOption Force = CommandOption.Flag("--force", null, "replace what is there");

    /// <summary>The configuration of <c>-c</c>, or the embedded default.</summary>
    /// <exception cref="CommandException">It is wrong.</exception>
    public static BrokerSettings SettingsOf(Arguments args, CommandContext context)
    {
        BrokerSettings settings = context.ReadSettings(context, args.Text(Config));
        return settings.Errors.Count == 0 ? settings : throw CommandException.Configuration(settings.Errors);
    }
}
