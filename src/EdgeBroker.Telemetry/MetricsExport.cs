using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace EdgeBroker.Telemetry;

/// <summary>Who exports.</summary>
/// <param name="Node">The broker's name.</param>
/// <param name="Version">Its version.</param>
public sealed record TelemetrySource(string Node, string Version);

/// <summary>Reads what the meter <c>EdgeBroker</c> offers again and again and sends it to one collector.</summary>
internal sealed class MetricsExport : IDisposable
{
    // The provider makes room for all series of a name in advance: for 2,000 unless told otherwise, which was most of what an export took. The most that a name
    // has here are those of limits, and of bridges and webhooks with their causes.
    private const int MostSeriesOfName = 256;

    private static readonly MetricStreamConfiguration Room = new() { CardinalityLimit = MostSeriesOfName };

    private readonly MeterProvider _provider;

    public MetricsExport(TelemetryOptions options, TelemetrySource source, ILogger log)
    {
        Watch = new ExportWatch("metrics", options.Endpoint!, log);
        _provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => OtlpExport.Name(resource, options, source))
            .AddMeter("EdgeBroker")
            .AddView(_ => Room)
            .AddOtlpExporter((exporter, reader) =>
            {
                OtlpExport.Set(exporter, options, "/v1/metrics", Watch);
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.Interval.TotalMilliseconds;
                reader.PeriodicExportingMetricReaderOptions.ExportTimeoutMilliseconds = OtlpExport.TimeoutMs;
            })
            .Build();
    }

    public ExportWatch Watch { get; }

    /// <summary>Sends what there is now.</summary>
    public bool Flush(TimeSpan limit) => _provider.ForceFlush((int)limit.TotalMilliseconds);

    /// <summary>Sends once more and ends.</summary>
    public void Stop(TimeSpan limit) => _provider.Shutdown((int)limit.TotalMilliseconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        _provider.Dispose();
        Watch.Dispose();
    }
}
