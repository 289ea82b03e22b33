using System.Security.Cryptography;

namespace EdgeBroker.Security.Passwords;

/// <summary>PBKDF2 over SHA-512 as mosquitto_passwd writes it: <c>$7$iterations$salt$hash</c>, base64.</summary>
internal sealed class Pbkdf2Hash : PasswordHash
{
    private const int MaxIterations = 5_000_000;

    private readonly int _iterations;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private Pbkdf2Hash(string text, int iterations, byte[] salt, byte[] hash)
        : base(text)
    {
        _iterations = iterations;
        _salt = salt;
        _hash = hash;
    }

    public static Pbkdf2Hash? Parse(string text, out string problem)
    {
        problem = "a $7$ hash that is cut off or changed; expected $7$iterations$salt$hash as mosquitto_passwd writes it";
        string[] parts = text.Split('$');
        if (parts.Length != 5 || !TryReadNumber(parts[2], out int iterations)) return null;
        if (Decode(parts[3], 8, 64) is not { } salt || Decode(parts[4], 64, 64) is not { } hash) return null;
        problem = $"a $7$ hash of {iterations} iterations; expected 1 to {MaxIterations}";
        return iterations is >= 1 and <= MaxIterations ? new Pbkdf2Hash(text, iterations, salt, hash) : null;
    }

    public override bool Verify(ReadOnlySpan<byte> password)
    {
        Span<byte> hash = stackalloc byte[64];
        Rfc2898DeriveBytes.Pbkdf2(password, _salt, hash, _iterations, HashAlgorithmName.SHA512);
        // HMAC fills its key up with zeros, so a password with zeros behind it would be equal to itself without.
        return CryptographicOperations.FixedTimeEquals(hash, _hash) & !password.Contains((byte)0);
    }
}
