using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Http;
using EdgeBroker.Mqtt;
using EdgeBroker.Storage;

namespace EdgeBroker.Configuration;

/// <summary>Everything a broker is started with; valid as a whole.</summary>
internal sealed record BrokerConfiguration
{
    /// <summary>The file it was read from, as the user named it; null for the embedded default.</summary>
    public string? File { get; init; }

    public required NodeOptions Node { get; init; }

    /// <summary>Plain MQTT; with <see cref="WebListeners"/> at least one.</summary>
    public required IReadOnlyList<ListenerOptions> Listeners { get; init; }

    /// <summary>MQTT over TLS and WebSocket.</summary>
    public IReadOnlyList<WebListenerOptions> WebListeners { get; init; } = [];

    public required MqttOptions Mqtt { get; init; }

    public LimitOptions Limits { get; init; } = new();

    public required StorageOptions Storage { get; init; }

    public AuthOptions Auth { get; init; } = new();

    public required LogOptions Log { get; init; }

    /// <summary>What works but should be known: shown at start and by <c>check</c>, each with its place in the file.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
