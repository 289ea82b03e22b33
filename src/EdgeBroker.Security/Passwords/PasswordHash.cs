using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace EdgeBroker.Security.Passwords;

/// <summary>A stored password: what a line of the password file holds behind the user's name. Immutable.</summary>
public abstract class PasswordHash
{
    /// <summary>Longest password that is looked at, in bytes; a longer one is wrong.</summary>
    public const int MaxPasswordBytes = 1024;

    /// <summary>Bytes of memory that verifying a password takes: bcrypt's tables; the other kinds take less.</summary>
    public const int VerifyBytes = 8 * 1024;

    private protected PasswordHash(string text) => Text = text;

    /// <summary>The hash as it stands in the file.</summary>
    public string Text { get; }

    /// <summary>Whether this is the password. Takes the time its making took: never on a thread that others wait for.</summary>
    public abstract bool Verify(ReadOnlySpan<byte> password);

    /// <summary>Hashes a new password with bcrypt.</summary>
    /// <param name="password">At most 72 bytes: bcrypt looks at no more.</param>
    /// <param name="cost">The logarithm of the work, 4 to 15.</param>
    public static PasswordHash Bcrypt(string password, int cost) => BcryptHash.Make(password, cost);

    /// <summary>Makes SCRAM-SHA-256 credentials of a new password, 4,096 to 5,000,000 iterations.</summary>
    /// <param name="password">One that <see cref="Protocol.Scram.SaslPrep"/> takes.</param>
    /// <param name="iterations">The work, for whoever guesses and for every client.</param>
    /// <exception cref="ArgumentException">The password is not one it takes.</exception>
    public static PasswordHash Scram(string password, int iterations) => ScramHash.Make(password, iterations);

    /// <summary>Reads a stored hash.</summary>
    /// <param name="text">What stands behind the colon.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="problem">What is wrong and what to do; never holds the text, which may be a password in clear.</param>
    public static bool TryParse(string text, out PasswordHash hash, out string problem)
    {
        PasswordHash? parsed;
        if (text.StartsWith("$2", StringComparison.Ordinal)) parsed = BcryptHash.Parse(text, out problem);
        else if (text.StartsWith("$7$", StringComparison.Ordinal)) parsed = Pbkdf2Hash.Parse(text, out problem);
        else if (text.StartsWith("$6$", StringComparison.Ordinal)) parsed = SaltedSha512Hash.Parse(text, out problem);
        else if (text.StartsWith(ScramHash.Prefix, StringComparison.Ordinal)) parsed = ScramHash.Parse(text, out problem);
        else (parsed, problem) = (null, Unknown(text));
        hash = parsed!;
        return parsed is not null;
    }

    /// <summary>Reads a number of digits only; the runtime's own reader lets zero characters follow.</summary>
    private protected static bool TryReadNumber(ReadOnlySpan<char> text, out int value)
    {
        value = 0;
        return !text.ContainsAnyExceptInRange('0', '9') && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Decodes base64, with or without padding; null when it is none or of another length.</summary>
    private protected static byte[]? Decode(ReadOnlySpan<char> base64, int minBytes, int maxBytes)
    {
        if (base64.Length > 4 * ((maxBytes + 2) / 3)) return null;
        Span<byte> text = stackalloc byte[base64.Length + 4];
        if (!Encoding.ASCII.TryGetBytes(base64, text, out int length) || text[..length].IndexOfAny(" \t\r\n"u8) >= 0) return null;
        while (length % 4 != 0) text[length++] = (byte)'=';
        Span<byte> bytes = stackalloc byte[length];
        if (Base64.DecodeFromUtf8(text[..length], bytes, out _, out int written) != System.Buffers.OperationStatus.Done) return null;
        return written >= minBytes && written <= maxBytes ? bytes[..written].ToArray() : null;
    }

    private static string Unknown(string text)
    {
        const string cure = "make the line with `edgebroker passwd add`";
        if (text.Length == 0) return $"no password hash behind the colon; {cure}";
        if (text[0] != '$' && !text.StartsWith("SCRAM-", StringComparison.Ordinal)) return $"not a password hash (a password in clear?); {cure}";
        if (text.StartsWith("$argon2", StringComparison.Ordinal))
        {
            return $"Argon2 is not supported: each login would take the memory that the hash names, before the password is known to be right; {cure}";
        }

        return $"a hash of an unknown kind; expected bcrypt ($2b$), SCRAM-SHA-256$ or mosquitto's $7$ or $6$: {cure}";
    }
}
