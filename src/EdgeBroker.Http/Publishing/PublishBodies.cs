using System.Text.Json;

namespace EdgeBroker.Http.Publishing;

/// <summary>A message to be published, as JSON. One of the three payloads, or none.</summary>
public sealed record PublishBody
{
    /// <summary>The topic.</summary>
    public required string Topic { get; init; }

    /// <summary>The payload as text.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload as bytes.</summary>
    public string? PayloadBase64 { get; init; }

    /// <summary>The payload as JSON, which is published as it stands here.</summary>
    public JsonElement? PayloadJson { get; init; }

    /// <summary>The QoS, 0 to 2.</summary>
    public int Qos { get; init; }

    /// <summary>Whether it stays as the topic's value.</summary>
    public bool Retain { get; init; }

    /// <summary>The content type.</summary>
    public string? ContentType { get; init; }

    /// <summary>Where an answer goes.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>What an answer is told by.</summary>
    public string? CorrelationDataBase64 { get; init; }

    /// <summary>After how many seconds it is of no more use.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary><c>utf-8</c>, or <c>bytes</c>.</summary>
    public string? PayloadFormat { get; init; }

    /// <summary>User properties, as pairs.</summary>
    public IReadOnlyList<IReadOnlyList<string>>? UserProperties { get; init; }
}

/// <summary>What became of a publish.</summary>
/// <param name="Outcome"><c>accepted</c>.</param>
/// <param name="ReasonCode">MQTT's reason code: 0, or 16 when nobody gets it.</param>
/// <param name="Committed">Whether it is on disk wherever somebody is owed it; of QoS 0 nobody is.</param>
public sealed record PublishAnswer(string Outcome, int ReasonCode, bool Committed);

/// <summary>What became of one of several publishes: an answer, or a problem.</summary>
public sealed record PublishOutcomeAnswer
{
    /// <summary><c>accepted</c>, <c>refused</c>, or <c>unknown</c> when the time was too short: it may be there all the same.</summary>
    public required string Outcome { get; init; }

    /// <summary>MQTT's reason code; null: there is none.</summary>
    public int? ReasonCode { get; init; }

    /// <summary>Whether it is on disk wherever somebody is owed it.</summary>
    public bool? Committed { get; init; }

    /// <summary>The kind of problem.</summary>
    public string? Type { get; init; }

    /// <summary>Its status.</summary>
    public int? Status { get; init; }

    /// <summary>Why it was refused, or is unknown.</summary>
    public string? Detail { get; init; }
}
