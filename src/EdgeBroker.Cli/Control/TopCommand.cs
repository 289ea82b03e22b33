using System.Globalization;
using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker top</c>: what flows, second by second; in a terminal until it is ended, elsewhere one frame.</summary>
public static class TopCommand
{
    private const string Clear = "\u001b[H\u001b[2J";

    private static readonly CommandOption Sort = CommandOption.Choice(
        "--sort", null, "WHAT", ["in", "out", "queue", "drops"], "whose are most comes first: in, out, queue or drops (in)");
    private static readonly CommandOption Interval = CommandOption.Seconds("--interval", 'i', "SECONDS", 0.2m, 3_600m, "seconds between two frames (1)");
    private static readonly CommandOption Frames = CommandOption.Number("--frames", null, "N", 1, 1_000_000, "end after so many frames");
    private static readonly CommandOption Rows = CommandOption.Number("--limit", 'n', "N", 1, 200, "most clients (20)");

    public static Command Command { get; } = new()
    {
        Name = "top",
        Summary = "show what flows through the running broker, second by second",
        Operands = [new Operand("CLIENT-ID", IsRequired: false)],
        Options = [Sort, Interval, Frames, Rows, .. ControlOptions.Common],
        Remarks = "In CLIENT-ID * and ? stand for other characters. Ctrl-C ends it. Without a terminal it prints one frame,\nunless --frames says more. "
            + ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        using var stop = new StopSignals(context.Stop);
        return RunAsync(args, context, stop.Token).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(Arguments args, CommandContext context, CancellationToken stop)
    {
        TimeSpan interval = args.Seconds(Interval) ?? TimeSpan.FromSeconds(1);
        bool isLive = context.OutIsTerminal && !args.Has(SharedOptions.Json);
        // A rate takes two looks.
        long frames = args.Number(Frames) ?? (isLive ? long.MaxValue : 1);
        var source = new TopFrames(request => ControlOptions.Ask(args, context, request, interval + TimeSpan.FromSeconds(10)), context.Time);
        string? filter = args.Operands.FirstOrDefault();
        string sort = args.Text(Sort) ?? "in";
        int rows = (int)(args.Number(Rows) ?? 20);
        TopAnswer frame = source.Next(filter, sort, rows);
        try
        {
            for (long i = 0; i < frames; i++)
            {
                await Task.Delay(interval, context.Time, stop);
                frame = source.Next(filter, sort, rows);
                if (args.Has(SharedOptions.Json)) context.WriteJson(frame, ControlJson.Default.TopAnswer);
                else Show(frame, context, isLive);
            }
        }
        catch (OperationCanceledException)
        {
            // Whoever watched has seen enough.
        }

        return frame.Health == "failing" ? ExitCode.Failed : ExitCode.Success;
    }

    private static void Show(TopAnswer frame, CommandContext context, bool isLive)
    {
        TextWriter output = context.Out;
        if (isLive) output.Write(Clear);
        string at = context.Time.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        output.WriteLine(Printable.Escape(
            $"{frame.Node} up {Shown.Duration(frame.UptimeSeconds)}  {frame.Health}  {frame.Connected} clients  in {Rate(frame.InPerSecond)}  "
            + $"out {Rate(frame.OutPerSecond)}  drop {Rate(frame.DroppedPerSecond)}  {at} UTC"));
        string store = frame.StoreBytes is { } bytes ? $"  store {Shown.Bytes(bytes)}" : "";
        output.WriteLine($"memory {Shown.Bytes(frame.MemoryBytes)}{store}  {frame.StoredMessages} messages kept");
        var table = new TextTable("CLIENT", ">IN/s", ">OUT/s", ">QUEUE", ">DROPS", "FROM");
        foreach (TopClient one in frame.Clients)
        {
            SessionSummary session = one.Session;
            table.Add(
                session.ClientId, Rate(one.InPerSecond), Rate(one.OutPerSecond), Shown.Number(session.QueueMessages), Shown.Number(session.DroppedTotal),
                session.Address ?? "away");
        }

        table.Write(output);
        output.Flush();
    }

    private static string Rate(double? perSecond) => perSecond is { } known ? known.ToString("0.0", CultureInfo.InvariantCulture) : "-";
}
