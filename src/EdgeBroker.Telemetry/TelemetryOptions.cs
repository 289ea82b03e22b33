namespace EdgeBroker.Telemetry;

/// <summary>How OTLP is carried.</summary>
public enum TelemetryProtocol
{
    /// <summary>gRPC.</summary>
    Grpc,

    /// <summary>Protobuf over HTTP.</summary>
    HttpProtobuf,
}

/// <summary>The table <c>[telemetry]</c>: where metrics and traces go.</summary>
public sealed record TelemetryOptions
{
    /// <summary>The collector; null: nothing is exported.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>How it is spoken to.</summary>
    public TelemetryProtocol Protocol { get; init; }

    /// <summary>What the broker calls itself there.</summary>
    public string ServiceName { get; init; } = "edgebroker";

    /// <summary>How often.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether messages are traced.</summary>
    public bool Traces { get; init; }

    /// <summary>Which part of the messages that bring no trace context begins a trace, 0 to 1.</summary>
    public double TraceSampleRate { get; init; } = 0.1;

    /// <summary>Headers that go with each request, their secrets read.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Whether both say the same.</summary>
    public bool IsSameAs(TelemetryOptions other) => this with { Headers = [] } == other with { Headers = [] } && Headers.SequenceEqual(other.Headers);
}
