using EdgeBroker.Cli.Options;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Tools;

namespace EdgeBroker.Cli.Storage;

/// <summary><c>edgebroker restore FILE</c>: a copy takes the store's place, while the broker is stopped.</summary>
public static class RestoreCommand
{
    public static Command Command { get; } = new()
    {
        Name = "restore",
        Summary = "put a copy of the store into its place; the broker must be stopped",
        Operands = [new Operand("FILE")],
        Options = [SharedOptions.Config, SharedOptions.DataDirectory, SharedOptions.Json],
        Remarks = """
            Checks FILE, which "edgebroker backup" has made, and puts a copy of it into the
            place of the store. The store that was there is kept beside it as
            edgebroker.db.replaced-DATE. Files made by root belong to the owner of the data
            directory, so that the broker can use them.
            """,
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        string directory = DataFolder.Of(args, context).DataDirectory;
        using var stop = new StopSignals(context.Stop);
        try
        {
            long size = StoreRestore.Run(context.FullPath(args.Operands[0]), directory, context.Time, stop.Token, out string? setAsideAs);
            string path = StoreFile.PathIn(directory);
            if (args.Has(SharedOptions.Json)) context.WriteJson(new RestoreAnswer(path, size, setAsideAs), CommandJson.Default.RestoreAnswer);
            else Show(path, size, setAsideAs, context);
            return ExitCode.Success;
        }
        catch (StoreException e)
        {
            throw new CommandException(e.Message, e);
        }
        catch (OperationCanceledException)
        {
            throw new CommandException("stopped; nothing has changed");
        }
    }

    private static void Show(string path, long size, string? setAsideAs, CommandContext context)
    {
        if (setAsideAs is not null) context.Out.WriteLine($"the store that was there is now {Printable.Escape(setAsideAs)}");
        context.Out.WriteLine($"{Printable.Escape(path)}: {size} bytes, checked; start the broker");
    }
}
