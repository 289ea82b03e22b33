using System.Diagnostics.Metrics;

namespace EdgeBroker.Core.Metrics;

/// <summary>Something that is measured again and again, told by how often it was how large. Any thread.</summary>
public sealed class HistogramMeter
{
    private readonly double[] _bounds;

    // One more than there are bounds: what is larger than all of them.
    private readonly long[] _counts;
    private double _sum;
    private Histogram<double>? _instrument;
    private KeyValuePair<string, object?>[] _tags = [];

    /// <param name="name">Its name, by OpenTelemetry's customs.</param>
    /// <param name="unit">Its unit in UCUM.</param>
    /// <param name="help">What it is, in half a sentence.</param>
    /// <param name="bounds">What belongs into a bucket at most, rising.</param>
    public HistogramMeter(string name, string unit, string help, params double[] bounds)
    {
        Name = name;
        Unit = unit;
        Help = help;
        _bounds = bounds;
        _counts = new long[bounds.Length + 1];
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its unit.</summary>
    public string Unit { get; }

    /// <summary>What it is.</summary>
    public string Help { get; }

    /// <summary>What tells it from others of its name, which have the same bounds.</summary>
    public IReadOnlyList<MeterTag> Tags
    {
        get;
        init
        {
            field = value;
            _tags = [.. value.Select(tag => new KeyValuePair<string, object?>(tag.Key, tag.Value))];
        }
    }
    = [];

    /// <summary>What belongs into a bucket at most; above the last there is one more bucket.</summary>
    public IReadOnlyList<double> Bounds => _bounds;

    /// <summary>The sum of all values.</summary>
    public double Sum => Volatile.Read(ref _sum);

    /// <summary>How many values each bucket has.</summary>
    public long[] Counts() => [.. Enumerable.Range(0, _counts.Length).Select(i => Volatile.Read(ref _counts[i]))];

    /// <summary>Takes a value.</summary>
    public void Record(double value)
    {
        int bucket = Array.BinarySearch(_bounds, value);
        Interlocked.Increment(ref _counts[bucket < 0 ? ~bucket : bucket]);
        double sum = Volatile.Read(ref _sum);
        while (true)
        {
            double seen = Interlocked.CompareExchange(ref _sum, sum + value, sum);
            if (seen.Equals(sum)) break;
            sum = seen;
        }

        Volatile.Read(ref _instrument)?.Record(value, _tags);
    }

    /// <summary>Offers the values to those who listen to a meter.</summary>
    /// <param name="meter">The meter.</param>
    /// <param name="offered">Others that are offered already: those of one name are one instrument.</param>
    internal void Publish(Meter meter, IEnumerable<HistogramMeter> offered)
    {
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = _bounds };
        Histogram<double>? shared = offered.FirstOrDefault(other => other.Name == Name && other._instrument is not null)?._instrument;
        Volatile.Write(ref _instrument, shared ?? meter.CreateHistogram<double>(Name, Unit, Help, null, advice));
    }
}
