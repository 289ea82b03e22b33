namespace EdgeBroker.Cli.Options;

/// <summary>What follows an option.</summary>
public enum OptionKind
{
    /// <summary>Nothing.</summary>
    Flag,

    /// <summary>Any text, an empty one included.</summary>
    Text,

    /// <summary>A file or a directory; never empty.</summary>
    Path,

    /// <summary>A whole number within bounds.</summary>
    Number,

    /// <summary>Seconds, with fractions.</summary>
    Seconds,

    /// <summary>One of a few words.</summary>
    Choice,

    /// <summary>Several arguments, each for itself.</summary>
    Sequence,
}

/// <summary>One option of a command. Reading, checking, help and hints all follow from what is declared here.</summary>
public sealed record CommandOption
{
    private CommandOption(OptionKind kind, string name, char? letter, string value, string help)
    {
        Kind = kind;
        Name = name;
        Letter = letter;
        Value = value;
        Help = help;
    }

    public OptionKind Kind { get; }

    /// <summary>The long name, dashes included.</summary>
    public string Name { get; }

    /// <summary>The short name, without its dash; null: there is none.</summary>
    public char? Letter { get; }

    /// <summary>What help calls the value.</summary>
    public string Value { get; }

    /// <summary>What it does; a line break in it stays.</summary>
    public string Help { get; }

    /// <summary>Whether each occurrence counts.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>Bounds of a number or of seconds.</summary>
    public decimal Least { get; private init; }

    public decimal Most { get; private init; }

    /// <summary>The words of a choice.</summary>
    public string[] Choices { get; private init; } = [];

    /// <summary>How many arguments a sequence has, by those read so far.</summary>
    public Func<IReadOnlyList<string>, int> Count { get; private init; } = _ => 1;

    public bool TakesValue => Kind != OptionKind.Flag;

    /// <summary>The names, as help shows them in the left column.</summary>
    public string Shown => (Letter is { } letter ? $"-{letter}, " : "    ") + Name + (TakesValue ? " " + Value : "");

    /// <summary>The shortest form, as a line of usage shows it.</summary>
    public string Short => (Letter is { } letter ? "-" + letter : Name) + (TakesValue ? " " + Value : "");

    public static CommandOption Flag(string name, char? letter, string help) => new(OptionKind.Flag, name, letter, "", help);

    public static CommandOption Text(string name, char? letter, string value, string help) => new(OptionKind.Text, name, letter, value, help);

    public static CommandOption Path(string name, char? letter, string value, string help) => new(OptionKind.Path, name, letter, value, help);

    public static CommandOption Number(string name, char? letter, string value, long least, long most, string help) =>
        new(OptionKind.Number, name, letter, value, help) { Least = least, Most = most };

    public static CommandOption Seconds(string name, char? letter, string value, decimal least, decimal most, string help) =>
        new(OptionKind.Seconds, name, letter, value, help) { Least = least, Most = most };

    public static CommandOption Choice(string name, char? letter, string value, string[] choices, string help) =>
        new(OptionKind.Choice, name, letter, value, help) { Choices = choices };

    public static CommandOption Sequence(string name, char? letter, string value, Func<IReadOnlyList<string>, int> count, string help) =>
        new(OptionKind.Sequence, name, letter, value, help) { Count = count, IsRepeatable = true };
}
