using EdgeBroker.PubSub;
using EdgeBroker.Transport.Reactors;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Bench;

/// <summary>The verb <c>bench</c>: puts load on a broker, any broker, and says how fast it is and whether it lost, repeated or reordered anything.</summary>
internal static class BenchCommand
{
    /// <summary>Runs the verb and returns its exit code.</summary>
    public static int Run(string[] args, Surroundings world)
    {
        try
        {
            if (BenchArguments.Read(args) is not { } options)
            {
                world.Out.Write(BenchUsage.Text);
                return ExitCode.Success;
            }

            BenchResult result = Run(options, world.Time);
            world.Out.Write(options.Json ? BenchReport.Json(result) + "\n" : BenchReport.Text(result));
            return result.IsFailure ? ExitCode.Failed : ExitCode.Success;
        }
        catch (UsageException exception)
        {
            world.Error.WriteLine($"edgebroker bench: {exception.Message}\nSee edgebroker bench --help.");
            return ExitCode.Usage;
        }
        catch (Exception exception) when (exception is BenchException or FormatException)
        {
            world.Error.WriteLine($"edgebroker bench: {exception.Message}");
            return ExitCode.Failed;
        }
    }

    /// <summary>Runs a scenario.</summary>
    /// <exception cref="BenchException">It cannot be measured.</exception>
    /// <exception cref="FormatException">The broker's host is not known.</exception>
    public static BenchResult Run(BenchOptions options, TimeProvider time)
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
            Scenario.Retain => RetainScenario.Run(options, loop, mark, meter),
            _ => TrafficScenario.Run(options, loop, mark, meter),
        };
        return beside is null ? result : beside.Stop(result);
    }
}
