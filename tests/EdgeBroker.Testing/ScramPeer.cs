using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Testing;

/// <summary>A client's side of SCRAM-SHA-256, written down a second time from RFC 5802, plainly and for ASCII.</summary>
public sealed class ScramPeer(string user, string password, string nonce = "fyko+d2lbbFgONRv9qkxdawL")
{
    /// <summary>What stands in front of the first message.</summary>
    public string Header { get; init; } = "n,,";

    /// <summary>The first message.</summary>
    public byte[] First => Encoding.UTF8.GetBytes(Header + Bare);

    /// <summary>What the server must say at the end; after <see cref="Answer"/>.</summary>
    public byte[] Last { get; private set; } = [];

    private string Bare => $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={nonce}";

    /// <summary>Answers the server's question.</summary>
    public byte[] Answer(byte[] question)
    {
        string serverFirst = Encoding.UTF8.GetString(question);
        string[] parts = serverFirst.Split(',');
        byte[] salt = Convert.FromBase64String(parts[1][2..]);
        int iterations = int.Parse(parts[2][2..], System.Globalization.CultureInfo.InvariantCulture);
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, 32);
        string withoutProof = $"c={Convert.ToBase64String(Encoding.UTF8.GetBytes(Header))},{parts[0]}";
        byte[] message = Encoding.UTF8.GetBytes($"{Bare},{serverFirst},{withoutProof}");
        byte[] clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        byte[] signature = HMACSHA256.HashData(SHA256.HashData(clientKey), message);
        byte[] proof = [.. clientKey.Zip(signature, (a, b) => (byte)(a ^ b))];
        Last = Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message)));
        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }
}
