using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Http.Api;

/// <summary>Some numbers over a time.</summary>
/// <param name="Span"><c>5m</c>, <c>1h</c> or <c>24h</c>.</param>
/// <param name="StepSeconds">Seconds between two points.</param>
/// <param name="EndsAt">When the last point was taken.</param>
/// <param name="Series">Points by name, the oldest first; null where nothing was known.</param>
public sealed record HistoryAnswer(string Span, int StepSeconds, DateTimeOffset EndsAt, IReadOnlyDictionary<string, IReadOnlyList<double?>> Series);

/// <summary>
/// The course of some numbers, for charts that survive a reload of their page: 300 points of a second, 360 of ten, 1,440 of a minute. Taken only where the
/// administration is served; each point costs a few sums, and no pass over sessions.
/// </summary>
internal sealed class MetricHistory : IDisposable
{
    private static readonly (string Name, string Meter, bool IsRate)[] Sources =
    [
        ("in_per_second", "mqtt.messages.received.total", true), ("out_per_second", "mqtt.messages.sent.total", true),
        ("dropped_per_second", "mqtt.messages.dropped.total", true), ("bytes_in_per_second", "mqtt.bytes.received.total", true),
        ("bytes_out_per_second", "mqtt.bytes.sent.total", true), ("connected_count", "mqtt.connections.current", false),
        ("sessions_count", "mqtt.sessions.current", false), ("retained_count", "mqtt.retained.messages", false),
        ("memory_used_bytes", "edgebroker.memory.used", false), ("store_bytes", "edgebroker.store.bytes", false),
    ];

    private readonly Lock _lock = new();
    private readonly MeterRegistry _meters;
    private readonly TimeProvider _time;
    private readonly Ring[] _rings = [new("5m", 1, 300), new("1h", 10, 360), new("24h", 60, 1_440)];
    private readonly double?[] _last = new double?[Sources.Length];
    private ITimer? _timer;
    private long _at;
    private long _ticks;

    /// <param name="meters">What is read.</param>
    /// <param name="time">The clock.</param>
    public MetricHistory(MeterRegistry meters, TimeProvider time)
    {
        _meters = meters;
        _time = time;
    }

    /// <summary>The names of the series.</summary>
    public static IEnumerable<string> Names => Sources.Select(source => source.Name);

    /// <summary>Begins to take points.</summary>
    public void Begin() => _timer ??= _time.CreateTimer(
        static state => ((MetricHistory)state!).Take(), this, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    /// <summary>The points of a span.</summary>
    /// <param name="span">The span.</param>
    /// <param name="names">The series; null: all.</param>
    public HistoryAnswer Of(string span, IReadOnlyCollection<string>? names)
    {
        lock (_lock)
        {
            Ring ring = Array.Find(_rings, one => one.Span == span)!;
            var series = new Dictionary<string, IReadOnlyList<double?>>(StringComparer.Ordinal);
            for (int i = 0; i < Sources.Length; i++)
            {
                if (names is null || names.Contains(Sources[i].Name)) series.Add(Sources[i].Name, ring.Points(i));
            }

            return new HistoryAnswer(span, ring.StepSeconds, _time.GetUtcNow(), series);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    /// <summary>Takes a point.</summary>
    internal void Take()
    {
        var values = new double?[Sources.Length];
        for (int i = 0; i < Sources.Length; i++) values[i] = _meters.Sum(Sources[i].Meter);
        long now = _time.GetTimestamp();
        lock (_lock)
        {
            double seconds = _time.GetElapsedTime(_at, now).TotalSeconds;
            for (int i = 0; i < Sources.Length; i++)
            {
                double? value = values[i];
                double? point = !Sources[i].IsRate ? value
                    : _ticks > 0 && value is { } count && _last[i] is { } before && seconds > 0 ? Math.Max(0, count - before) / seconds : null;
                _last[i] = value;
                foreach (Ring ring in _rings) ring.Collect(i, point);
            }

            _at = now;
            _ticks++;
            foreach (Ring ring in _rings)
            {
                if (_ticks % ring.StepSeconds == 0) ring.Close();
            }
        }
    }

    /// <summary>Points of one span: means of what was collected since the point before. Grows until it is full.</summary>
    private sealed class Ring(string span, int stepSeconds, int most)
    {
        private readonly List<float>[] _points = [.. Sources.Select(_ => new List<float>())];
        private readonly (double Sum, int Count)[] _collected = new (double Sum, int Count)[Sources.Length];

        public string Span => span;

        public int StepSeconds => stepSeconds;

        public void Collect(int series, double? value)
        {
            if (value is { } known) _collected[series] = (_collected[series].Sum + known, _collected[series].Count + 1);
        }

        public void Close()
        {
            for (int i = 0; i < _points.Length; i++)
            {
                if (_points[i].Count == most) _points[i].RemoveAt(0);
                _points[i].Add(_collected[i].Count == 0 ? float.NaN : (float)(_collected[i].Sum / _collected[i].Count));
                _collected[i] = default;
            }
        }

        public IReadOnlyList<double?> Points(int series) =>
            [.. _points[series].Select(point => float.IsNaN(point) ? (double?)null : Math.Round(point, 2))];
    }
}
