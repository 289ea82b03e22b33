using System.Globalization;

namespace EdgeBroker.Cli.Options;

/// <summary>
/// Reads the arguments of a command by its table: <c>--name value</c>, <c>--name=value</c>, <c>-n value</c>, <c>-nvalue</c>. Options stand before,
/// between or behind operands; behind <c>--</c> all are operands.
/// </summary>
public ref struct ArgumentReader
{
    private const string HelpName = "--help";
    private const char HelpLetter = 'h';

    private readonly Command _command;
    private readonly ReadOnlySpan<string> _args;
    private readonly Arguments _read;
    private int _position;

    private ArgumentReader(Command command, ReadOnlySpan<string> args)
    {
        _command = command;
        _args = args;
        _read = new Arguments(command);
    }

    /// <summary>Reads them.</summary>
    /// <exception cref="UsageException">They are wrong.</exception>
    public static Arguments Read(Command command, ReadOnlySpan<string> args) => new ArgumentReader(command, args).Read();

    private Arguments Read()
    {
        bool onlyOperands = false;
        while (_position < _args.Length)
        {
            string argument = _args[_position++];
            if (onlyOperands || argument is "-" || !argument.StartsWith('-')) _read.Operands.Add(argument);
            else if (argument == "--") onlyOperands = true;
            else if (IsHelp(argument)) return new Arguments(_command) { WantsHelp = true };
            else if (argument.StartsWith("--", StringComparison.Ordinal)) ReadLong(argument);
            else ReadShort(argument);
        }

        CheckOperands();
        return _read;
    }

    private readonly bool IsHelp(string argument) => argument == HelpName || (argument is ['-', HelpLetter] && Find(HelpLetter) is null);

    private void ReadLong(string argument)
    {
        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? argument : argument[..equals];
        if (Find(name) is not { } option) throw Unknown(name);
        if (equals >= 0 && !option.TakesValue) throw new UsageException($"{name} takes no value");
        Take(option, name, equals < 0 ? null : argument[(equals + 1)..]);
    }

    private void ReadShort(string argument)
    {
        // -topic is rather --topic, mistyped, than -t with the value "opic".
        if (Find("-" + argument) is { } meant && argument.Length > 2) throw new UsageException($"there is no option {argument}; did you mean {meant.Name}?");
        if (Find(argument[1]) is not { } option || (argument.Length > 2 && !option.TakesValue)) throw Unknown(argument);
        Take(option, argument[..2], argument.Length > 2 ? argument[2..] : null);
    }

    private void Take(CommandOption option, string name, string? attached)
    {
        if (!option.TakesValue)
        {
            _read.Add(option, name, []);
            return;
        }

        if (option.Kind == OptionKind.Sequence)
        {
            if (attached is not null) throw new UsageException($"{name} is followed by {option.Value}, each an argument of its own");
            var values = new List<string>();
            while (values.Count < option.Count(values)) values.Add(Next(option, name));
            _read.Add(option, name, values);
            return;
        }

        string value = attached ?? Next(option, name);
        Check(option, name, value);
        _read.Add(option, name, [value]);
    }

    private string Next(CommandOption option, string name) =>
        _position < _args.Length ? _args[_position++] : throw new UsageException($"{name} needs a value: {option.Value}");

    private static void Check(CommandOption option, string name, string value)
    {
        string? advice = option.Kind switch
        {
            OptionKind.Path when value.Length == 0 => $"give a {option.Value}",
            OptionKind.Number when !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) || number < option.Least
                || number > option.Most =>
                $"give a whole number from {option.Least} to {option.Most}",
            OptionKind.Seconds when !decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds)
                || seconds < option.Least || seconds > option.Most =>
                string.Create(CultureInfo.InvariantCulture, $"give seconds from {option.Least} to {option.Most}"),
            OptionKind.Choice when !option.Choices.Contains(value, StringComparer.Ordinal) => "give " + Join(option.Choices),
            _ => null,
        };
        if (advice is not null) throw new UsageException($"{name} {(value.Length == 0 ? "\"\"" : value)}: {advice}");
    }

    private readonly void CheckOperands()
    {
        Operand[] wanted = _command.Operands;
        int count = _read.Operands.Count;
        if (count > wanted.Length && wanted is not [.., { Repeats: true }])
        {
            string takes = wanted.Length == 0 ? "only options are taken" : "taken are " + string.Join(" ", wanted.Select(one => one.Shown));
            throw new UsageException($"unexpected \"{_read.Operands[wanted.Length]}\"; {takes}");
        }

        if (count < wanted.Length && wanted[count].IsRequired) throw new UsageException($"{wanted[count].Name} is missing");
    }

    private readonly CommandOption? Find(string name) => _command.AllOptions.FirstOrDefault(option => option.Name == name);

    private readonly CommandOption? Find(char letter) => _command.AllOptions.FirstOrDefault(option => option.Letter == letter);

    private readonly UsageException Unknown(string name)
    {
        if (_command.Unsupported.Contains(name)) return new UsageException($"{name} is an option of mosquitto's clients that is not supported");
        string? nearest = NearestName.Of(name, [.. _command.AllOptions.Select(option => option.Name), HelpName]);
        return new UsageException($"there is no option {name}" + (nearest is null ? "" : $"; did you mean {nearest}?"));
    }

    private static string Join(string[] words) => words.Length == 1 ? words[0] : string.Join(", ", words[..^1]) + " or " + words[^1];
}
