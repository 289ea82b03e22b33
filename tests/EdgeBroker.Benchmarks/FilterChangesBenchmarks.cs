using System.Text;
using BenchmarkDotNet.Attributes;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Benchmarks;

/// <summary>
/// What a publish pays for filters that came and went elsewhere since its topic was last matched. The changes are of four shapes, as in <c>churn.py</c>.
/// </summary>
[MemoryDiagnoser]
public class FilterChangesBenchmarks
{
    private readonly FilterChanges _changes = new();
    private readonly int[] _levels = new int[FilterShape.MostLevels];
    private readonly byte[][] _topics = new byte[50_000][];
    private readonly int[] _hashes = new int[50_000];
    private long _version;
    private int _at;

    /// <summary>Changes since the topic was matched.</summary>
    [Params(0, 1_000, 10_000)]
    public int Changes { get; set; }

    [GlobalSetup]
    public void Change()
    {
        // The table has grown as far as it does before it is measured.
        for (int i = 0; i < 300_000; i++) Note(i);
        var random = new Random(1);
        for (int i = 0; i < _topics.Length; i++)
        {
            _topics[i] = Encoding.UTF8.GetBytes($"bench/a{random.Next(63)}/b{random.Next(63)}/c{random.Next(63)}");
            _hashes[i] = LevelHash.Of(_topics[i]);
        }
    }

    [Benchmark]
    public bool Ask_whether_a_topic_is_concerned()
    {
        if (++_at == _topics.Length) _at = 0;
        return _changes.MayConcern(_topics[_at], _hashes[_at], _version - Changes, _levels);
    }

    private void Note(int number)
    {
        string filter = (number % 4) switch
        {
            0 => $"churn/{number}",
            1 => $"churn/{number}/+",
            2 => $"bench/a{number}/none/+",
            _ => $"bench/+/none/{number}",
        };
        _changes.Note(Encoding.UTF8.GetBytes(filter), ++_version);
    }
}
