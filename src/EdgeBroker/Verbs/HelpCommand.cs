using System.Text;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker help [VERB]</c></summary>
internal static class HelpCommand
{
    public const string Usage = "usage: edgebroker help [VERB]";

    public static int Run(string[] args, Surroundings world)
    {
        if (args.Length > 1) return CommandLine.Misused("help takes one verb", Usage, world);
        if (args.Length == 0)
        {
            world.Out.WriteLine(Overview());
            return ExitCode.Success;
        }

        if (VerbTable.Find(args[0]) is not { } verb) return CommandLine.Unknown(args[0], world);
        if (verb.Usage.Length == 0) return verb.Run(["--help"], world);
        world.Out.WriteLine(verb.Usage);
        return ExitCode.Success;
    }

    public static string Overview()
    {
        var text = new StringBuilder("usage: edgebroker [VERB] [OPTIONS]\n\nverbs:\n");
        foreach (Verb verb in VerbTable.All) text.Append("  ").Append(verb.Name.PadRight(10)).Append(verb.Summary).Append('\n');
        return text.Append("\nedgebroker help VERB explains one.").ToString();
    }
}
