using System.Globalization;

namespace EdgeBroker.PubSub;

/// <summary>Walks the command line of one verb: options and their values, each as an argument of its own.</summary>
/// <param name="options">The options the verb has.</param>
/// <param name="args">The arguments behind the verb.</param>
internal sealed class OptionReader(CommandOption[] options, string[] args)
{
    private int _position;
    private string _given = "";

    /// <summary>For <c>pub</c> and <c>sub</c>, which share a table.</summary>
    public OptionReader(Verbs verb, string[] args)
        : this(Array.FindAll(CommandOption.All, option => option.Verbs.HasFlag(verb)), args)
    {
    }

    /// <summary>Steps to the next option and yields its long name; null behind the last.</summary>
    /// <exception cref="UsageException">It is none of the verb's.</exception>
    public string? Next()
    {
        if (_position >= args.Length) return null;
        _given = args[_position++];
        foreach (CommandOption option in options)
        {
            if (_given == option.Long || _given == option.Short) return option.Long;
        }

        if (CommandOption.NotSupported.Contains(_given)) throw new UsageException($"{_given} is not supported by this build yet.");
        string hint = !_given.StartsWith('-') ? " Options begin with a dash; quote values that hold spaces."
            : Nearest(_given) is { } nearest ? $" Did you mean {nearest}?" : " --help lists them.";
        throw new UsageException($"There is no option {_given}.{hint}");
    }

    /// <summary>The value of the option just read.</summary>
    public string Value() => _position < args.Length ? args[_position++] : throw new UsageException($"{_given} needs a value behind it.");

    /// <summary>The value as a whole number within bounds.</summary>
    public long Number(long least, long most)
    {
        string text = Value();
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most ? number
            : throw new UsageException($"{_given} {text}: give a whole number from {least} to {most}.");
    }

    /// <summary>The value as seconds, with fractions.</summary>
    public TimeSpan Seconds()
    {
        string text = Value();
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds < 1e6 ? TimeSpan.FromSeconds(seconds)
            : throw new UsageException($"{_given} {text}: give a number of seconds.");
    }

    private string? Nearest(string unknown) =>
        NearestName.Of(unknown, options.SelectMany(o => o.Short is null ? [o.Long] : new[] { o.Long, o.Short }));
}
