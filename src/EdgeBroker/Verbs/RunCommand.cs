using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;
using EdgeBroker.Hosting;
using EdgeBroker.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker [run]</c>: from the command line to a configuration and a log; the rest is <see cref="BrokerHost"/>'s.</summary>
internal static class RunCommand
{
    private const string UsualFile = "broker.toml";

    private static readonly CommandOption Format = CommandOption.Choice(
        "--log-format", null, "FORMAT", ["auto", "text", "json"], "how log lines look, in place of log.format");

    public static Command Command { get; } = new()
    {
        Name = "run",
        Summary = "run the broker (the default)",
        Options = [SharedOptions.Config, Format],
        Remarks = """
            Without -c the broker listens on 127.0.0.1:1883, this machine only, and keeps its data in
            ./edgebroker-data (under systemd in $STATE_DIRECTORY); a broker.toml in the working directory
            is not read. The log goes to stderr.
            """,
        ExitCodes = "0 stopped as asked, 1 failed",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        using var hangUp = new ReloadSignal();
        BrokerConfiguration configuration = ConfigurationFile.Read(args.Text(SharedOptions.Config), context, out IReadOnlyList<string> errors)
            ?? throw CommandException.Configuration(errors);
        using LineLoggerFactory loggers = LogOutput.Create(
            LogOf(configuration, args), configuration.Node.Name, context.Log, context.LogIsTerminal, context.Environment, context.Time);
        ILogger log = loggers.CreateLogger("EdgeBroker");
        using var lastWords = new UnhandledExceptionLog(log);
        Announce(configuration, context, log);
        var source = new ConfigurationSource(configuration, context.Environment, context.WorkingDirectory, context.Time);
        return new BrokerHost(source, loggers, context.Time, hangUp, context.Stop).Run();
    }

    private static LogOptions LogOf(BrokerConfiguration configuration, Arguments args) => args.Text(Format) switch
    {
        "auto" => configuration.Log with { Format = LogFormat.Auto },
        "text" => configuration.Log with { Format = LogFormat.Text },
        "json" => configuration.Log with { Format = LogFormat.Json },
        _ => configuration.Log,
    };

    private static void Announce(BrokerConfiguration configuration, CommandContext context, ILogger log)
    {
        RunLog.Starting(log, VersionCommand.Version, configuration.Node.Name, configuration.File ?? "the embedded default", configuration.Node.DataDirectory);
        if (configuration.File is null && File.Exists(Path.Combine(context.WorkingDirectory, UsualFile))) RunLog.FileNotRead(log, UsualFile);
        if (Environment.IsPrivilegedProcess) RunLog.RunsAsRoot(log);
        if (OpenFiles.Limit is { } limit && OpenFiles.ConnectionsOf(configuration) is var most && most >= limit) RunLog.TooFewFiles(log, limit, most);
        foreach (string warning in configuration.Warnings) RunLog.ConfigurationWarning(log, warning);
    }
}
