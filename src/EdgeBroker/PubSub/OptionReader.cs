using System.Globalization;

namespace EdgeBroker.PubSub;

/// <summary>Walks the command line of one verb: options and their values, each as an argument of its own.</summary>
internal sealed class OptionReader(Verbs verb, string[] args)
{
    private int _position;
    private string _given = "";

    /// <summary>Steps to the next option and yields its long name; null behind the last.</summary>
    /// <exception cref="UsageException">It is none of the verb's.</exception>
    public string? Next()
    {
        if (_position >= args.Length) return null;
        _given = args[_position++];
        foreach (CommandOption option in CommandOption.All)
        {
            if (option.Verbs.HasFlag(verb) && (_given == option.Long || _given == option.Short)) return option.Long;
        }

        if (CommandOption.NotSupported.Contains(_given)) throw new UsageException($"{_given} is not supported by this build yet.");
        string hint = _given.StartsWith('-') ? $" Did you mean {Nearest(_given)}?" : " Options begin with a dash; quote values that hold spaces.";
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

    private string Nearest(string unknown) =>
        CommandOption.All.Where(o => o.Verbs.HasFlag(verb)).SelectMany(o => o.Short is null ? [o.Long] : new[] { o.Long, o.Short })
            .MinBy(name => Distance(unknown, name))!;

    // Letters to insert, remove or change (Levenshtein).
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
