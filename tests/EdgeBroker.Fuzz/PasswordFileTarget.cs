using System.Text;
using System.Text.RegularExpressions;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Security.Passwords;

namespace EdgeBroker.Fuzz;

/// <summary>
/// The bytes as a password file: the same users are found as by expressions written down from the formats, and every other line is named once.
/// </summary>
internal static partial class PasswordFileTarget
{
    public static void Run(byte[] input)
    {
        var problems = new List<FileProblem>();
        PasswordFile file = PasswordFile.Parse(input, problems);
        string[] users = [.. file.Entries.Select(entry => entry.UserName)];
        if (problems.Any(problem => problem.Text.Length == 0)) throw new DisagreementException("A problem without a text", input);
        if (!System.Text.Unicode.Utf8.IsValid(input.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? input.AsSpan(3) : input))
        {
            if (users.Length != 0 || problems.Count != 1) throw new DisagreementException("Users in what is no text", input);
            return;
        }

        var expected = new List<string>();
        int meaning = 0;
        foreach (string line in LineEnd().Split(Encoding.UTF8.GetString(input).TrimStart('\uFEFF')))
        {
            if (line.Trim().Length == 0 || line[0] == '#') continue;
            meaning++;
            if (NameOf(line) is { } name && !expected.Contains(name)) expected.Add(name);
        }

        if (!users.SequenceEqual(expected))
        {
            throw new DisagreementException($"Users {string.Join('|', users)} where the oracle finds {string.Join('|', expected)}", input);
        }

        if (users.Length + problems.Count != meaning) throw new DisagreementException("A line is neither a user nor a problem", input);
    }

    private static string? NameOf(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon is <= 0 or > 256) return null;
        string name = line[..colon];
        string hash = line[(colon + 1)..].TrimEnd();
        if (name.Any(char.IsControl) || name != name.Trim()) return null;
        return Bcrypt().IsMatch(hash) || IsMosquitto(hash) || IsScram(hash) ? name : null;
    }

    private static bool IsMosquitto(string hash)
    {
        Match match = Mosquitto().Match(hash);
        if (!match.Success || Bytes(match.Groups[2].Value) is not (>= 8 and <= 64) || Bytes(match.Groups[3].Value) != 64) return false;
        return hash[1] == '6' || Number(match, 1) is >= 1 and <= 5_000_000;
    }

    private static bool IsScram(string hash)
    {
        Match match = Scram().Match(hash);
        return match.Success && Number(match, 1) is >= 4096 and <= 5_000_000 && Bytes(match.Groups[2].Value) is >= 8 and <= 64
            && Bytes(match.Groups[3].Value) == 32 && Bytes(match.Groups[4].Value) == 32;
    }

    private static long? Number(Match match, int group) =>
        decimal.TryParse(match.Groups[group].Value, out decimal value) && value <= int.MaxValue ? (long)value : null;

    private static int? Bytes(string base64)
    {
        try
        {
            string padded = base64;
            while (padded.Length % 4 != 0) padded += "=";
            byte[] bytes = Convert.FromBase64String(padded);
            // One text for each value: bits behind the last byte are zero.
            return Convert.ToBase64String(bytes) == padded ? bytes.Length : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    [GeneratedRegex("\r\n|[\n\r\f\u0085\u2028\u2029]")]
    private static partial Regex LineEnd();

    [GeneratedRegex(@"^\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}\z")]
    private static partial Regex Bcrypt();

    [GeneratedRegex(@"^SCRAM-SHA-256\$([0-9]+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)\z")]
    private static partial Regex Scram();

    [GeneratedRegex(@"^\$(?:6|7\$([0-9]+))\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)\z")]
    private static partial Regex Mosquitto();
}
