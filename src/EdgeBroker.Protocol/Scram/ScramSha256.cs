using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Protocol.Scram;

/// <summary>What both sides of SCRAM-SHA-256 (RFC 5802, RFC 7677) compute, and the bounds they keep. Pure but for <see cref="NewNonce"/>.</summary>
public static class ScramSha256
{
    /// <summary>The name of the method.</summary>
    public const string Name = "SCRAM-SHA-256";

    /// <summary>Bytes of a key, a proof or a signature.</summary>
    public const int KeyBytes = 32;

    /// <summary>Fewest iterations of a password's hash (RFC 7677, 4).</summary>
    public const int MinIterations = 4096;

    /// <summary>Most iterations: some seconds on a small machine. Whoever asks for more wants the time, not the password.</summary>
    public const int MaxIterations = 5_000_000;

    /// <summary>Bytes of a salt, at least and at most.</summary>
    public const int MinSaltBytes = 8, MaxSaltBytes = 64;

    /// <summary>Longest message looked at, in bytes: a user name of 256 characters, however written, and two nonces fit.</summary>
    public const int MaxMessageBytes = 4096;

    /// <summary>Longest nonce of one side, in characters.</summary>
    public const int MaxNonceLength = 256;

    /// <summary>144 random bits as text without a comma.</summary>
    public static string NewNonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));

    /// <summary>SaltedPassword: the one step that is meant to take time.</summary>
    /// <param name="password">The prepared password, UTF-8.</param>
    /// <param name="salt">The salt.</param>
    /// <param name="iterations">How often.</param>
    public static byte[] SaltPassword(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, KeyBytes);

    /// <summary>ClientKey.</summary>
    public static byte[] ClientKey(ReadOnlySpan<byte> saltedPassword) => HMACSHA256.HashData(saltedPassword, "Client Key"u8);

    /// <summary>ServerKey.</summary>
    public static byte[] ServerKey(ReadOnlySpan<byte> saltedPassword) => HMACSHA256.HashData(saltedPassword, "Server Key"u8);

    /// <summary>StoredKey.</summary>
    public static byte[] StoredKey(ReadOnlySpan<byte> clientKey) => SHA256.HashData(clientKey);

    /// <summary>ClientSignature under a StoredKey, ServerSignature under a ServerKey.</summary>
    public static byte[] Sign(ReadOnlySpan<byte> key, string authMessage) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(authMessage));

    /// <summary>ClientProof.</summary>
    public static byte[] Prove(ReadOnlySpan<byte> clientKey, string authMessage)
    {
        byte[] proof = Sign(StoredKey(clientKey), authMessage);
        for (int i = 0; i < KeyBytes; i++) proof[i] ^= clientKey[i];
        return proof;
    }

    /// <summary>Whether a proof was made by someone who knows the password; takes one time for all proofs.</summary>
    public static bool IsProof(ReadOnlySpan<byte> storedKey, string authMessage, ReadOnlySpan<byte> proof)
    {
        byte[] clientKey = Sign(storedKey, authMessage);
        for (int i = 0; i < KeyBytes; i++) clientKey[i] ^= proof[i];
        bool isRight = CryptographicOperations.FixedTimeEquals(StoredKey(clientKey), storedKey);
        CryptographicOperations.ZeroMemory(clientKey);
        return isRight;
    }
}
