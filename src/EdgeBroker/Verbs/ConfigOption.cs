using EdgeBroker.Configuration;

namespace EdgeBroker.Verbs;

/// <summary>Reads <c>-c FILE</c>, which is all that <c>run</c> and <c>check</c> take, and part of what others do.</summary>
internal static class ConfigOption
{
    /// <summary>The configuration the arguments name; null when it has been said what is wrong, and <paramref name="failure"/> is the exit code.</summary>
    public static BrokerConfiguration? Load(string[] args, string usage, Surroundings world, out int failure)
    {
        failure = ExitCode.Success;
        string? file = Read(args, out string? problem);
        if (problem is not null)
        {
            failure = CommandLine.Misused(problem, usage, world);
            return null;
        }

        BrokerConfiguration? configuration = new ConfigurationLoader(world.Environment, world.WorkingDirectory, world.Time).Load(file, out string[] errors);
        if (configuration is not null) return configuration;
        foreach (string error in errors) world.Error.WriteLine(error);
        failure = ExitCode.Configuration;
        return null;
    }

    /// <summary>The file, null when none is named; or what is wrong with the arguments.</summary>
    public static string? Read(string[] args, out string? problem)
    {
        const string LongForm = "--config=";
        string? file = null;
        problem = null;
        for (int i = 0; i < args.Length; i++)
        {
            string? value = null;
            if (args[i] is "-c" or "--config")
            {
                if (++i == args.Length) problem = $"{args[i - 1]} needs a file";
                else value = args[i];
            }
            else if (args[i].StartsWith(LongForm, StringComparison.Ordinal)) value = args[i][LongForm.Length..];
            else if (args[i].StartsWith('-')) problem = $"unknown option \"{Printable.Escape(args[i])}\"";
            else problem = $"unexpected \"{Printable.Escape(args[i])}\"; a configuration is named with -c FILE";

            if (value == "") problem = "-c needs a file";
            else if (value is not null && file is not null) problem = "-c is given twice; what belongs together goes into conf.d beside the file";
            if (problem is not null) return null;
            file = value ?? file;
        }

        return file;
    }
}
