using System.Globalization;
using EdgeBroker.Cli.Options;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Tools;

namespace EdgeBroker.Cli.Storage;

/// <summary><c>edgebroker store ...</c>: looks at the store, while the broker runs or not; export and import.</summary>
public static class StoreCommand
{
    private const string Files = "FILE holds messages: keep it where only those who may read them can.";

    private static readonly CommandOption Replace =
        CommandOption.Flag("--force", null, "if the store holds something, set it aside as edgebroker.db.replaced-DATE");

    public static Command Command { get; } = new()
    {
        Name = "store",
        Summary = "check the store, say what is in it, export and import it",
        Remarks = "Only import changes anything; beside the others the broker may be running.",
        Commands =
        [
            new Command
            {
                Name = "store verify", Summary = "check every page and every row, and say what is wrong",
                Options = [SharedOptions.Config, SharedOptions.DataDirectory, SharedOptions.Json],
                ExitCodes = "0 the store is sound, 1 it is not", ReadsConfiguration = true, Run = (args, context) => Guarded(Verify, args, context),
            },
            new Command
            {
                Name = "store stats", Summary = "say what is in the store and what it takes",
                Options = [SharedOptions.Config, SharedOptions.DataDirectory, SharedOptions.Json],
                ReadsConfiguration = true, Run = (args, context) => Guarded(Stats, args, context),
            },
            new Command
            {
                Name = "store export", Summary = "write sessions, subscriptions, waiting and retained messages as JSON lines into FILE, or to stdout",
                Operands = [new Operand("FILE", IsRequired: false)],
                Options = [SharedOptions.Config, SharedOptions.DataDirectory, SharedOptions.Json], Remarks = Files,
                ReadsConfiguration = true, Run = (args, context) => Guarded(Export, args, context),
            },
            new Command
            {
                Name = "store import", Summary = "make a store of such lines, where none is or an empty one; the broker must be stopped",
                Operands = [new Operand("FILE")], Options = [SharedOptions.Config, SharedOptions.DataDirectory, Replace, SharedOptions.Json],
                Remarks = "A line that is wrong is named, and nothing is imported then.",
                ReadsConfiguration = true, Run = (args, context) => Guarded(Import, args, context),
            },
        ],
    };

    private static int Guarded(Func<Arguments, CommandContext, int> run, Arguments args, CommandContext context)
    {
        try
        {
            return run(args, context);
        }
        catch (StoreException e)
        {
            throw new CommandException(e.Message, e);
        }
        catch (IOException e)
        {
            throw new CommandException($"the output cannot be written: {e.Message}", e);
        }
    }

    private static string DatabaseOf(Arguments args, CommandContext context) => StoreFile.PathIn(DataFolder.Of(args, context).DataDirectory);

    private static int Verify(Arguments args, CommandContext context)
    {
        string path = DatabaseOf(args, context);
        StoreVerification found = StoreVerify.Run(path, StoreRows.Checks);
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(new VerifyAnswer(path, found.IsSound, found.Rows, found.Problems), CommandJson.Default.VerifyAnswer);
        }
        else
        {
            Show(path, found, context);
        }

        return found.IsSound ? ExitCode.Success : ExitCode.Failed;
    }

    private static void Show(string path, StoreVerification found, CommandContext context)
    {
        foreach (string problem in found.Problems) context.Out.WriteLine($"problem: {Printable.Escape(problem)}");
        context.Out.WriteLine(found.IsSound
            ? $"{Printable.Escape(path)} is sound, {found.Rows} rows"
            : $"{Printable.Escape(path)} is damaged: restart the broker, which sets it aside and rescues what is readable, or restore a backup");
    }

    private static int Stats(Arguments args, CommandContext context)
    {
        string path = DatabaseOf(args, context);
        StoreStatistics found = StoreStats.Run(path);
        if (args.Has(SharedOptions.Json)) context.WriteJson(new StatsAnswer(path, found), CommandJson.Default.StatsAnswer);
        else Show(path, found, context);
        return ExitCode.Success;
    }

    private static void Show(string path, StoreStatistics found, CommandContext context)
    {
        context.Out.WriteLine($"{Printable.Escape(path)}, version {found.Version}");
        context.Out.WriteLine($"  {"table",-14}{"rows",12}{"content bytes",16}");
        foreach (TableStatistics table in found.Tables)
        {
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {table.Name,-14}{table.Rows,12}{table.ContentBytes,16}"));
        }

        context.Out.WriteLine($"  database {found.FileBytes} bytes, WAL {found.WalBytes} bytes");
        context.Out.WriteLine($"  {found.Pages} pages of {found.PageSizeBytes} bytes, {found.FreePages} of them free");
        if (found.SetAsideCount > 0)
        {
            context.Out.WriteLine($"  {found.SetAsideCount} damaged database(s) set aside beside it, {found.SetAsideBytes} bytes: edgebroker.db.corrupt-*");
        }
    }

    private static int Export(Arguments args, CommandContext context)
    {
        string database = DatabaseOf(args, context);
        bool isJson = args.Has(SharedOptions.Json);
        if (args.Operands.Count == 0 && isJson) throw new UsageException("--json tells of the export, which fills stdout itself; name a FILE");
        using var stop = new StopSignals(context.Stop);
        try
        {
            if (args.Operands.Count == 0)
            {
                using Stream output = context.OpenOutput();
                StoreExport.Run(database, output, stop.Token);
                output.Flush();
                return ExitCode.Success;
            }

            string path = context.FullPath(args.Operands[0]);
            StoreTransfer written = StoreExport.Run(database, path, stop.Token);
            if (isJson) context.WriteJson(new TransferAnswer(path, written, null), CommandJson.Default.TransferAnswer);
            else context.Out.WriteLine($"{Printable.Escape(path)}: {Describe(written)}");
            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            throw new CommandException("stopped; the export is not whole");
        }
    }

    private static int Import(Arguments args, CommandContext context)
    {
        BrokerSettings settings = DataFolder.Of(args, context);
        bool force = args.Has(Replace);
        using var stop = new StopSignals(context.Stop);
        try
        {
            StoreTransfer read = StoreImport.Run(
                context.FullPath(args.Operands[0]), settings.DataDirectory, settings.Storage, force, context.Time, stop.Token, out string? setAsideAs);
            string path = StoreFile.PathIn(settings.DataDirectory);
            if (args.Has(SharedOptions.Json))
            {
                context.WriteJson(new TransferAnswer(path, read, setAsideAs), CommandJson.Default.TransferAnswer);
                return ExitCode.Success;
            }

            if (setAsideAs is not null) context.Out.WriteLine($"the store that was there is now {Printable.Escape(setAsideAs)}");
            context.Out.WriteLine($"{Printable.Escape(path)}: {Describe(read)}, checked");
            return ExitCode.Success;
        }
        catch (StoreException e) when (e.Problem == StoreProblem.Exists && !force)
        {
            throw new CommandException(e.Message + " (--force)", e);
        }
        catch (OperationCanceledException)
        {
            throw new CommandException("stopped; nothing was imported");
        }
    }

    private static string Describe(StoreTransfer all) =>
        $"{all.Sessions} sessions, {all.Subscriptions} subscriptions, {all.Messages} waiting messages, {all.Retained} retained messages";
}
