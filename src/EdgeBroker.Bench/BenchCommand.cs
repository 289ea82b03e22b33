using EdgeBroker.Cli;
using EdgeBroker.Cli.Options;
using EdgeBroker.Transport.Linux;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Bench;

/// <summary>The verb <c>bench</c>: puts load on a broker, any broker, and says how fast it is and whether it lost, repeated or reordered anything.</summary>
public static class BenchCommand
{
    public static Command Command { get; } = new()
    {
        Name = "bench",
        Summary = "measure how fast a broker is, and whether it loses messages",
        Operands = [new Operand("SCENARIO")],
        Groups = BenchArguments.Groups,
        Remarks = $"""
            Scenarios
            {string.Join("\n", BenchArguments.Scenarios.Select(one => $"  {one.Name,-10}{one.Help}"))}

            A latency counts from when a message was due, not from when a late generator sent it.
            Client ids and topics begin with bench; retained messages are removed again.

            Examples
              edgebroker bench fan-out --subscribers 1000
              edgebroker bench pairs -q 1 -V 5 --broker-pid $(pidof mosquitto)
            """,
        ExitCodes = "0 done, 1 failed, or the server did what the QoS forbids (lost at QoS 1 and 2, repeated at QoS 0 and 2, reordered)",
        LastHolds = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        try
        {
            BenchResult result = Run(BenchArguments.ToOptions(args), context.Time);
            context.Out.Write(result.Options.Json ? BenchReport.Json(result) + "\n" : BenchReport.Text(result));
            return result.IsFailure ? ExitCode.Failed : ExitCode.Success;
        }
        catch (Exception exception) when (exception is BenchException or FormatException)
        {
            throw new CommandException(exception.Message, exception);
        }
    }

    /// <summary>Runs a scenario.</summary>
    /// <exception cref="BenchException">It cannot be measured.</exception>
    /// <exception cref="FormatException">The broker's host is not known.</exception>
    internal static BenchResult Run(BenchOptions options, TimeProvider time)
    {
        // One that cannot be raised shows when a socket cannot be opened, in words.
        OpenFileLimit.Raise(NullLogger.Instance);
        using var loop = new LoadLoop(SocketAddress.Parse(options.Address), time);
        var mark = (uint)Random.Shared.NextInt64(1, uint.MaxValue);
        using RoundTrips? beside = options.Beside > 0 ? new RoundTrips(options, time) : null;
        beside?.Start();
        var meter = new UsageMeter(loop, options.BrokerPid, beside);
        BenchResult result = options.Scenario switch
        {
            Scenario.Connect => ConnectScenario.Run(options, loop, mark, meter),
            Scenario.Store => StoreScenario.Run(options, loop, mark, meter),
            Scenario.Retain => RetainScenario.Run(options, loop, mark, meter),
            _ => TrafficScenario.Run(options, loop, mark, meter),
        };
        return beside is null ? result : beside.Stop(result);
    }
}
