namespace EdgeBroker.Access;

/// <summary>The arguments of a verb that has verbs of its own: options with and without a value, and the rest in order.</summary>
internal sealed class VerbArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _flags = new(StringComparer.Ordinal);

    private VerbArguments()
    {
    }

    /// <summary>What is no option.</summary>
    public List<string> Rest { get; } = [];

    /// <summary>The value of an option; null: not given.</summary>
    public string? this[string option] => _values.GetValueOrDefault(option);

    public bool Has(string flag) => _flags.Contains(flag);

    /// <summary>Reads arguments; null when <paramref name="problem"/> says what is wrong.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="flags">Options without a value.</param>
    /// <param name="options">Options with one.</param>
    /// <param name="problem">What is wrong.</param>
    public static VerbArguments? Read(ReadOnlySpan<string> args, string[] flags, string[] options, out string problem)
    {
        var read = new VerbArguments();
        problem = "";
        for (int i = 0; i < args.Length; i++)
        {
            string argument = args[i];
            if (argument is "-" || !argument.StartsWith('-'))
            {
                read.Rest.Add(argument);
                continue;
            }

            if (Array.IndexOf(flags, argument) >= 0)
            {
                read._flags.Add(argument);
                continue;
            }

            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? argument : argument[..equals];
            if (Array.IndexOf(options, name) < 0) problem = $"unknown option \"{Printable.Escape(argument)}\"";
            else if (equals < 0 && ++i == args.Length) problem = $"{name} needs a value";
            else if (!read._values.TryAdd(name, equals < 0 ? args[i] : argument[(equals + 1)..])) problem = $"{name} is given twice";
            if (problem.Length > 0) return null;
        }

        return read;
    }
}
