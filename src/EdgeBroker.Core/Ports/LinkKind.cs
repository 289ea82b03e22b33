using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Ports;

/// <summary>What connections are counted by.</summary>
/// <param name="Transport">What carries MQTT, as in <see cref="LinkDescription.Transport"/>; null: something else.</param>
/// <param name="Version">The version that is spoken.</param>
public readonly record struct LinkKind(string? Transport, ProtocolVersion Version)
{
    /// <summary>The words by which connections are told apart, whatever carries them.</summary>
    internal static readonly string[] Protocols = ["mqtt", "mqtts", "ws", "wss", "unix", "coap", "coaps", "other"];

    /// <summary>The versions, in words.</summary>
    internal static readonly string[] Versions = ["3.1.1", "5.0"];

    /// <summary>Which of <see cref="Protocols"/> a transport is.</summary>
    internal static int ProtocolOf(string? transport) => Array.IndexOf(Protocols, transport switch
    {
        "tcp" => "mqtt",
        "tls" => "mqtts",
        "udp" => "coap",
        "dtls" => "coaps",
        "ws" or "wss" or "unix" => transport,
        _ => "other",
    });

    /// <summary>Where it stands in an array of all of them.</summary>
    internal int Index => (ProtocolOf(Transport) * Versions.Length) + (Version == ProtocolVersion.V5 ? 1 : 0);
}
