using System.Text.Json.Serialization;

namespace EdgeBroker.Verbs;

/// <summary>How what <c>--json</c> prints is written: generated, so that nothing reflects.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(BridgeTestAnswer))]
[JsonSerializable(typeof(CheckAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
internal sealed partial class VerbJson : JsonSerializerContext;
