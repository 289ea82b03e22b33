using System.Globalization;
using EdgeBroker.Crash.Tests.Runs;

namespace EdgeBroker.Crash.Tests;

/// <summary>The runs by hand, for as long as one likes; scripts/crash.sh starts it.</summary>
public static class Program
{
    private const string Usage = """
        crash [--rounds N] [--cuts N] [--bridge N] [--faults F,F] [--upstream edgebroker|mosquitto]
              [--small-disk D] [--profile strict|balanced|flash-saver|memory|unset] [--seed S]
          --rounds N     kill the broker N times (default 100, or 0 when --cuts or --bridge is given)
          --cuts N       cut the power N times (default 0)
          --bridge N     N faults of a bridge: of its broker, of the link, of the broker on the other side (default 0)
          --faults F,F   which faults (default: all of them)
          --upstream U   the broker on the other side (default: edgebroker)
          --small-disk D a directory alone on a small file system (tmpfs of 64 MB), on which the bridge's broker keeps its data and which is filled up
          --profile P    durability (default: balanced)
          --seed S       repeats a schedule
        """;

    /// <summary>Runs what the arguments say. 0: all was well, 1: something was found, 64: wrong usage.</summary>
    public static async Task<int> Main(string[] arguments)
    {
        int? rounds = null;
        int cuts = 0;
        int faults = 0;
        BridgeFault[] kinds = Enum.GetValues<BridgeFault>();
        string upstream = "edgebroker";
        string? smallDisk = null;
        int seed = Environment.TickCount & 0xFFFFFF;
        StorageProfile profile = StorageProfile.Balanced;
        try
        {
            for (int i = 0; i < arguments.Length; i += 2)
            {
                string value = i + 1 < arguments.Length ? arguments[i + 1] : throw new ArgumentException($"{arguments[i]} needs a value");
                switch (arguments[i])
                {
                    case "--rounds":
                        rounds = Parse(value);
                        break;
                    case "--cuts":
                        cuts = Parse(value);
                        break;
                    case "--bridge":
                        faults = Parse(value);
                        break;
                    case "--faults":
                        kinds = [.. value.Split(',').Select(kind => Enum.Parse<BridgeFault>(kind, ignoreCase: true))];
                        break;
                    case "--upstream":
                        Upstream.Create(value).Dispose();
                        upstream = value;
                        break;
                    case "--small-disk":
                        smallDisk = value;
                        break;
                    case "--seed":
                        seed = Parse(value);
                        break;
                    case "--profile":
                        profile = StorageProfile.Parse(value);
                        break;
                    default:
                        throw new ArgumentException($"unknown option {arguments[i]}");
                }
            }

            if (rounds is 0 && cuts == 0 && faults == 0) throw new ArgumentException("neither a round nor a cut nor a fault");
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            await Console.Error.WriteLineAsync($"{exception.Message}\n{Usage}");
            return 64;
        }

        Console.WriteLine($"seed {seed}");
        bool good = true;
        int kills = rounds ?? (cuts + faults > 0 ? 0 : 100);
        if (kills > 0)
        {
            RunReport report = await CrashRun.RunAsync(new RunOptions(profile, kills, seed, Console.WriteLine));
            Console.WriteLine(report);
            good = report.IsGood;
        }

        if (cuts > 0)
        {
            IReadOnlyList<RunReport> reports = await PowerCutRun.RunAsync(new RunOptions(profile, cuts, seed, Console.WriteLine));
            foreach (RunReport report in reports) Console.WriteLine(report);
            good &= reports.All(r => r.IsGood);
        }

        if (faults > 0)
        {
            RunReport report = await BridgeRun.RunAsync(
                new RunOptions(profile, faults, seed, Console.WriteLine), upstream, kinds, smallDisk);
            Console.WriteLine(report);
            good &= report.IsGood;
        }

        Console.WriteLine(good ? "nothing was lost" : "promises were broken");
        return good ? 0 : 1;
    }

    private static int Parse(string number) => int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture);
}
