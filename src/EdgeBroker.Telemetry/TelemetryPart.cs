using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Telemetry;

/// <summary>Exports metrics and traces by OTLP where that is configured. Where it is not, nothing of OpenTelemetry is made.</summary>
/// <param name="options">Where to.</param>
/// <param name="meters">What is exported.</param>
/// <param name="messages">What is measured of messages while it is exported.</param>
/// <param name="events">Tells of messages, while they are traced.</param>
/// <param name="source">Who exports.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log; event ids 13000-13009.</param>
public sealed class TelemetryPart(
    TelemetryOptions options, MeterRegistry meters, MessageMeters messages, BrokerEvents events, TelemetrySource source, TimeProvider time,
    ILogger log)
    : IBrokerPart<TelemetryOptions>
{
    private TelemetryOptions _options = options;
    private volatile Exports? _exports;

    /// <inheritdoc/>
    public string Name => "telemetry";

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        _exports = Make(_options);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings() => _exports?.Findings() ?? [];

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync(TelemetryOptions next) => ValueTask.FromResult<IPreparedChange>(new Change(this, next));

    /// <inheritdoc/>
    public async ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        // The last figures are those of the end.
        if (phase == StopPhase.Finish && _exports is { } exports) await Task.Run(() => exports.Stop(limit / 4)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _exports?.Dispose();
        _exports = null;
        return ValueTask.CompletedTask;
    }

    /// <summary>Sends what there is now, for tests and for whoever does not want to wait.</summary>
    internal bool Flush(TimeSpan limit) => _exports?.Flush(limit) ?? true;

    private Exports? Make(TelemetryOptions wanted)
    {
        if (wanted.Endpoint is null) return null;
        meters.Publish();
        TraceExport? traces = wanted.Traces ? new TraceExport(wanted, source, time, log) : null;
        return new Exports(new MetricsExport(wanted, source, log), messages.Measure(), traces, traces is null ? null : events.Add(traces.Tracing));
    }

    /// <summary>What there is while something is exported.</summary>
    private sealed class Exports(MetricsExport metrics, IDisposable measuring, TraceExport? traces, IDisposable? tracing) : IDisposable
    {
        public IEnumerable<HealthFinding> Findings() => traces is null ? [metrics.Watch.Finding] : [metrics.Watch.Finding, traces.Watch.Finding];

        public bool Flush(TimeSpan limit) => metrics.Flush(limit) & (traces?.Flush(limit) ?? true);

        public void Stop(TimeSpan limit)
        {
            metrics.Stop(limit);
            traces?.Stop(limit);
        }

        /// <summary>Before others take their place, so that nothing is told twice.</summary>
        public void Silence()
        {
            measuring.Dispose();
            tracing?.Dispose();
        }

        public void Dispose()
        {
            Silence();
            metrics.Dispose();
            traces?.Dispose();
        }
    }

    private sealed class Change(TelemetryPart part, TelemetryOptions next) : IPreparedChange
    {
        public async ValueTask ApplyAsync(ChangeNotes notes)
        {
            if (part._options.IsSameAs(next)) return;
            Exports? former = part._exports;
            former?.Silence();
            part._options = next;
            part._exports = part.Make(next);
            if (former is not null) await Task.Run(former.Dispose).ConfigureAwait(false);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
