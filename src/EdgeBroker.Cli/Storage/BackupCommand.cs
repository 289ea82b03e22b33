using EdgeBroker.Cli.Options;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Tools;

namespace EdgeBroker.Cli.Storage;

/// <summary><c>edgebroker backup FILE</c>: a copy of the store, while the broker runs.</summary>
public static class BackupCommand
{
    public static Command Command { get; } = new()
    {
        Name = "backup",
        Summary = "copy the store to a file, while the broker runs",
        Operands = [new Operand("FILE")],
        Options = [SharedOptions.Config, SharedOptions.DataDirectory, SharedOptions.Force, SharedOptions.Json],
        Remarks = """
            Copies the store - sessions, queued and retained messages - as it is at one moment into FILE, and
            checks the copy. The broker may be running; it is not held up.
            "edgebroker restore FILE" puts it back. FILE holds messages: keep it where only those who may read them can.
            """,
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        string directory = DataFolder.Of(args, context).DataDirectory;
        string target = context.FullPath(args.Operands[0]);
        bool force = args.Has(SharedOptions.Force);
        using var stop = new StopSignals(context.Stop);
        try
        {
            long size = StoreBackup.Run(StoreFile.PathIn(directory), target, force, stop.Token);
            if (args.Has(SharedOptions.Json)) context.WriteJson(new BackupAnswer(target, size), CommandJson.Default.BackupAnswer);
            else context.Out.WriteLine($"{Printable.Escape(target)}: {size} bytes, checked");
            return ExitCode.Success;
        }
        catch (StoreException e)
        {
            throw new CommandException(e.Message + (e.Problem == StoreProblem.Exists && !force && File.Exists(target) ? " (--force)" : ""), e);
        }
        catch (OperationCanceledException)
        {
            throw new CommandException("stopped; there is no copy");
        }
    }
}
