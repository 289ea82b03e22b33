namespace EdgeBroker.Verbs;

/// <summary>Finds the verb and runs it. Without a verb it is <c>run</c>; help and version answer to the flags people try first.</summary>
internal static class CommandLine
{
    public static int Run(string[] args, Surroundings world)
    {
        if (args.Length == 0) return RunCommand.Run(args, world);
        switch (args[0])
        {
            case "-h" or "--help" or "-?":
                return HelpCommand.Run([], world);
            case "-v" or "-V" or "--version":
                return VersionCommand.Run([], world);
        }

        if (args[0].StartsWith('-')) return RunVerb(VerbTable.All[0], args, world);
        if (VerbTable.Find(args[0]) is { } verb) return RunVerb(verb, args[1..], world);
        return Unknown(args[0], world);
    }

    private static int RunVerb(Verb verb, string[] args, Surroundings world)
    {
        if (verb.Usage.Length > 0 && (Array.IndexOf(args, "--help") >= 0 || Array.IndexOf(args, "-h") >= 0)) return HelpCommand.Run([verb.Name], world);
        return verb.Run(args, world);
    }

    public static int Unknown(string name, Surroundings world)
    {
        var names = new string[VerbTable.All.Length];
        for (int i = 0; i < names.Length; i++) names[i] = VerbTable.All[i].Name;
        string hint = NearestName.Of(name, names) is { } nearest ? $"; did you mean \"{nearest}\"?" : "";
        world.Error.WriteLine($"edgebroker: unknown verb \"{Printable.Escape(name)}\"{hint}");
        world.Error.WriteLine(HelpCommand.Overview());
        return ExitCode.Usage;
    }

    /// <summary>Answers arguments a verb does not take: what is wrong, then how it is used.</summary>
    public static int Misused(string problem, string usage, Surroundings world)
    {
        world.Error.WriteLine($"edgebroker: {problem}");
        world.Error.WriteLine(usage);
        return ExitCode.Usage;
    }
}
