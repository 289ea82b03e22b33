using EdgeBroker.Core.Management;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>
/// The areas of the log and what each writes. An area is a project: what stands behind <c>EdgeBroker.</c> in a category, in lower case. Loggers hold their area
/// and read one number of it.
/// </summary>
internal sealed class LogAreas(TimeProvider time) : ILogLevels, IDisposable
{
    private const string Prefix = "EdgeBroker.";

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, LogArea> _areas = new(StringComparer.Ordinal);
    private readonly LogArea _all = new(ILogLevels.All);
    private LogLevel _configured;

    /// <summary>What the configuration says: the level of areas for which nothing else was said.</summary>
    public LogLevel Configured
    {
        get
        {
            lock (_lock) return _configured;
        }

        set
        {
            lock (_lock) _configured = value;
            Apply();
        }
    }

    /// <summary>The area of a category.</summary>
    public LogArea Of(string category)
    {
        string name = NameOf(category);
        lock (_lock)
        {
            if (_areas.TryGetValue(name, out LogArea? known)) return known;
            var area = new LogArea(name) { Level = _all.Own ?? _configured };
            _areas.Add(name, area);
            return area;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<LogAreaLevel> Levels()
    {
        lock (_lock)
        {
            return [
                new LogAreaLevel(_all.Name, _all.Own ?? _configured, _all.Own is not null, _all.Until),
                .. _areas.Values.Select(area => new LogAreaLevel(area.Name, area.Level, area.Own is not null, area.Until)),
            ];
        }
    }

    /// <inheritdoc/>
    public bool Set(string area, LogLevel? level, TimeSpan? lasting)
    {
        lock (_lock)
        {
            LogArea? found = area == ILogLevels.All ? _all : _areas.GetValueOrDefault(area);
            if (found is null) return false;
            found.Timer?.Dispose();
            found.Timer = null;
            found.Until = null;
            found.Own = level;
            if (level is not null && lasting is { } left)
            {
                found.Until = time.GetUtcNow() + left;
                found.Timer = time.CreateTimer(_ => Set(area, null, null), null, left, Timeout.InfiniteTimeSpan);
            }
        }

        Apply();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _all.Timer?.Dispose();
            foreach (LogArea area in _areas.Values) area.Timer?.Dispose();
        }
    }

    private void Apply()
    {
        lock (_lock)
        {
            foreach (LogArea area in _areas.Values) area.Level = area.Own ?? _all.Own ?? _configured;
        }
    }

    private static string NameOf(string category)
    {
        if (category == "EdgeBroker") return "broker";
        if (!category.StartsWith(Prefix, StringComparison.Ordinal)) return "framework";
        int end = category.IndexOf('.', Prefix.Length);
        return category[Prefix.Length..(end < 0 ? category.Length : end)].ToLowerInvariant();
    }
}

/// <summary>One area. Guarded by the lock of all, but for the level, which loggers read.</summary>
internal sealed class LogArea(string name)
{
    private volatile LogLevel _level;

    public string Name { get; } = name;

    /// <summary>The least severe level that is written.</summary>
    public LogLevel Level
    {
        get => _level;
        set => _level = value;
    }

    /// <summary>Its own level; null: that of all.</summary>
    public LogLevel? Own { get; set; }

    public DateTimeOffset? Until { get; set; }

    public ITimer? Timer { get; set; }
}
