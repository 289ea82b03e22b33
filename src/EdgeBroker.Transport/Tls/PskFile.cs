using System.Globalization;
using System.Text;

namespace EdgeBroker.Transport.Tls;

/// <summary>A client with a key that both sides know beforehand (RFC 4279).</summary>
/// <param name="Identity">What the client calls itself in its handshake.</param>
/// <param name="Key">The key, 16 to 64 bytes.</param>
/// <param name="UserName">The user it is, for <c>[[acl]]</c>.</param>
/// <param name="ClientId">Its client id; null: what it says itself, else the identity.</param>
/// <param name="Line">Its line in the file, from 1.</param>
public sealed record PskEntry(string Identity, byte[] Key, string UserName, string? ClientId, int Line)
{
    /// <summary>Whether both let the same client in as the same user.</summary>
    public bool IsSameAs(PskEntry other) =>
        Identity == other.Identity && UserName == other.UserName && ClientId == other.ClientId && Key.AsSpan().SequenceEqual(other.Key);
}

/// <summary>
/// The file of a <c>[listener.psk]</c>: a line <c>identity:key[:user[:client id]]</c> each, the key in hexadecimal; without a user the identity is the user.
/// Empty lines and lines that begin with <c>#</c> say nothing. mosquitto's psk_file is one. Immutable.
/// </summary>
public sealed class PskFile
{
    /// <summary>Shortest key, in bytes: shorter ones can be guessed.</summary>
    public const int MinKeyBytes = 16;

    /// <summary>Longest key, in bytes.</summary>
    public const int MaxKeyBytes = 64;

    private const int MaxNameBytes = 256;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly Dictionary<string, PskEntry> _byIdentity = new(StringComparer.Ordinal);
    private readonly List<PskEntry> _entries = [];

    private PskFile()
    {
    }

    /// <summary>The clients in the order of their lines.</summary>
    public IReadOnlyList<PskEntry> Entries => _entries;

    /// <summary>The client of an identity; null: nobody.</summary>
    public PskEntry? Find(string identity) => _byIdentity.GetValueOrDefault(identity);

    /// <summary>Why a text cannot be an identity, a user or a client id; null: it can.</summary>
    /// <param name="what">What it is to be, for the answer.</param>
    /// <param name="name">The text.</param>
    public static string? ProblemWithName(string what, string name)
    {
        if (name.Length == 0) return $"the {what} is empty";
        if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes) return $"the {what} is longer than {MaxNameBytes} bytes";
        if (name[0] == '#') return $"the {what} begins with \"#\", which begins a comment";
        if (name.Contains(':', StringComparison.Ordinal)) return $"the {what} holds a colon, which ends it";
        if (name.Any(char.IsControl)) return $"the {what} holds a control character";
        return char.IsWhiteSpace(name[0]) || char.IsWhiteSpace(name[^1]) ? $"the {what} begins or ends with a space" : null;
    }

    /// <summary>Why a text cannot be a key; null: it can. Never repeats the text.</summary>
    public static string? ProblemWithKey(string hex, out byte[] key)
    {
        key = [];
        if (hex.Length % 2 != 0 || !hex.All(char.IsAsciiHexDigit)) return "the key is not hexadecimal: an even number of digits 0-9 and a-f";
        key = Convert.FromHexString(hex);
        if (key.Length < MinKeyBytes) return $"the key has {key.Length} bytes and can be guessed; {MinKeyBytes} ({2 * MinKeyBytes} digits) at least";
        if (key.Length > MaxKeyBytes) return $"the key has {key.Length} bytes; {MaxKeyBytes} at most";
        return null;
    }

    /// <summary>Reads the bytes of a file.</summary>
    /// <param name="bytes">What the file holds.</param>
    /// <param name="problem">Is told of each line that cannot be used: its number, from 1, and what is wrong, without a secret.</param>
    /// <returns>The clients of all other lines.</returns>
    public static PskFile Parse(ReadOnlySpan<byte> bytes, Action<int, string> problem)
    {
        var file = new PskFile();
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        int number = 0;
        foreach (Range range in bytes.Split((byte)'\n'))
        {
            number++;
            ReadOnlySpan<byte> line = bytes[range].TrimEnd((byte)'\r');
            string text;
            try
            {
                text = Utf8.GetString(line);
            }
            catch (DecoderFallbackException)
            {
                problem(number, "is not UTF-8 text; save the file as UTF-8");
                continue;
            }

            if (text.AsSpan().Trim().IsEmpty || text[0] == '#') continue;
            if (file.Add(text, number) is { } wrong) problem(number, wrong);
        }

        return file;
    }

    /// <summary>Reads a file for a listener.</summary>
    /// <exception cref="CertificateFileException">It cannot be read, a line is wrong, or there is nobody in it.</exception>
    public static PskFile Load(string path)
    {
        var wrong = new List<string>();
        byte[] bytes;
        try
        {
            bytes = PemFile.ReadBytes(path);
        }
        catch (CertificateFileException exception) when (exception.InnerException is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CertificateFileException(path, "does not exist; make it with \"edgebroker psk add\"", exception);
        }

        PskFile file = Parse(bytes, (line, text) => wrong.Add(string.Create(CultureInfo.InvariantCulture, $"line {line}: {text}")));
        if (wrong.Count > 0) throw new CertificateFileException(path, wrong[0]);
        return file;
    }

    private string? Add(string line, int number)
    {
        string[] parts = line.TrimEnd().Split(':');
        if (parts.Length is < 2 or > 4) return "is no identity:key[:user[:client id]]";
        if (ProblemWithName("identity", parts[0]) is { } wrongIdentity) return wrongIdentity;
        if (ProblemWithKey(parts[1], out byte[] key) is { } wrongKey) return $"identity \"{parts[0]}\": {wrongKey}";
        string user = parts.Length > 2 && parts[2].Length > 0 ? parts[2] : parts[0];
        string? client = parts.Length > 3 && parts[3].Length > 0 ? parts[3] : null;
        if (ProblemWithName("user", user) is { } wrongUser) return $"identity \"{parts[0]}\": {wrongUser}";
        if (client is not null && ProblemWithName("client id", client) is { } wrongClient) return $"identity \"{parts[0]}\": {wrongClient}";
        var entry = new PskEntry(parts[0], key, user, client, number);
        if (!_byIdentity.TryAdd(entry.Identity, entry))
        {
            return $"identity \"{entry.Identity}\" stands in line {_byIdentity[entry.Identity].Line} already; remove one of the two";
        }

        _entries.Add(entry);
        return null;
    }
}
