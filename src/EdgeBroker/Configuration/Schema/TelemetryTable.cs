using EdgeBroker.Configuration.Toml;
using EdgeBroker.Telemetry;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The table <c>[telemetry]</c> as read.</summary>
internal sealed record TelemetryDraft
{
    public Located<string>? Endpoint { get; init; }

    public TelemetryProtocol Protocol { get; init; }

    public string ServiceName { get; init; } = "edgebroker";

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    public bool Traces { get; init; }

    public double TraceSampleRate { get; init; } = 0.1;

    /// <summary>Null: none.</summary>
    public IReadOnlyList<HeaderDraft>? Headers { get; init; }
}

/// <summary>The keys of <c>[telemetry]</c>.</summary>
internal static class TelemetryTable
{
    private static readonly ChoiceKind<TelemetryProtocol> Protocol = Kinds.Choice(
        ("grpc", TelemetryProtocol.Grpc), ("http/protobuf", TelemetryProtocol.HttpProtobuf));

    public static readonly TableSchema<TelemetryDraft> Schema = new TableSchema<TelemetryDraft>("[telemetry]")
    {
        Comment = "metrics and traces for a collector, by OTLP; without an endpoint nothing is exported",
    }
        .Key(
            "endpoint",
            Kinds.Located(Kinds.Name("the http or https URL of a collector")),
            o => o.Endpoint,
            (o, v) => o with { Endpoint = v },
            Applies.AtOnce,
            "usual ports: 4317 for grpc, 4318 for http/protobuf, where /v1/metrics and /v1/traces are added if there is no path",
            example: "\"http://127.0.0.1:4317\"")
        .Key("protocol", Protocol, o => o.Protocol, (o, v) => o with { Protocol = v }, Applies.AtOnce, "")
        .Key(
            "service_name", Kinds.Name("a name"), o => o.ServiceName, (o, v) => o with { ServiceName = v }, Applies.AtOnce,
            "service.name there; service.instance.id is the node's name")
        .Key("interval", Kinds.Seconds(1, 3_600), o => o.Interval, (o, v) => o with { Interval = v }, Applies.AtOnce, "between two exports")
        .Key(
            "traces", Kinds.Boolean, o => o.Traces, (o, v) => o with { Traces = v }, Applies.AtOnce,
            "of messages whose user property traceparent asks for it, and of a part of the others; at most 100 a second")
        .Key(
            "trace_sample_rate", Kinds.Fraction, o => o.TraceSampleRate, (o, v) => o with { TraceSampleRate = v }, Applies.AtOnce,
            "which part of the messages without traceparent")
        .Key(
            "headers", new HeadersKind(), o => o.Headers, (o, v) => o with { Headers = v }, Applies.AtOnce, "go with each request",
            example: "{ Authorization = { env = \"OTLP_TOKEN\" } }");
}
