using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;

namespace EdgeBroker.Telemetry;

/// <summary>What the exports of metrics and of traces have in common.</summary>
internal static class OtlpExport
{
    /// <summary>How long an export may take.</summary>
    public const int TimeoutMs = 5_000;

    /// <summary>Says who exports.</summary>
    public static void Name(ResourceBuilder resource, TelemetryOptions options, TelemetrySource source) =>
        resource.Clear().AddService(options.ServiceName, serviceVersion: source.Version, serviceInstanceId: source.Node);

    /// <summary>Says where to, and how.</summary>
    /// <param name="exporter">The exporter.</param>
    /// <param name="options">What is configured.</param>
    /// <param name="path">Where its kind goes over HTTP.</param>
    /// <param name="watch">Carries its requests.</param>
    public static void Set(OtlpExporterOptions exporter, TelemetryOptions options, string path, ExportWatch watch)
    {
        exporter.Endpoint = PlaceOf(options, path);
        exporter.Protocol = options.Protocol == TelemetryProtocol.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.TimeoutMilliseconds = TimeoutMs;
        exporter.Headers = string.Join(',', options.Headers.Select(one => $"{one.Key}={Uri.EscapeDataString(one.Value)}"));
        exporter.HttpClientFactory = () => new HttpClient(watch, disposeHandler: false) { Timeout = TimeSpan.FromMilliseconds(TimeoutMs) };
    }

    // Over HTTP the exporter takes the address as it is given. One that names the place of metrics names that of traces, too.
    private static Uri PlaceOf(TelemetryOptions options, string path)
    {
        const string Metrics = "/v1/metrics";
        Uri given = options.Endpoint!;
        if (options.Protocol == TelemetryProtocol.Grpc) return given;
        if (given.AbsolutePath == "/") return new Uri(given, path);
        if (!given.AbsolutePath.EndsWith(Metrics, StringComparison.Ordinal)) return given;
        return new UriBuilder(given) { Path = given.AbsolutePath[..^Metrics.Length] + path }.Uri;
    }
}
