using System.Text;
using EdgeBroker.Fuzz;
using EdgeBroker.Fuzz.Naive;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>The fuzzing corpus: made from the vector table, replayed, and changed at random from a fixed seed.</summary>
public class CorpusTests
{
    private const string WriteVariable = "EDGEBROKER_WRITE_CORPUS";

    [Fact]
    public void The_corpus_has_every_vector()
    {
        // To make the corpus anew after a change of the vectors, name its folder in this variable and run this test.
        if (Environment.GetEnvironmentVariable(WriteVariable) is { Length: > 0 } folder)
        {
            Write(folder);
        }
        else
        {
            foreach ((string file, byte[] input) in Inputs())
            {
                string path = Path.Combine(Corpus.DefaultFolder, file);
                Assert.True(File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(input), $"{file} is missing or old; {WriteVariable} makes it.");
            }
        }
    }

    [Fact]
    public void Every_target_has_inputs() =>
        Assert.Equal(FuzzTarget.All.Select(t => t.Name).Order(), Corpus.Load(Corpus.DefaultFolder).Inputs.Select(i => i.Target.Name).Distinct().Order());

    [Fact]
    public void The_corpus_holds_no_disagreement() => Assert.True(Corpus.Load(Corpus.DefaultFolder).Replay() > 100);

    [Fact]
    public void Fields_of_the_greatest_length_hold_no_disagreement()
    {
        int count = 0;
        foreach ((FuzzTarget target, byte[] input) in LongestFields.Inputs())
        {
            target.Run(input);
            count++;
        }

        Assert.InRange(count, 100, 1_000);
    }

    [Fact]
    public void Random_changes_of_the_corpus_find_no_disagreement()
    {
        var mutator = new Mutator(Corpus.Load(Corpus.DefaultFolder), seed: 20_250_101);
        for (int i = 0; i < 100_000; i++)
        {
            (FuzzTarget target, byte[] input) = mutator.Next();
            target.Run(input);
        }
    }

    [Fact]
    public void One_seed_makes_the_same_inputs_twice()
    {
        Corpus corpus = Corpus.Load(Corpus.DefaultFolder);
        var first = new Mutator(corpus, 7);
        var second = new Mutator(corpus, 7);
        for (int i = 0; i < 100; i++) Assert.Equal(first.Next().Input, second.Next().Input);
    }

    private static IEnumerable<(string File, byte[] Input)> Inputs()
    {
        foreach (Vector vector in VectorTable.All)
        {
            (byte header, byte[] body) = VectorTests.HeaderAndBody(vector.Bytes);
            string folder = (header >> 4) switch
            {
                1 => "connect",
                2 => "connack",
                3 => "publish",
                8 or 10 => "subscribe",
                14 or 15 => "disconnect-auth",
                12 or 13 => "",
                _ => "acks",
            };
            string name = NameOf(vector.ToString());
            if (folder.Length > 0) yield return (Path.Combine(folder, name), [header, .. body]);
            if (folder.Length == 0 || name.Contains("byte-by-byte", StringComparison.Ordinal)) yield return (Path.Combine("frame", name), vector.Bytes);
        }

        yield return (Path.Combine("frame", "two-packets"), Notation.Bytes("40 02 0001 C0 00"));
        yield return (Path.Combine("frame", "longest"), Notation.Bytes("30 FFFFFF7F"));
        yield return (Path.Combine("frame", "five-byte-length"), Notation.Bytes("30 8080808001"));
        foreach (int packet in SpecifiedProperties.Packets)
        {
            byte[] all = [.. SpecifiedProperties.Identifiers.Where(id => SpecifiedProperties.IsAllowed(id, packet)).SelectMany(PropertySamples.Encoded)];
            yield return (Path.Combine("properties", NameOf(SpecifiedProperties.NameOf(packet))), PropertiesTarget.Input(packet, all));
        }
    }

    private static void Write(string folder)
    {
        foreach ((string file, byte[] input) in Inputs())
        {
            string path = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, input);
        }
    }

    private static string NameOf(string text)
    {
        var name = new StringBuilder();
        foreach (char c in text)
        {
            if (char.IsAsciiLetterOrDigit(c)) name.Append(char.ToLowerInvariant(c));
            else if (name.Length > 0 && name[^1] != '-') name.Append(c is '#' ? "hash" : c is '+' ? "plus" : "-");
        }

        return name.ToString().TrimEnd('-');
    }
}
