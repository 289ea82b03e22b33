using System.Collections.Concurrent;
using System.Globalization;
using EdgeBroker.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Telemetry.Tests;

/// <summary>What a collector was told of one number.</summary>
internal sealed record Told(string Name, string Unit, string Kind, string Tags, double Value, long[] Buckets);

/// <summary>A span as a collector got it: ids in hexadecimal digits, times in nanoseconds since 1970, status 2 is an error.</summary>
internal sealed record Span(
    string Name,
    string TraceId,
    string Id,
    string ParentId,
    string TraceState,
    int Kind,
    ulong StartedAt,
    ulong EndedAt,
    int Status,
    Dictionary<string, string> Attributes);

/// <summary>A collector that speaks OTLP over gRPC or over HTTP, on loopback, and keeps the last export.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly TelemetryProtocol _protocol;
    private readonly ConcurrentQueue<Span> _spans = new();
    private volatile IReadOnlyList<ProtobufField>? _last;

    private Collector(WebApplication application, TelemetryProtocol protocol)
    {
        _application = application;
        _protocol = protocol;
    }

    /// <summary>The status that is answered.</summary>
    public int Status { get; set; } = 200;

    public string? LastHeader { get; private set; }

    public Uri Url => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public static async Task<Collector> StartAsync(TelemetryProtocol protocol)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        HttpProtocols spoken = protocol == TelemetryProtocol.Grpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
        builder.WebHost.ConfigureKestrel(options => options.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = spoken));
        WebApplication application = builder.Build();
        var collector = new Collector(application, protocol);
        application.Run(collector.TakeAsync);
        await application.StartAsync();
        return collector;
    }

    /// <summary>The attributes of who exports.</summary>
    public Dictionary<string, string> Resource => Attributes(Each(Each(_last!, 1).Single().Message, 1).Single().Message, 1);

    /// <summary>The numbers of the last export.</summary>
    public List<Told> Numbers()
    {
        var told = new List<Told>();
        IEnumerable<ProtobufField> metrics = Each(Each(_last!, 1).Single().Message, 2).SelectMany(scope => Each(scope.Message, 2));
        foreach (IReadOnlyList<ProtobufField> metric in metrics.Select(metric => metric.Message))
        {
            string name = Each(metric, 1).Single().Text;
            string unit = Each(metric, 3).Select(field => field.Text).SingleOrDefault("");
            foreach (ProtobufField kind in metric.Where(field => field.Number is 5 or 7 or 9))
            {
                foreach (IReadOnlyList<ProtobufField> point in Each(kind.Message, 1).Select(point => point.Message))
                {
                    string tags = string.Join(',', Attributes(point, kind.Number == 9 ? 9 : 7).Select(one => $"{one.Key}={one.Value}"));
                    told.Add(kind.Number == 9
                        ? new Told(name, unit, "histogram", tags, Each(point, 5).Single().Double, Each(point, 6).Single().Packed)
                        : new Told(name, unit, kind.Number == 5 ? "gauge" : "counter", tags, NumberOf(point), []));
                }
            }
        }

        return told;
    }

    /// <summary>All spans that came.</summary>
    public IReadOnlyList<Span> Spans => [.. _spans];

    public Task HasExportAsync() => Deadline.Until(() => _last is not null, "an export");

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private static double NumberOf(IReadOnlyList<ProtobufField> point) =>
        point.Any(field => field.Number == 6) ? (long)Each(point, 6).Single().Value : Each(point, 4).Single().Double;

    private static IEnumerable<ProtobufField> Each(IReadOnlyList<ProtobufField> message, int number) => message.Where(field => field.Number == number);

    private static Dictionary<string, string> Attributes(IReadOnlyList<ProtobufField> message, int number) =>
        Each(message, number).ToDictionary(pair => Each(pair.Message, 1).Single().Text, pair => TextOf(Each(pair.Message, 2).Single().Message.Single()));

    // A text, or a whole number.
    private static string TextOf(ProtobufField value) => value.Number == 1 ? value.Text : value.Value.ToString(CultureInfo.InvariantCulture);

    private void TakeSpans(IReadOnlyList<ProtobufField> export)
    {
        foreach (IReadOnlyList<ProtobufField> resource in Each(export, 1).Select(one => one.Message))
        {
            foreach (ProtobufField one in Each(resource, 2).SelectMany(scope => Each(scope.Message, 2)))
            {
                IReadOnlyList<ProtobufField> span = one.Message;
                _spans.Enqueue(new Span(
                    Each(span, 5).Single().Text,
                    Hex(span, 1),
                    Hex(span, 2),
                    Hex(span, 4),
                    Each(span, 3).Select(state => state.Text).SingleOrDefault(""),
                    (int)Each(span, 6).Single().Value,
                    Each(span, 7).Single().Value,
                    Each(span, 8).Single().Value,
                    Each(span, 15).SelectMany(status => Each(status.Message, 3)).Select(code => (int)code.Value).SingleOrDefault(),
                    Attributes(span, 9)));
            }
        }
    }

    private static string Hex(IReadOnlyList<ProtobufField> span, int number) =>
        Each(span, number).Select(id => Convert.ToHexStringLower(id.Bytes.Span)).SingleOrDefault("");

    private async Task TakeAsync(HttpContext context)
    {
        bool isGrpc = _protocol == TelemetryProtocol.Grpc;
        string metrics = isGrpc ? "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" : "/v1/metrics";
        string traces = isGrpc ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export" : "/v1/traces";
        if ((context.Request.Path != metrics && context.Request.Path != traces) || context.Request.Method != "POST")
        {
            context.Response.StatusCode = 404;
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        LastHeader = context.Request.Headers["X-Plant"];
        context.Response.StatusCode = Status;
        if (Status != 200) return;
        // Of gRPC five bytes say how long the message is.
        IReadOnlyList<ProtobufField> export = ProtobufField.Read(body.ToArray().AsMemory(isGrpc ? 5 : 0));
        if (context.Request.Path == traces) TakeSpans(export);
        else _last = export;
        if (!isGrpc) return;
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5]);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}
