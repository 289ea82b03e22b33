using System.Globalization;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Tools;
using EdgeBroker.Verbs;

namespace EdgeBroker.Storage;

/// <summary><c>edgebroker store</c>: looks at the store, while the broker runs or not; export and import.</summary>
internal static class StoreCommand
{
    public const string Usage = """
        usage: edgebroker store verify|stats [-c CONFIG]
               edgebroker store export [-c CONFIG] [FILE]
               edgebroker store import [-c CONFIG] FILE [--force]

          verify                checks every page and every row, and says what is wrong
          stats                 says what is in the store and what it takes
          export                writes sessions, subscriptions, waiting and retained messages
                                as JSON lines into FILE, or to stdout
          import                makes a store of such lines, where none is or an empty one;
                                the broker must be stopped
              --force           if the store holds something, sets it aside as
                                edgebroker.db.replaced-DATE
          -c, --config CONFIG   the broker's configuration, which says where its data is

        Only import changes anything; beside the others the broker may be running. A line
        that is wrong is named, and nothing is imported then. FILE holds messages: keep it
        where only those who may read them can.
        Exit codes: 0 done, and the store is sound; 1 it is not or it failed; 64 wrong
        usage; 78 wrong configuration.
        """;

    public static int Run(string[] args, Surroundings world)
    {
        if (args.Length == 0 || args[0] is not ("verify" or "stats" or "export" or "import"))
        {
            return CommandLine.Misused(args.Length == 0 ? "store needs to know what to do" : $"store cannot \"{Printable.Escape(args[0])}\"", Usage, world);
        }

        if (args[0] is "export" or "import") return TransferCommand.Run(args, world);
        if (ConfigOption.Load(args[1..], Usage, world, out int failure) is not { } configuration) return failure;
        string path = StoreFile.PathIn(configuration.Node.DataDirectory);
        try
        {
            return args[0] == "verify" ? Verify(path, world) : Stats(path, world);
        }
        catch (StoreException e)
        {
            world.Error.WriteLine($"edgebroker: {Printable.Escape(e.Message)}");
            return ExitCode.Failed;
        }
    }

    private static int Verify(string path, Surroundings world)
    {
        StoreVerification found = StoreVerify.Run(path, StoreRows.Checks);
        foreach (string problem in found.Problems) world.Out.WriteLine($"problem: {Printable.Escape(problem)}");
        world.Out.WriteLine(found.IsSound
            ? $"{Printable.Escape(path)} is sound, {found.Rows} rows"
            : $"{Printable.Escape(path)} is damaged: restart the broker, which sets it aside and rescues what is readable, or restore a backup");
        return found.IsSound ? ExitCode.Success : ExitCode.Failed;
    }

    private static int Stats(string path, Surroundings world)
    {
        StoreStatistics found = StoreStats.Run(path);
        world.Out.WriteLine($"{Printable.Escape(path)}, version {found.Version}");
        world.Out.WriteLine($"  {"table",-14}{"rows",12}{"content bytes",16}");
        foreach (TableStatistics table in found.Tables)
        {
            world.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {table.Name,-14}{table.Rows,12}{table.ContentBytes,16}"));
        }

        world.Out.WriteLine($"  database {found.FileBytes} bytes, WAL {found.WalBytes} bytes");
        world.Out.WriteLine($"  {found.Pages} pages of {found.PageSizeBytes} bytes, {found.FreePages} of them free");
        if (found.SetAsideCount > 0)
        {
            world.Out.WriteLine($"  {found.SetAsideCount} damaged database(s) set aside beside it, {found.SetAsideBytes} bytes: edgebroker.db.corrupt-*");
        }

        return ExitCode.Success;
    }
}
