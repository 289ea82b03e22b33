using System.Text.Json.Serialization;
using EdgeBroker.Cli.Access;
using EdgeBroker.Cli.Certificates;
using EdgeBroker.Cli.Storage;

namespace EdgeBroker.Cli.Options;

/// <summary>How what <c>--json</c> prints is written: generated, so that nothing reflects.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(AclAnswer))]
[JsonSerializable(typeof(BackupAnswer))]
[JsonSerializable(typeof(RestoreAnswer))]
[JsonSerializable(typeof(CertificateAnswers))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(TransferAnswer))]
[JsonSerializable(typeof(PskList))]
[JsonSerializable(typeof(UserList))]
[JsonSerializable(typeof(VerifyAnswer))]
internal sealed partial class CommandJson : JsonSerializerContext;
