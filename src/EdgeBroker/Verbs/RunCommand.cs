using EdgeBroker.Configuration;
using EdgeBroker.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker [run] [-c FILE]</c>: from the command line to a configuration and a log; the rest is <see cref="BrokerHost"/>'s.</summary>
internal static class RunCommand
{
    public const string Usage = """
        usage: edgebroker [run] [-c FILE]

          -c, --config FILE   the configuration; conf.d/*.toml beside it is merged

        Without -c the broker listens on 127.0.0.1:1883, this machine only, and keeps its
        data in ./edgebroker-data (under systemd in $STATE_DIRECTORY); a broker.toml in
        the working directory is not read. The log goes to stderr.

        Exit codes: 0 stopped as asked, 1 failed, 64 wrong usage, 78 wrong configuration.
        """;

    private const string UsualFile = "broker.toml";

    public static int Run(string[] args, Surroundings world)
    {
        if (ConfigOption.Load(args, Usage, world, out int failure) is not { } configuration) return failure;
        using LineLoggerFactory loggers = LogOutput.Create(configuration.Log, world.Log, world.LogIsTerminal, world.Environment, world.Time);
        ILogger log = loggers.CreateLogger("EdgeBroker");
        using var lastWords = new UnhandledExceptionLog(log);
        Announce(configuration, world, log);
        var source = new ConfigurationSource(configuration, world.Environment, world.WorkingDirectory, world.Time);
        return BrokerHost.Run(source, loggers, world.Time, world.Stop);
    }

    private static void Announce(BrokerConfiguration configuration, Surroundings world, ILogger log)
    {
        RunLog.Starting(log, VersionCommand.Version, configuration.Node.Name, configuration.File ?? "the embedded default", configuration.Node.DataDirectory);
        if (configuration.File is null && File.Exists(Path.Combine(world.WorkingDirectory, UsualFile))) RunLog.FileNotRead(log, UsualFile);
        foreach (string warning in configuration.Warnings) RunLog.ConfigurationWarning(log, warning);
    }
}
