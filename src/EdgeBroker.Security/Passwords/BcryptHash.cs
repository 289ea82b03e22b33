using System.Text;

namespace EdgeBroker.Security.Passwords;

/// <summary>bcrypt: <c>$2b$10$</c>, 22 characters of salt, 31 of hash.</summary>
internal sealed class BcryptHash : PasswordHash
{
    /// <summary>bcrypt ignores what lies beyond; a password that is longer would be equal to its beginning.</summary>
    public const int MaxBytes = 72;

    private const int MinCost = 4;
    private const int MaxCost = 15;
    private const int Length = 60;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private BcryptHash(string text)
        : base(text)
    {
    }

    public static BcryptHash Make(string password, int cost)
    {
        if (Encoding.UTF8.GetByteCount(password) > MaxBytes) throw new ArgumentException($"bcrypt takes at most {MaxBytes} bytes", nameof(password));
        return new BcryptHash(BCrypt.Net.BCrypt.HashPassword(password, cost));
    }

    public static BcryptHash? Parse(string text, out string problem)
    {
        problem = "a bcrypt hash that is cut off or changed; expected $2b$, the cost, and 53 letters, digits, \".\" or \"/\"";
        if (text.Length != Length || text[2] is not ('a' or 'b' or 'y') || text[3] != '$' || text[6] != '$') return null;
        foreach (char c in text.AsSpan(7))
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '/')) return null;
        }

        if (!char.IsAsciiDigit(text[4]) || !char.IsAsciiDigit(text[5])) return null;
        int cost = ((text[4] - '0') * 10) + (text[5] - '0');
        problem = $"a bcrypt hash of cost {cost}; expected {MinCost} to {MaxCost}";
        return cost is >= MinCost and <= MaxCost ? new BcryptHash(text) : null;
    }

    public override bool Verify(ReadOnlySpan<byte> password)
    {
        // The work is done for a wrong length too: how long the answer takes says nothing.
        bool isPlausible = password.Length <= MaxBytes && !password.Contains((byte)0) && System.Text.Unicode.Utf8.IsValid(password);
        return BCrypt.Net.BCrypt.Verify(isPlausible ? Strict.GetString(password) : "", Text) & isPlausible;
    }
}
