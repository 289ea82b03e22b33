using System.Globalization;

namespace EdgeBroker.Cli.Options;

/// <summary>The arguments of a command, read and checked.</summary>
public sealed class Arguments(Command command)
{
    private readonly Dictionary<CommandOption, List<Occurrence>> _given = [];

    public Command Command { get; } = command;

    /// <summary>Whether the help is asked for; nothing else counts then.</summary>
    public bool WantsHelp { get; init; }

    /// <summary>What is no option, in order.</summary>
    public List<string> Operands { get; } = [];

    /// <summary>Whether an option is given.</summary>
    public bool Has(CommandOption option) => Occurrences(option).Count > 0;

    /// <summary>The value of an option; null: it is not given.</summary>
    public string? Text(CommandOption option) => Occurrences(option) is [.., { Values: [var value, ..] }] ? value : null;

    /// <summary>The value of an option with a number; null: it is not given.</summary>
    public long? Number(CommandOption option) => Text(option) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>The value of an option with seconds; null: it is not given.</summary>
    public TimeSpan? Seconds(CommandOption option) => Text(option) is { } text ? TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture)) : null;

    /// <summary>The values of an option that is repeatable.</summary>
    public IEnumerable<string> Texts(CommandOption option) => Occurrences(option).Select(one => one.Values[0]);

    /// <summary>The values of an option that takes several with each occurrence.</summary>
    public IEnumerable<IReadOnlyList<string>> Sequences(CommandOption option) => Occurrences(option).Select(one => one.Values);

    /// <summary>Says what is wrong with the value of an option, in the user's own words.</summary>
    /// <param name="option">The option; it is given.</param>
    /// <param name="advice">What to write instead.</param>
    public UsageException Wrong(CommandOption option, string advice) => new($"{Occurrences(option)[^1].Name} {Text(option)}: {advice}");

    internal void Add(CommandOption option, string name, IReadOnlyList<string> values)
    {
        if (!_given.TryGetValue(option, out List<Occurrence>? occurrences)) _given.Add(option, occurrences = []);
        if (!option.IsRepeatable && occurrences.Count > 0)
        {
            if (!Command.LastHolds) throw new UsageException($"{name} is given twice");
            occurrences.Clear();
        }

        occurrences.Add(new Occurrence(name, values));
    }

    // A question for an option that the command does not have would be answered "not given" for ever.
    private List<Occurrence> Occurrences(CommandOption option) => _given.TryGetValue(option, out List<Occurrence>? occurrences) ? occurrences
        : Command.AllOptions.Contains(option) ? [] : throw new InvalidOperationException($"{Command.Name} has no option {option.Name}");

    private sealed record Occurrence(string Name, IReadOnlyList<string> Values);
}
