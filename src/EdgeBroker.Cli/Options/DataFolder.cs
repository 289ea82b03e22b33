using EdgeBroker.Cli.Control;

namespace EdgeBroker.Cli.Options;

/// <summary>
/// Finds the data directory for verbs. A configuration often leaves it to the service manager, whose word nobody has in a shell: then the broker that runs is
/// looked for, and where the service keeps its data. What was found is said.
/// </summary>
public static class DataFolder
{
    private const string OfService = "/var/lib/edgebroker";
    private const string Sockets = "/proc/net/unix";

    /// <summary>What verbs need of the configuration, with the data directory that is meant.</summary>
    /// <exception cref="CommandException">The configuration is wrong, or there are several brokers to choose from.</exception>
    /// <exception cref="UsageException">Both ways to name it are used.</exception>
    public static BrokerSettings Of(Arguments args, CommandContext context)
    {
        if (args.Text(SharedOptions.DataDirectory) is null && context.ReadSettings(context, args.Text(SharedOptions.Config)).Errors is { Count: > 0 } errors)
        {
            throw CommandException.Configuration(errors);
        }

        return Find(args, context);
    }

    /// <summary>The same, also when the configuration is wrong.</summary>
    /// <exception cref="CommandException">There are several brokers to choose from.</exception>
    /// <exception cref="UsageException">Both ways to name it are used.</exception>
    public static BrokerSettings Find(Arguments args, CommandContext context)
    {
        string? file = args.Text(SharedOptions.Config);
        if (args.Text(SharedOptions.DataDirectory) is { } named)
        {
            return file is null
                ? new BrokerSettings { DataDirectory = context.FullPath(named), IsDataDirectorySet = true }
                : throw new UsageException("--data-dir says where the broker is; leave out -c");
        }

        BrokerSettings settings = context.ReadSettings(context, file);
        if (settings.IsDataDirectorySet || Directory.Exists(settings.DataDirectory)) return settings;
        return Elsewhere(context) is { } found ? settings with { DataDirectory = found } : settings;
    }

    /// <summary>The directories of brokers that run on this machine, of the table that the kernel shows to everybody.</summary>
    /// <param name="table">Its lines, the head included.</param>
    public static string[] RunningIn(IEnumerable<string> table) =>
    [
        .. table.Select(line => line.IndexOf('/', StringComparison.Ordinal) is > 0 and int at && line[at - 1] == ' ' ? line[at..] : "")
            .Where(path => Path.GetFileName(path) == ControlPath.Name)
            .Select(path => Path.GetDirectoryName(path)!)
            .Distinct(StringComparer.Ordinal),
    ];

    private static string? Elsewhere(CommandContext context)
    {
        switch (RunningIn(Table()))
        {
            case [var only]:
                context.Error.WriteLine($"the broker that runs keeps its data in {Printable.Escape(only)} (--data-dir names another)");
                return only;
            case { Length: > 1 } several:
                throw new CommandException($"several brokers run here; name one with --data-dir: {Printable.Escape(string.Join(", ", several))}");
        }

        if (!Directory.Exists(OfService)) return null;
        context.Error.WriteLine($"no broker runs; taking the data directory of the service, {OfService} (--data-dir names another)");
        return OfService;
    }

    private static string[] Table()
    {
        try
        {
            return File.ReadAllLines(Sockets);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
