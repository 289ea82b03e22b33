using EdgeBroker.Core.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace EdgeBroker.Telemetry;

/// <summary>Who exports.</summary>
/// <param name="Node">The broker's name.</param>
/// <param name="Version">Its version.</param>
public sealed record TelemetrySource(string Node, string Version);

/// <summary>Reads what the meter <c>EdgeBroker</c> offers again and again and sends it to one collector.</summary>
internal sealed class MetricsExport : IDisposable
{
    private const int TimeoutMs = 5_000;

    private readonly MeterProvider _provider;

    public MetricsExport(TelemetryOptions options, TelemetrySource source, ILogger log)
    {
        Watch = new ExportWatch(options.Endpoint!, log);
        _provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.Clear().AddService(options.ServiceName, serviceVersion: source.Version, serviceInstanceId: source.Node))
            .AddMeter("EdgeBroker")
            .AddOtlpExporter((exporter, reader) =>
            {
                exporter.Endpoint = PlaceOf(options);
                exporter.Protocol = options.Protocol == TelemetryProtocol.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
                exporter.TimeoutMilliseconds = TimeoutMs;
                exporter.Headers = string.Join(',', options.Headers.Select(one => $"{one.Key}={Uri.EscapeDataString(one.Value)}"));
                exporter.HttpClientFactory = () => new HttpClient(Watch, disposeHandler: false) { Timeout = TimeSpan.FromMilliseconds(TimeoutMs) };
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.Interval.TotalMilliseconds;
                reader.PeriodicExportingMetricReaderOptions.ExportTimeoutMilliseconds = TimeoutMs;
            })
            .Build();
    }

    public ExportWatch Watch { get; }

    public HealthFinding Finding => Watch.Finding;

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

    // Over HTTP the exporter takes the address as it is given.
    private static Uri PlaceOf(TelemetryOptions options) =>
        options.Protocol == TelemetryProtocol.Grpc || options.Endpoint!.AbsolutePath != "/" ? options.Endpoint! : new Uri(options.Endpoint, "/v1/metrics");
}
