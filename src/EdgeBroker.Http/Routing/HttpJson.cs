using System.Text.Json.Serialization;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Api;
using EdgeBroker.Http.Health;
using EdgeBroker.Http.Publishing;

namespace EdgeBroker.Http.Routing;

/// <summary>How the answers of every surface are written: generated, so that nothing reflects.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ProblemAnswer))]
[JsonSerializable(typeof(LoginBody))]
[JsonSerializable(typeof(ReadinessAnswer))]
[JsonSerializable(typeof(ClusterAnswer))]
[JsonSerializable(typeof(PublishBody))]
[JsonSerializable(typeof(PublishBody[]))]
[JsonSerializable(typeof(PublishAnswer))]
[JsonSerializable(typeof(PublishOutcomeAnswer[]))]
[JsonSerializable(typeof(StreamMessage))]
[JsonSerializable(typeof(StreamGap))]
[JsonSerializable(typeof(StreamBye))]
internal sealed partial class HttpJson : JsonSerializerContext;
