using EdgeBroker.Configuration.Schema;

namespace EdgeBroker.Configuration;

/// <summary>
/// Every key broker.toml may hold. A key that is not here does not exist; a feature adds its keys on the day it works. From this follow what is read and
/// refused, what a reload tells and merges, the text of broker.toml, the configuration in force as it is shown, and the API's schema.
/// </summary>
internal static class BrokerSchema
{
    /// <summary>The whole file.</summary>
    public static readonly TableSchema<BrokerConfiguration> File = new TableSchema<BrokerConfiguration>("")
        .Table("node", NodeTable.Schema, c => c.Node, (c, v) => c with { Node = v })
        .TableArray(
            "listener", ListenerTable.Schema, c => c.Written.Listeners, table => new ListenerDraft(table),
            (c, v) => c with { Written = c.Written with { Listeners = v } })
        .Table("mqtt", MqttTable.Schema, c => c.Mqtt, (c, v) => c with { Mqtt = v })
        .Table("auth", AuthTable.Schema, c => c, (_, v) => v)
        .TableArray(
            "group", AclTables.Group, c => c.Written.Groups, table => new GroupDraft(table), (c, v) => c with { Written = c.Written with { Groups = v } })
        .TableArray("acl", AclTables.Acl, c => c.Written.Acl, table => new AclDraft(table), (c, v) => c with { Written = c.Written with { Acl = v } })
        .Table("http", HttpTable.Schema, c => c.Written.Http, (c, v) => c with { Written = c.Written with { Http = v } })
        .Table("limits", LimitsTable.Schema, c => c, (_, v) => v)
        .Table("storage", StorageTable.Schema, c => c.Storage, (c, v) => c with { Storage = v })
        .TableArray(
            "webhook", WebhookTable.Schema, c => c.Written.Webhooks, table => new WebhookDraft(table),
            (c, v) => c with { Written = c.Written with { Webhooks = v } })
        .Table("telemetry", TelemetryTable.Schema, c => c.Written.Telemetry, (c, v) => c with { Written = c.Written with { Telemetry = v } })
        .TableArray(
            "bridge", BridgeTable.Schema, c => c.Written.Bridges, table => new BridgeDraft(table),
            (c, v) => c with { Written = c.Written with { Bridges = v } })
        .Table(
            "cluster", ClusterTable.Schema, c => c.Written.Cluster, table => new ClusterDraft(table),
            (c, v) => c with { Written = c.Written with { Cluster = v } })
        .Table("log", LogTable.Schema, c => c.Log, (c, v) => c with { Log = v });
}
