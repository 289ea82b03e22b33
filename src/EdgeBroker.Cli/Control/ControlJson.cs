using System.Text.Json.Serialization;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary>How requests and answers are written: generated, so that nothing reflects.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(Page<SessionSummary>))]
[JsonSerializable(typeof(Page<RetainedSummary>))]
[JsonSerializable(typeof(Page<SubscriberView>))]
[JsonSerializable(typeof(Page<SharedGroupView>))]
internal sealed partial class ControlJson : JsonSerializerContext;
