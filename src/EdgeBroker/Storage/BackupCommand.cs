using System.Runtime.InteropServices;
using EdgeBroker.Configuration;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Tools;
using EdgeBroker.Verbs;

namespace EdgeBroker.Storage;

/// <summary><c>edgebroker backup FILE</c>: a copy of the store, while the broker runs.</summary>
internal static class BackupCommand
{
    public const string Usage = """
        usage: edgebroker backup FILE [-c CONFIG] [--force]

          -c, --config CONFIG   the broker's configuration, which says where its data is
              --force           replace FILE if it is there

        Copies the store - sessions, queued and retained messages - as it is at one moment
        into FILE, and checks the copy. The broker may be running; it is not held up.
        To restore: stop the broker, move edgebroker.db* in its data directory away, copy
        FILE there as edgebroker.db, start it. FILE holds messages: keep it where only
        those who may read them can.
        """;

    public static int Run(string[] args, Surroundings world)
    {
        if (Read(args, out string? target, out bool force, out string[] rest) is { } problem) return CommandLine.Misused(problem, Usage, world);
        if (ConfigOption.Load(rest, Usage, world, out int failure) is not { } configuration) return failure;
        return Copy(configuration, Path.GetFullPath(target!, world.WorkingDirectory), force, world);
    }

    private static int Copy(BrokerConfiguration configuration, string target, bool force, Surroundings world)
    {
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Ask(context, stop));
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Ask(context, stop));
        try
        {
            long size = StoreBackup.Run(StoreFile.PathIn(configuration.Node.DataDirectory), target, force, stop.Token);
            world.Out.WriteLine($"{Printable.Escape(target)}: {size} bytes, checked");
            return ExitCode.Success;
        }
        catch (StoreException e)
        {
            string hint = e.Problem == StoreProblem.Exists && !force && File.Exists(target) ? " (--force)" : "";
            world.Error.WriteLine($"edgebroker: {Printable.Escape(e.Message)}{hint}");
            return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            world.Error.WriteLine("edgebroker: stopped; there is no copy");
            return ExitCode.Failed;
        }
    }

    /// <summary>Takes FILE and --force; what remains is -c and its file. What is wrong, or null.</summary>
    private static string? Read(string[] args, out string? target, out bool force, out string[] rest)
    {
        var others = new List<string>();
        target = null;
        force = false;
        rest = [];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--force") force = true;
            else if (args[i].StartsWith('-')) others.Add(args[i]);
            else if (others.Count > 0 && others[^1] is "-c" or "--config") others.Add(args[i]);
            else if (target is null) target = args[i];
            else return $"unexpected \"{Printable.Escape(args[i])}\"; one FILE is named, and a configuration with -c";
        }

        rest = [.. others];
        return string.IsNullOrEmpty(target) ? "backup needs the name of a FILE to be made" : null;
    }

    private static void Ask(PosixSignalContext context, CancellationTokenSource stop)
    {
        context.Cancel = true;
        stop.Cancel();
    }
}
