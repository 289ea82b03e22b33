using EdgeBroker.Access;
using EdgeBroker.Bench;
using EdgeBroker.PubSub;
using EdgeBroker.Reloading;
using EdgeBroker.Storage;

namespace EdgeBroker.Verbs;

/// <summary>Every verb there is: adding one is one line here.</summary>
internal static class VerbTable
{
    public static readonly Verb[] All =
    [
        new("run", "run the broker (the default)", RunCommand.Usage, RunCommand.Run),
        new("check", "check a configuration and say what it would do", CheckCommand.Usage, CheckCommand.Run),
        new("reload", "have the running broker take its changed configuration", ReloadCommand.Usage, ReloadCommand.Run),
        new("passwd", "make and change password files", PasswdCommand.Usage, PasswdCommand.Run),
        new("acl", "try access rules, and take over mosquitto's", AclCommand.Usage, AclCommand.Run),
        new("pub", "publish messages, with mosquitto_pub's options", "", (args, _) => PubCommand.Run(args)),
        new("sub", "subscribe and print messages, with mosquitto_sub's options", "", (args, _) => SubCommand.Run(args)),
        new("cert", "make and show certificates: a private authority, servers, clients", CertCommand.Usage, CertCommand.Run),
        new("backup", "copy the store to a file, while the broker runs", BackupCommand.Usage, BackupCommand.Run),
        new("store", "check the store, say what is in it, export and import it", StoreCommand.Usage, StoreCommand.Run),
        new("bench", "measure how fast a broker is, and whether it loses messages", "", BenchCommand.Run),
        new("version", "print the version", VersionCommand.Usage, VersionCommand.Run),
        new("help", "explain a verb", HelpCommand.Usage, HelpCommand.Run),
    ];

    public static Verb? Find(string name)
    {
        foreach (Verb verb in All)
        {
            if (verb.Name == name) return verb;
        }

        return null;
    }
}
