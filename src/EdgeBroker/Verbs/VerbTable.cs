using EdgeBroker.PubSub;

namespace EdgeBroker.Verbs;

/// <summary>Every verb there is: adding one is one line here.</summary>
internal static class VerbTable
{
    public static readonly Verb[] All =
    [
        new("run", "run the broker (the default)", RunCommand.Usage, RunCommand.Run),
        new("check", "check a configuration and say what it would do", CheckCommand.Usage, CheckCommand.Run),
        new("pub", "publish messages, with mosquitto_pub's options", "", (args, _) => PubCommand.Run(args)),
        new("sub", "subscribe and print messages, with mosquitto_sub's options", "", (args, _) => SubCommand.Run(args)),
        new("cert", "make and show certificates: a private authority, servers, clients", CertCommand.Usage, CertCommand.Run),
        new("version", "print the version", VersionCommand.Usage, VersionCommand.Run),
        new("help", "explain a verb", HelpCommand.Usage, HelpCommand.Run),
    ];

    public static Verb? Find(string name)
    {
        foreach (Verb verb in All)
        {
            if (verb.Name == name)
                return verb;
        }
        return null;
    }
}
