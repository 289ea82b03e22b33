using EdgeBroker.Access;
using EdgeBroker.Bench;
using EdgeBroker.Certificates;
using EdgeBroker.Control;
using EdgeBroker.Options;
using EdgeBroker.PubSub;
using EdgeBroker.Storage;

namespace EdgeBroker.Verbs;

/// <summary>Every verb there is: adding one is one line here.</summary>
internal static class VerbTable
{
    public static CommandLine All { get; } = new(
        RunCommand.Command,
        CheckCommand.Command,
        ConfigCommand.Command,
        ReloadCommand.Command,
        PasswdCommand.Command,
        AclCommand.Command,
        PubCommand.Command,
        SubCommand.Command,
        CertCommand.Command,
        BackupCommand.Command,
        StoreCommand.Command,
        BenchCommand.Command,
        VersionCommand.Command);
}
