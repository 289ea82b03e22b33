using System.Text;

namespace EdgeBroker.Interop.Tests.Clients;

/// <summary>A message as a foreign client publishes or receives it; what 3.1.1 does not know is null.</summary>
public sealed record ForeignMessage(string Topic, byte[] Payload, int QoS)
{
    public ForeignMessage(string topic, string payload, int qos)
        : this(topic, Encoding.UTF8.GetBytes(payload), qos)
    {
    }

    public bool Retain { get; init; }

    /// <summary>User properties in their order.</summary>
    public (string Name, string Value)[]? User { get; init; }

    public string? ContentType { get; init; }

    public string? ResponseTopic { get; init; }

    public byte[]? Correlation { get; init; }

    public uint? ExpirySeconds { get; init; }

    /// <summary>Payload Format Indicator.</summary>
    public int? Format { get; init; }

    /// <summary>Subscription identifiers it came by.</summary>
    public uint[]? Identifiers { get; init; }

    public string Text => Encoding.UTF8.GetString(Payload);
}
