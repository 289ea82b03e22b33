using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Telemetry;

/// <summary>Exports metrics by OTLP where that is configured. Where it is not, nothing of OpenTelemetry is made.</summary>
/// <param name="options">Where to.</param>
/// <param name="meters">What is exported.</param>
/// <param name="events">Tells of messages, while they are measured.</param>
/// <param name="source">Who exports.</param>
/// <param name="log">The log; event ids 13000-13009.</param>
public sealed class TelemetryPart(TelemetryOptions options, MeterRegistry meters, BrokerEvents events, TelemetrySource source, ILogger log)
    : IBrokerPart<TelemetryOptions>
{
    private TelemetryOptions _options = options;
    private volatile MetricsExport? _export;
    private MessageSizes? _sizes;
    private IDisposable? _measuring;

    /// <inheritdoc/>
    public string Name => "telemetry";

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        _export = Make(_options);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings() => _export is { } export ? [export.Finding] : [];

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync(TelemetryOptions next) => ValueTask.FromResult<IPreparedChange>(new Change(this, next));

    /// <inheritdoc/>
    public async ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        // The last figures are those of the end.
        if (phase == StopPhase.Finish && _export is { } export) await Task.Run(() => export.Stop(limit / 2)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _measuring?.Dispose();
        _export?.Dispose();
        _export = null;
        return ValueTask.CompletedTask;
    }

    /// <summary>Sends what there is now, for tests and for whoever does not want to wait.</summary>
    internal bool Flush(TimeSpan limit) => _export?.Flush(limit) ?? true;

    private MetricsExport? Make(TelemetryOptions wanted)
    {
        _measuring?.Dispose();
        _measuring = null;
        if (wanted.Endpoint is null) return null;
        meters.Publish();
        _sizes ??= new MessageSizes(meters);
        _measuring = events.Add(_sizes);
        return new MetricsExport(wanted, source, log);
    }

    private sealed class Change(TelemetryPart part, TelemetryOptions next) : IPreparedChange
    {
        public async ValueTask ApplyAsync(ChangeNotes notes)
        {
            if (part._options.IsSameAs(next)) return;
            MetricsExport? former = part._export;
            part._options = next;
            part._export = part.Make(next);
            if (former is not null) await Task.Run(former.Dispose).ConfigureAwait(false);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
