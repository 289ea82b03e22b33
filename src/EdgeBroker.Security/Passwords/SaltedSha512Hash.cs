using System.Security.Cryptography;

namespace EdgeBroker.Security.Passwords;

/// <summary>
/// SHA-512 over password and salt, as older mosquitto_passwd wrote it: <c>$6$salt$hash</c>, base64. Read for migration only: whoever has the file can try a
/// billion passwords a second.
/// </summary>
internal sealed class SaltedSha512Hash : PasswordHash
{
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private SaltedSha512Hash(string text, byte[] salt, byte[] hash)
        : base(text)
    {
        _salt = salt;
        _hash = hash;
    }

    public static SaltedSha512Hash? Parse(string text, out string problem)
    {
        problem = "a $6$ hash that is cut off or changed; expected $6$salt$hash as mosquitto_passwd writes it";
        string[] parts = text.Split('$');
        if (parts.Length != 4 || Decode(parts[2], 8, 64) is not { } salt || Decode(parts[3], 64, 64) is not { } hash) return null;
        return new SaltedSha512Hash(text, salt, hash);
    }

    public override bool Verify(ReadOnlySpan<byte> password)
    {
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        digest.AppendData(password);
        digest.AppendData(_salt);
        return CryptographicOperations.FixedTimeEquals(digest.GetHashAndReset(), _hash);
    }
}
