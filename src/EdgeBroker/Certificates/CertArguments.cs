using System.Globalization;

namespace EdgeBroker.Certificates;

/// <summary>The options and words behind <c>cert SUBCOMMAND</c>.</summary>
internal sealed class CertArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private CertArguments()
    {
    }

    /// <summary>Words that are no options: names, hosts, files.</summary>
    public List<string> Words { get; } = [];

    /// <summary>Whether files may be replaced.</summary>
    public bool Force { get; private set; }

    /// <summary>Reads them.</summary>
    /// <param name="args">What stands behind the subcommand.</param>
    /// <param name="known">The options with a value that it takes.</param>
    /// <exception cref="CertificateCommandException">An option is unknown or lacks its value.</exception>
    public static CertArguments Read(IEnumerable<string> args, params string[] known)
    {
        var read = new CertArguments();
        using IEnumerator<string> rest = args.GetEnumerator();
        while (rest.MoveNext())
        {
            string arg = rest.Current;
            if (arg == "--force") read.Force = true;
            else if (Array.IndexOf(known, arg) >= 0)
            {
                read._values[arg] = rest.MoveNext() ? rest.Current : throw new CertificateCommandException($"{arg} needs a value");
            }
            else if (arg.StartsWith('-'))
            {
                throw new CertificateCommandException($"unknown option {arg}" + (NearestName.Of(arg, [.. known, "--force"]) is { } nearest ? $"; did you mean {nearest}?" : ""));
            }
            else read.Words.Add(arg);
        }

        return read;
    }

    public string Value(string option, string otherwise) => _values.GetValueOrDefault(option, otherwise);

    public int Days(int otherwise, int most)
    {
        if (!_values.TryGetValue("--days", out string? text)) return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int days) && days >= 1 && days <= most ? days
            : throw new CertificateCommandException($"--days {text}: give a whole number from 1 to {most}");
    }
}
