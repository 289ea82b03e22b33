using System.Buffers;

namespace EdgeBroker.Configuration.Toml;

/// <summary>What a person most likely meant by a line that is no TOML, and what to write instead.</summary>
internal static class SyntaxAdvice
{
    private static readonly SearchValues<char> TypographicQuotes = SearchValues.Create("\u201C\u201D\u201E\u201F\u2018\u2019\u00AB\u00BB");

    // Words that begin lines of a mosquitto.conf and are no keys here, or stand there without "=".
    private static readonly string[] MosquittoWords =
    [
        "listener", "port", "allow_anonymous", "persistence", "persistence_location", "password_file", "acl_file", "log_dest", "log_type", "pid_file",
        "bind_address", "connection", "include_dir", "per_listener_settings", "cafile", "certfile", "keyfile", "protocol", "user", "max_queued_messages",
        "max_inflight_messages", "autosave_interval", "socket_domain", "require_certificate", "use_identity_as_username",
    ];

    /// <summary>The line, from 1, by which a text is known to be a mosquitto.conf; 0: it is none.</summary>
    public static int FindMosquittoLine(string[] lines)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            string word = line.Split(' ', '\t')[0];
            return word.Length < line.Length && !line.Contains('=') && MosquittoWords.Contains(word, StringComparer.Ordinal) ? i + 1 : 0;
        }

        return 0;
    }

    /// <summary>What to write instead of a line; null: nobody knows.</summary>
    /// <param name="message">What the parser says.</param>
    /// <param name="line">The line.</param>
    public static string? For(string message, string line)
    {
        if (line.AsSpan().ContainsAny(TypographicQuotes)) return "typographic quotes; write plain ones: \"";
        if (line.StartsWith("//", StringComparison.Ordinal) || line.Contains(" //", StringComparison.Ordinal)) return "a comment begins with #, not with //";
        if (line.StartsWith("--", StringComparison.Ordinal) || line.StartsWith(';')) return "a comment begins with #";
        if (message.Contains("newline in a string", StringComparison.Ordinal)) return $"the closing quote is missing: {line}{Quote(line)}";
        if (message.Contains("escape character", StringComparison.Ordinal))
        {
            return "in double quotes a backslash begins an escape; write single quotes around such a text, or / in a path";
        }

        int equals = line.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return ForNoEquals(line);
        int comment = line.IndexOf('#', equals);
        return ForValue((comment < 0 ? line[(equals + 1)..] : line[(equals + 1)..comment]).Trim());
    }

    // Whichever comes first is the one that is open.
    private static char Quote(string line) => line.IndexOfAny(['\'', '"']) is >= 0 and int first ? line[first] : '"';

    private static string? ForNoEquals(string line)
    {
        if (line.StartsWith('[')) return line.EndsWith(']') ? null : "the closing bracket is missing";
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        int end = colon >= 0 ? colon : line.IndexOf(' ', StringComparison.Ordinal);
        if (end <= 0) return null;
        string value = line[(end + 1)..].Trim();
        return $"a value is set with \"=\": {line[..end].Trim()} = {(value.Length == 0 ? "VALUE" : IsPlain(value) ? value : $"\"{value.Trim('"')}\"")}";
    }

    private static string? ForValue(string value) => value.ToLowerInvariant() switch
    {
        "" => "a value is missing",
        "true" or "yes" or "on" => "write true, in small letters and without quotes",
        "false" or "no" or "off" => "write false, in small letters and without quotes",
        _ when IsUnquotedText(value) => $"text, addresses and quantities are written in quotes: \"{value}\"",
        _ => null,
    };

    private static bool IsPlain(string value) => value is "true" or "false" || value.All(char.IsAsciiDigit) || value[0] is '"' or '[';

    private static bool IsUnquotedText(string value) =>
        value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or ':' or '/' or '-' or '_' or '*' or '#' or '+' or '%' or '$' or ' ')
            && value.Any(c => !char.IsAsciiDigit(c) && c is not ('_' or ' ' or '-'));
}
