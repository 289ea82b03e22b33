using System.Text.Json.Serialization;
using EdgeBroker.Core.Management;
using EdgeBroker.Http.Access;

namespace EdgeBroker.Http.Api;

/// <summary>How requests and answers of the API are written: generated, so that nothing reflects.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(LoginBody))]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(OverviewAnswer))]
[JsonSerializable(typeof(MetricsAnswer))]
[JsonSerializable(typeof(MemoryAnswer))]
[JsonSerializable(typeof(LimitAnswer[]))]
[JsonSerializable(typeof(ListenerAnswer[]))]
[JsonSerializable(typeof(AclTestBody))]
[JsonSerializable(typeof(AclTestAnswer))]
[JsonSerializable(typeof(ListAnswer<SessionRow>))]
[JsonSerializable(typeof(SessionAnswer))]
[JsonSerializable(typeof(KickResult))]
[JsonSerializable(typeof(BulkDeleteBody))]
[JsonSerializable(typeof(BulkResult))]
[JsonSerializable(typeof(ListAnswer<SubscriptionView>))]
[JsonSerializable(typeof(ListAnswer<SubscriberView>))]
[JsonSerializable(typeof(ListAnswer<SharedGroupView>))]
[JsonSerializable(typeof(ListAnswer<RefusalView>))]
[JsonSerializable(typeof(ListAnswer<HistoryEvent>))]
[JsonSerializable(typeof(ListAnswer<AuditEntry>))]
[JsonSerializable(typeof(ListAnswer<RetainedSummary>))]
[JsonSerializable(typeof(RetainedAnswer))]
[JsonSerializable(typeof(RetainedDeleteBody))]
[JsonSerializable(typeof(DeleteResult))]
[JsonSerializable(typeof(ConfigCheckBody))]
[JsonSerializable(typeof(ConfigCheckAnswer))]
[JsonSerializable(typeof(ReloadResult))]
[JsonSerializable(typeof(ReloadEntry[]))]
[JsonSerializable(typeof(ListAnswer<LogLine>))]
[JsonSerializable(typeof(LogLevelAnswer))]
[JsonSerializable(typeof(LogLevelBody))]
[JsonSerializable(typeof(StreamEnd))]
[JsonSerializable(typeof(ListAnswer<BridgeAnswer>))]
[JsonSerializable(typeof(BridgeTrialAnswer))]
[JsonSerializable(typeof(ListAnswer<WebhookAnswer>))]
[JsonSerializable(typeof(ListAnswer<SensorAnswer>))]
[JsonSerializable(typeof(DoneAnswer))]
[JsonSerializable(typeof(ListAnswer<WaitingAnswer>))]
[JsonSerializable(typeof(PurgeResult))]
[JsonSerializable(typeof(TopicsAnswer))]
[JsonSerializable(typeof(TopicStatsAnswer))]
[JsonSerializable(typeof(RemovalResult))]
[JsonSerializable(typeof(RetainedPutBody))]
[JsonSerializable(typeof(StreamSkipped))]
[JsonSerializable(typeof(BackupAnswer))]
[JsonSerializable(typeof(HistoryAnswer))]
[JsonSerializable(typeof(CertificateAnswer[]))]
[JsonSerializable(typeof(QueueAnswer[]))]
internal sealed partial class ApiJson : JsonSerializerContext;
