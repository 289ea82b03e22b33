using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Protocol.Scram;

/// <summary>What a server keeps of a password. Whoever has it cannot log in with it, but can play the server. Immutable.</summary>
/// <param name="Iterations">How often the password was hashed.</param>
/// <param name="Salt">The salt, 8 to 64 bytes.</param>
/// <param name="StoredKey">32 bytes, by which a client is known.</param>
/// <param name="ServerKey">32 bytes, by which a client knows the server.</param>
public sealed record ScramCredentials(int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey)
{
    /// <summary>Makes them from a password. Takes the time of its iterations.</summary>
    /// <param name="preparedPassword">What <see cref="SaslPrep.TryPrepare"/> made of the password.</param>
    /// <param name="salt">The salt.</param>
    /// <param name="iterations">How often to hash.</param>
    public static ScramCredentials Make(string preparedPassword, byte[] salt, int iterations)
    {
        byte[] password = Encoding.UTF8.GetBytes(preparedPassword);
        byte[] salted = ScramSha256.SaltPassword(password, salt, iterations);
        byte[] clientKey = ScramSha256.ClientKey(salted);
        var credentials = new ScramCredentials(iterations, salt, ScramSha256.StoredKey(clientKey), ScramSha256.ServerKey(salted));
        CryptographicOperations.ZeroMemory(password);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(clientKey);
        return credentials;
    }

    /// <summary>Whether this is the password they were made from. Takes the time of their iterations.</summary>
    public bool Match(string preparedPassword) => CryptographicOperations.FixedTimeEquals(Make(preparedPassword, Salt, Iterations).StoredKey, StoredKey);
}
