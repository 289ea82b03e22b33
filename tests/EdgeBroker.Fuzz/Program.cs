using System.Diagnostics;
using System.Globalization;
using EdgeBroker.Fuzz;
using SharpFuzz;

const string Usage = """
    EdgeBroker.Fuzz replay <folder>                        run every file of a corpus once
    EdgeBroker.Fuzz mutate --seconds N --seed S [folder]   run random changes of a corpus
    EdgeBroker.Fuzz <target>                               one target for afl-fuzz; see DESIGN.md
    """;

switch (args)
{
    case ["replay", string folder]:
        int count = Corpus.Load(folder).Replay();
        foreach ((FuzzTarget longest, byte[] input) in LongestFields.Inputs()) longest.Run(input);
        Console.WriteLine($"{count} inputs replayed, no disagreement.");
        return count > 0 ? 0 : 1;
    case ["mutate", "--seconds", string seconds, "--seed", string seed, .. string[] rest]:
        return Mutate(TimeSpan.FromSeconds(Parse(seconds)), (ulong)Parse(seed), rest is [string own] ? own : Corpus.DefaultFolder);
    case [string name] when FuzzTarget.All.Any(t => t.Name == name):
        FuzzTarget target = FuzzTarget.Named(name);
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var input = new MemoryStream();
            stream.CopyTo(input);
            target.Run(input.ToArray());
        });
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        Console.Error.WriteLine($"Targets: {string.Join(", ", FuzzTarget.All.Select(t => t.Name))}");
        return 2;
}

static int Mutate(TimeSpan duration, ulong seed, string folder)
{
    var mutator = new Mutator(Corpus.Load(folder), seed);
    (FuzzTarget Target, byte[] Input)[] longest = [.. LongestFields.Inputs()];
    var clock = Stopwatch.StartNew();
    long runs = 0;
    while (clock.Elapsed < duration)
    {
        // Those of the greatest lengths take a hundred times as long.
        (FuzzTarget target, byte[] input) = runs % 500 == 499 ? mutator.Change(longest[runs / 500 % longest.Length]) : mutator.Next();
        try
        {
            target.Run(input);
        }
#pragma warning disable CA1031 // Whatever the codec throws is a finding.
        catch (Exception finding)
#pragma warning restore CA1031
        {
            Console.Error.WriteLine($"{target.Name}, input {Convert.ToHexString(input)}");
            Console.Error.WriteLine(finding);
            return 1;
        }

        runs++;
    }

    Console.WriteLine($"{runs} inputs from seed {seed}, no disagreement.");
    return 0;
}

static int Parse(string number) => int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture);
