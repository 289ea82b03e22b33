using EdgeBroker.Configuration;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Tools;
using EdgeBroker.Verbs;

namespace EdgeBroker.Storage;

/// <summary><c>edgebroker store export|import</c>: what the store holds as JSON lines, out and in.</summary>
internal static class TransferCommand
{
    public static int Run(string[] args, Surroundings world)
    {
        bool isImport = args[0] == "import";
        if (Read(args[1..], isImport, out string? file, out bool force, out string[] rest) is { } problem) return CommandLine.Misused(problem, StoreCommand.Usage, world);
        if (ConfigOption.Load(rest, StoreCommand.Usage, world, out int failure) is not { } configuration) return failure;
        string? path = file is null ? null : Path.GetFullPath(file, world.WorkingDirectory);
        using var stop = new StopSignals();
        try
        {
            if (isImport) Import(configuration, path!, force, world, stop.Token);
            else Export(StoreFile.PathIn(configuration.Node.DataDirectory), path, world, stop.Token);
            return ExitCode.Success;
        }
        catch (StoreException e)
        {
            string hint = isImport && e.Problem == StoreProblem.Exists && !force ? " (--force)" : "";
            world.Error.WriteLine($"edgebroker: {Printable.Escape(e.Message)}{hint}");
        }
        catch (IOException e)
        {
            world.Error.WriteLine($"edgebroker: the output cannot be written: {Printable.Escape(e.Message)}");
        }
        catch (OperationCanceledException)
        {
            world.Error.WriteLine(isImport ? "edgebroker: stopped; nothing was imported" : "edgebroker: stopped; the export is not whole");
        }

        return ExitCode.Failed;
    }

    private static void Export(string database, string? path, Surroundings world, CancellationToken cancel)
    {
        if (path is not null)
        {
            world.Out.WriteLine($"{Printable.Escape(path)}: {Describe(StoreExport.Run(database, path, cancel))}");
            return;
        }

        using Stream output = world.OpenOutput();
        StoreExport.Run(database, output, cancel);
        output.Flush();
    }

    private static void Import(BrokerConfiguration configuration, string path, bool force, Surroundings world, CancellationToken cancel)
    {
        string directory = configuration.Node.DataDirectory;
        StoreTransfer read = StoreImport.Run(path, directory, configuration.Storage, force, world.Time, cancel, out string? setAsideAs);
        if (setAsideAs is not null) world.Out.WriteLine($"the store that was there is now {Printable.Escape(setAsideAs)}");
        world.Out.WriteLine($"{Printable.Escape(StoreFile.PathIn(directory))}: {Describe(read)}, checked");
    }

    private static string Describe(StoreTransfer all) =>
        $"{all.Sessions} sessions, {all.Subscriptions} subscriptions, {all.Messages} waiting messages, {all.Retained} retained messages";

    /// <summary>Takes FILE and --force; what remains is -c and its file. What is wrong, or null.</summary>
    private static string? Read(string[] args, bool isImport, out string? file, out bool force, out string[] rest)
    {
        var others = new List<string>();
        file = null;
        force = false;
        rest = [];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--force" && isImport) force = true;
            else if (args[i].StartsWith('-') || (others.Count > 0 && others[^1] is "-c" or "--config")) others.Add(args[i]);
            else if (file is null && args[i].Length > 0) file = args[i];
            else return $"unexpected \"{Printable.Escape(args[i])}\"; one FILE is named, and a configuration with -c";
        }

        rest = [.. others];
        return isImport && file is null ? "store import needs the name of a FILE to be read" : null;
    }
}
