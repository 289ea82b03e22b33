using System.Text.Json.Serialization;
using EdgeBroker.Access;
using EdgeBroker.Certificates;
using EdgeBroker.Control;
using EdgeBroker.Storage;
using EdgeBroker.Verbs;

namespace EdgeBroker.Options;

/// <summary>How what <c>--json</c> prints is written: generated, so that nothing reflects.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AclAnswer))]
[JsonSerializable(typeof(BackupAnswer))]
[JsonSerializable(typeof(CertificateAnswers))]
[JsonSerializable(typeof(CheckAnswer))]
[JsonSerializable(typeof(ReloadAnswer))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(TransferAnswer))]
[JsonSerializable(typeof(UserList))]
[JsonSerializable(typeof(VerifyAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
internal sealed partial class CommandJson : JsonSerializerContext;
