using System.Text;

namespace EdgeBroker.Security.Passwords;

/// <summary>The users of a password file: a line <c>user:hash</c> each; empty lines and lines that begin with <c>#</c> say nothing. Immutable.</summary>
public sealed class PasswordFile
{
    /// <summary>Longest user name, in characters.</summary>
    public const int MaxUserNameLength = 256;

    private readonly Dictionary<string, PasswordEntry> _byName = new(StringComparer.Ordinal);
    private readonly List<PasswordEntry> _entries = [];

    private PasswordFile()
    {
    }

    /// <summary>The users in the order of their lines.</summary>
    public IReadOnlyList<PasswordEntry> Entries => _entries;

    /// <summary>The user of this name, or null.</summary>
    public PasswordEntry? Find(string userName) => _byName.GetValueOrDefault(userName);

    /// <summary>Why a text cannot be a user's name; null when it can.</summary>
    public static string? ProblemWithName(ReadOnlySpan<char> userName)
    {
        if (userName.IsEmpty) return "the user name is empty";
        if (userName.Length > MaxUserNameLength) return $"the user name is longer than {MaxUserNameLength} characters";
        if (userName[0] == '#') return "the user name begins with \"#\", which begins a comment";
        foreach (char c in userName)
        {
            if (c == ':') return "the user name holds a colon, which ends it";
            if (char.IsControl(c)) return "the user name holds a control character";
        }

        return char.IsWhiteSpace(userName[0]) || char.IsWhiteSpace(userName[^1]) ? "the user name begins or ends with a space" : null;
    }

    /// <summary>Reads the text of a password file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="problems">Gets every line that cannot be used.</param>
    /// <returns>The users of all other lines.</returns>
    public static PasswordFile Parse(string text, ICollection<FileProblem> problems)
    {
        var file = new PasswordFile();
        int number = 0;
        foreach (ReadOnlySpan<char> raw in text.AsSpan().EnumerateLines())
        {
            number++;
            if (!raw.Trim().IsEmpty && raw[0] != '#' && file.Add(raw, number) is { } problem) problems.Add(new FileProblem(number, problem));
        }

        return file;
    }

    /// <summary>Reads the bytes of a password file; what is not UTF-8 is a problem of its line.</summary>
    public static PasswordFile Parse(ReadOnlySpan<byte> bytes, ICollection<FileProblem> problems)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        if (System.Text.Unicode.Utf8.IsValid(bytes)) return Parse(Encoding.UTF8.GetString(bytes), problems);
        int line = 1;
        while (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
        {
            if (rune.Value == '\n') line++;
            bytes = bytes[consumed..];
        }

        problems.Add(new FileProblem(line, "is not UTF-8 text; save the file as UTF-8"));
        return new PasswordFile();
    }

    private string? Add(ReadOnlySpan<char> line, int number)
    {
        int colon = line.IndexOf(':');
        if (colon < 0) return "no colon between user name and password hash; expected user:hash";
        ReadOnlySpan<char> name = line[..colon];
        if (ProblemWithName(name) is { } wrongName) return wrongName;
        if (!PasswordHash.TryParse(line[(colon + 1)..].TrimEnd().ToString(), out PasswordHash hash, out string problem)) return $"user \"{name}\": {problem}";
        var entry = new PasswordEntry(name.ToString(), hash, number);
        if (!_byName.TryAdd(entry.UserName, entry)) return $"user \"{name}\" stands in line {_byName[entry.UserName].Line} already; remove one of the two";
        _entries.Add(entry);
        return null;
    }
}
