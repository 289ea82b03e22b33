using System.Diagnostics.Metrics;

namespace EdgeBroker.Core.Metrics;

/// <summary>How a number behaves.</summary>
public enum MeterKind
{
    /// <summary>It counts since the start, and only grows.</summary>
    Counter,

    /// <summary>It is what it is at the moment.</summary>
    Gauge,
}

/// <summary>Units of numbers, in UCUM.</summary>
public static class MeterUnit
{
    /// <summary>Bytes.</summary>
    public const string Bytes = "By";

    /// <summary>Messages.</summary>
    public const string Messages = "{message}";

    /// <summary>Control packets.</summary>
    public const string Packets = "{packet}";

    /// <summary>Sessions.</summary>
    public const string Sessions = "{session}";

    /// <summary>Connections.</summary>
    public const string Connections = "{connection}";

    /// <summary>Seconds.</summary>
    public const string Seconds = "s";

    /// <summary>Milliseconds.</summary>
    public const string Milliseconds = "ms";
}

/// <summary>What one of several numbers of a name is about, as in <c>limit=max_memory</c>.</summary>
public readonly record struct MeterTag(string Key, string Value);

/// <summary>A number that the broker tells of itself.</summary>
/// <param name="Kind">How it behaves.</param>
/// <param name="Name">Its name, by OpenTelemetry's customs: <c>edgebroker.messages.received</c>.</param>
/// <param name="Unit">Its unit in UCUM: <c>By</c>, <c>s</c>, <c>{message}</c>.</param>
/// <param name="Help">What it is, in half a sentence.</param>
/// <param name="Read">Reads it, on any thread; null: there is nothing to tell.</param>
public sealed record MeterEntry(MeterKind Kind, string Name, string Unit, string Help, Func<long?> Read)
{
    /// <summary>What tells it from others of its name.</summary>
    public IReadOnlyList<MeterTag> Tags { get; init; } = [];

    /// <summary>Its topics below <c>$SYS/broker/</c>, where it is told, or, if others have the same one, the sum of them.</summary>
    public IReadOnlyList<string> SysTopics { get; init; } = [];

    /// <summary>The topic below <c>$SYS/broker/load/</c> for its growth in a minute; null: there is none.</summary>
    public string? LoadTopic { get; init; }
}

/// <summary>Something that the broker tells of itself in words.</summary>
/// <param name="SysTopic">Its topic below <c>$SYS/broker/</c>.</param>
/// <param name="Help">What it is, in half a sentence.</param>
/// <param name="Read">Reads it, on any thread; null: there is nothing to tell.</param>
public sealed record StateEntry(string SysTopic, string Help, Func<string?> Read);

/// <summary>
/// Every number and state that the broker tells of itself: registered once by the part that knows it, read by <c>$SYS</c>, by whoever asks for the entries,
/// and, once <see cref="Publish"/>ed, by whoever listens to the meter <c>EdgeBroker</c>. Nothing is counted here: what counts keeps its plain fields, and is
/// read when somebody asks. Any thread.
/// </summary>
public sealed class MeterRegistry : IDisposable
{
    private readonly Lock _lock = new();
    private volatile MeterEntry[] _entries = [];
    private volatile StateEntry[] _states = [];
    private volatile HistogramMeter[] _histograms = [];
    private volatile bool _isRead;
    private Meter? _meter;

    /// <summary>Whether somebody reads what is measured again and again. Where a measurement costs something, it begins with that.</summary>
    public bool IsRead => _isRead;

    /// <summary>All numbers, in the order they were registered.</summary>
    public IReadOnlyList<MeterEntry> Entries => _entries;

    /// <summary>The sum of all numbers of a name; null: there is nothing to tell.</summary>
    public long? Sum(string name)
    {
        long? sum = null;
        foreach (MeterEntry entry in _entries)
        {
            if (entry.Name == name && entry.Read() is { } value) sum = (sum ?? 0) + value;
        }

        return sum;
    }

    /// <summary>All states, in the order they were registered.</summary>
    public IReadOnlyList<StateEntry> States => _states;

    /// <summary>All that is measured again and again, in the order it was registered.</summary>
    public IReadOnlyList<HistogramMeter> Histograms => _histograms;

    /// <summary>Registers a number that only grows.</summary>
    /// <param name="name">Its name, by OpenTelemetry's customs.</param>
    /// <param name="unit">Its unit in UCUM.</param>
    /// <param name="help">What it is, in half a sentence.</param>
    /// <param name="read">Reads it, on any thread; null: there is nothing to tell.</param>
    /// <param name="sysTopic">Its topic below <c>$SYS/broker/</c>; null: none.</param>
    /// <param name="loadTopic">The topic below <c>$SYS/broker/load/</c> for its growth; null: none.</param>
    /// <param name="tags">What tells it from others of its name.</param>
    public void Counter(string name, string unit, string help, Func<long?> read, string? sysTopic = null, string? loadTopic = null, params MeterTag[] tags) =>
        Add(new MeterEntry(MeterKind.Counter, name, unit, help, read) { SysTopics = sysTopic is null ? [] : [sysTopic], LoadTopic = loadTopic, Tags = tags });

    /// <summary>Registers a number that is what it is at the moment.</summary>
    /// <param name="name">Its name, by OpenTelemetry's customs.</param>
    /// <param name="unit">Its unit in UCUM.</param>
    /// <param name="help">What it is, in half a sentence.</param>
    /// <param name="read">Reads it, on any thread; null: there is nothing to tell.</param>
    /// <param name="sysTopic">Its topic below <c>$SYS/broker/</c>; null: none.</param>
    /// <param name="alias">Another topic for the same; null: none.</param>
    /// <param name="tags">What tells it from others of its name.</param>
    public void Gauge(string name, string unit, string help, Func<long?> read, string? sysTopic = null, string? alias = null, params MeterTag[] tags) =>
        Add(new MeterEntry(MeterKind.Gauge, name, unit, help, read)
        {
            SysTopics = sysTopic is null ? [] : alias is null ? [sysTopic] : [sysTopic, alias],
            Tags = tags,
        });

    /// <summary>Registers what is measured again and again.</summary>
    public void Histogram(HistogramMeter histogram)
    {
        lock (_lock.Alone())
        {
            _histograms = [.. _histograms, histogram];
            if (_meter is not null) histogram.Publish(_meter, _histograms);
        }
    }

    /// <summary>Registers something told in words.</summary>
    /// <param name="sysTopic">Its topic below <c>$SYS/broker/</c>.</param>
    /// <param name="help">What it is, in half a sentence.</param>
    /// <param name="read">Reads it, on any thread; null: there is nothing to tell.</param>
    public StateEntry State(string sysTopic, string help, Func<string?> read)
    {
        var entry = new StateEntry(sysTopic, help, read);
        lock (_lock.Alone()) _states = [.. _states, entry];
        return entry;
    }

    /// <summary>
    /// Offers the numbers, also those registered later, to listeners of the meter <c>EdgeBroker</c> (System.Diagnostics.Metrics), until disposal.
    /// </summary>
    public void Publish()
    {
        lock (_lock.Alone())
        {
            if (_meter is not null) return;
            NoteRead();
            _meter = new Meter("EdgeBroker");
            foreach (IGrouping<string, MeterEntry> group in _entries.GroupBy(entry => entry.Name)) CreateInstrument(_meter, group.First());
            foreach (HistogramMeter histogram in _histograms) histogram.Publish(_meter, _histograms);
        }
    }

    /// <summary>Somebody reads histograms.</summary>
    internal void NoteRead() => _isRead = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock.Alone()) _meter?.Dispose();
    }

    /// <summary>Registers a number.</summary>
    public void Add(MeterEntry entry)
    {
        lock (_lock.Alone())
        {
            // Numbers of one name are one instrument, and told apart by their tags.
            bool isNew = !Array.Exists(_entries, other => other.Name == entry.Name);
            _entries = [.. _entries, entry];
            if (isNew && _meter is not null) CreateInstrument(_meter, entry);
        }
    }

    private void CreateInstrument(Meter meter, MeterEntry entry)
    {
        if (entry.Kind == MeterKind.Counter) meter.CreateObservableCounter(entry.Name, () => Measure(entry.Name), entry.Unit, entry.Help);
        else meter.CreateObservableGauge(entry.Name, () => Measure(entry.Name), entry.Unit, entry.Help);
    }

    private IEnumerable<Measurement<long>> Measure(string name)
    {
        foreach (MeterEntry entry in _entries)
        {
            if (entry.Name == name && entry.Read() is { } value)
            {
                yield return new Measurement<long>(value, entry.Tags.Select(tag => new KeyValuePair<string, object?>(tag.Key, tag.Value)));
            }
        }
    }
}
