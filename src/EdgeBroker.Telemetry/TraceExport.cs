using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace EdgeBroker.Telemetry;

/// <summary>Sends the spans of messages to one collector.</summary>
internal sealed class TraceExport : IDisposable
{
    private readonly TracerProvider _provider;

    public TraceExport(TelemetryOptions options, TelemetrySource source, TimeProvider time, ILogger log)
    {
        Watch = new ExportWatch("traces", options.Endpoint!, log);
        Tracing = new MessageTracing(options.TraceSampleRate, time);
        _provider = Sdk.CreateTracerProviderBuilder()
            .ConfigureResource(resource => OtlpExport.Name(resource, options, source))
            .AddSource(MessageTracing.SourceName)
            // Which message is traced has been decided before there is a span.
            .SetSampler(new AlwaysOnSampler())
            .AddOtlpExporter(exporter => OtlpExport.Set(exporter, options, "/v1/traces", Watch))
            .Build();
    }

    public ExportWatch Watch { get; }

    /// <summary>Makes the spans.</summary>
    public MessageTracing Tracing { get; }

    /// <summary>Sends what there is now.</summary>
    public bool Flush(TimeSpan limit) => _provider.ForceFlush((int)limit.TotalMilliseconds);

    /// <summary>Sends once more and ends.</summary>
    public void Stop(TimeSpan limit) => _provider.Shutdown((int)limit.TotalMilliseconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        Tracing.Dispose();
        _provider.Dispose();
        Watch.Dispose();
    }
}
