using System.Globalization;
using System.Net.Sockets;
using EdgeBroker.Cli.Options;
using EdgeBroker.Coap.Client;

namespace EdgeBroker.Verbs;

// Loads a server: scripts/coap-bench.sh compares servers by it.
internal static partial class CoapCommand
{
    private const int DefaultClients = 64;

    private static readonly CommandOption Clients = CommandOption.Number("--clients", 'c', "N", 1, 20_000, "ports to ask from, one request each (64)");
    private static readonly CommandOption Duration = CommandOption.Seconds("--duration", 'd', "SECONDS", 0.1m, 3_600m, "how long (5)");
    private static readonly CommandOption PutBytes = CommandOption.Number("--put", null, "BYTES", 1, 1_024, "put a body of so many bytes; else get");
    private static readonly CommandOption Observers = CommandOption.Flag("--observe", null, "observe from all ports, and put from one more");

    private static Command Bench => new()
    {
        Name = "coap bench",
        Summary = "load a server over UDP and print how many answers it gives",
        Remarks = "A listener takes requests_per_second of a client, and max_peers of them: raise both for the load.",
        Operands = [new Operand("URI")],
        Options = [Clients, Duration, PutBytes, Observers],
        ExitCodes = "0 done, 1 failed or refused",
        Run = RunBench,
    };

    private static int RunBench(Arguments args, CommandContext context)
    {
        using var stop = new StopSignals(context.Stop);
        CoapTarget target = CoapTarget.Parse(args.Operands[0]) is { IsSecure: false } plain ? plain
            : throw new UsageException($"{args.Operands[0]}: expected coap://HOST[:PORT]/PATH[?QUERY]");
        try
        {
            var options = new CoapLoadOptions(
                Resolve(target), target.Path, target.Query, (int)(args.Number(Clients) ?? DefaultClients), args.Seconds(Duration) ?? TimeSpan.FromSeconds(5))
            {
                Body = args.Number(PutBytes) is { } bytes ? new byte[bytes] : null,
                Observes = args.Has(Observers),
            };
            using var load = new CoapLoad(options, TimeProvider.System);
            CoapLoadResult result = load.Run(stop.Token);
            context.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"answers {result.Answers} failed {result.Failed} repeated {result.Repeated} seconds {result.Elapsed.TotalSeconds:0.000} "
                    + $"per_second {result.PerSecond:0} p50_ms {result.MedianMs:0.00} p99_ms {result.SlowMs:0.00}"));
            return result.Answers > 0 && result.Failed == 0 ? ExitCode.Success : ExitCode.Failed;
        }
        catch (Exception failure) when (failure is CoapClientException or SocketException)
        {
            throw new CommandException(failure.Message, failure);
        }
    }
}
