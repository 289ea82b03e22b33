using System.Text;

namespace EdgeBroker.Security.Passwords;

/// <summary>
/// Changes single lines of the text of a password file, or of another whose lines begin with a name and a colon; comments, order and all other lines, also
/// ones that cannot be read, stay as they are.
/// </summary>
public static class PasswordFileEdit
{
    /// <summary>The text with this user's line, in place of an older one or at the end.</summary>
    /// <param name="text">The text; empty for a new file.</param>
    /// <param name="userName">A name without <see cref="PasswordFile.ProblemWithName"/>.</param>
    /// <param name="hash">The stored password.</param>
    /// <param name="replaced">Whether there was an older one.</param>
    public static string Set(string text, string userName, PasswordHash hash, out bool replaced) =>
        SetLine(text, userName, $"{userName}:{hash.Text}", out replaced);

    /// <summary>The text with this line, in place of an older one of the name or at the end.</summary>
    /// <param name="text">The text; empty for a new file.</param>
    /// <param name="name">What the line begins with, before its first colon.</param>
    /// <param name="line">The whole line.</param>
    /// <param name="replaced">Whether there was an older one.</param>
    public static string SetLine(string text, string name, string line, out bool replaced) => Rewrite(text, name, line, out replaced);

    /// <summary>The text without this user's line.</summary>
    /// <param name="text">The text.</param>
    /// <param name="userName">The name.</param>
    /// <param name="found">Whether there was one.</param>
    public static string Remove(string text, string userName, out bool found) => Rewrite(text, userName, null, out found);

    private static string Rewrite(string text, string userName, string? line, out bool found)
    {
        var written = new StringBuilder(text.Length + 128);
        found = false;
        string[] lines = text.Split('\n');
        // What follows the last line's end is no line.
        int count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        for (int i = 0; i < count; i++)
        {
            if (!IsLineOf(lines[i], userName)) written.Append(lines[i]).Append('\n');
            else if (!found && line is not null) written.Append(line).Append('\n');
            found |= IsLineOf(lines[i], userName);
        }

        if (!found && line is not null) written.Append(line).Append('\n');
        return written.ToString();
    }

    private static bool IsLineOf(string line, string userName) =>
        line.Length > userName.Length && line[userName.Length] == ':' && line.StartsWith(userName, StringComparison.Ordinal);
}
