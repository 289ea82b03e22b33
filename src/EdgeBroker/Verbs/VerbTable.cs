using EdgeBroker.Bench;
using EdgeBroker.Cli.Access;
using EdgeBroker.Cli.Certificates;
using EdgeBroker.Cli.Cluster;
using EdgeBroker.Cli.Control;
using EdgeBroker.Cli.Options;
using EdgeBroker.Cli.PubSub;
using EdgeBroker.Cli.Storage;

namespace EdgeBroker.Verbs;

/// <summary>Every verb there is: adding one is one line here.</summary>
internal static class VerbTable
{
    public static CommandLine All { get; } = new(
        RunCommand.Command,
        CheckCommand.Command,
        ConfigCommand.Command,
        ReloadCommand.Command,
        StatusCommand.Command,
        HealthCommand.Command,
        TopCommand.Command,
        ConsoleCommand.Command,
        ClientsCommand.Command,
        SessionCommand.Command,
        KickCommand.Command,
        RetainedCommand.Command,
        SubscriptionsCommand.Command,
        SubscriptionsCommand.SharedCommand,
        RefusalsCommand.Command,
        LogLevelCommand.Command,
        PasswdCommand.Command,
        PskCommand.Command,
        AclCommand.Command,
        BridgeCommand.Command,
        ClusterCommand.Command,
        PubCommand.Command,
        SubCommand.Command,
        CoapCommand.Command,
        CertCommand.Command,
        BackupCommand.Command,
        RestoreCommand.Command,
        StoreCommand.Command,
        BenchCommand.Command,
        VersionCommand.Command);
}
