using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace EdgeBroker.Security.Tokens;

/// <summary>
/// A key that tokens are signed with, and the algorithms it is for. What a token says its algorithm is never decides how a key is used: a public key is no
/// secret, whoever says HS256.
/// </summary>
public sealed class TokenKey
{
    /// <summary>The least a shared secret holds, in bytes: as many as the shortest digest.</summary>
    public const int MinSecretBytes = 32;

    private const int MinRsaBits = 2048;

    private readonly string[] _algorithms;

    private TokenKey(SecurityKey key, string? id, params string[] algorithms)
    {
        Key = key;
        Id = id;
        _algorithms = algorithms;
    }

    /// <summary>Its <c>kid</c>, or null.</summary>
    public string? Id { get; }

    /// <summary>What it is, for people: <c>RS256, RS384, RS512</c>.</summary>
    public string Algorithms => string.Join(", ", _algorithms);

    /// <summary>The same for the same key, wherever it was read from: a digest.</summary>
    internal string Thumbprint => field ??= Convert.ToHexString(SHA256.HashData(Key switch
    {
        SymmetricSecurityKey secret => secret.Key,
        RsaSecurityKey rsa => rsa.Rsa.ExportSubjectPublicKeyInfo(),
        ECDsaSecurityKey ecdsa => ecdsa.ECDsa.ExportSubjectPublicKeyInfo(),
        _ => throw new InvalidOperationException("a key of a kind that is not made here"),
    }));

    internal SecurityKey Key { get; }

    /// <summary>Reads a key file: PEM (a public key or a certificate), or else a secret, of which a line's end is not a part.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="problem">What is wrong with it; never holds a secret.</param>
    public static TokenKey? FromFile(ReadOnlySpan<byte> bytes, out string problem)
    {
        ReadOnlySpan<byte> trimmed = bytes.TrimEnd("\r\n"u8);
        if (trimmed.IndexOf("-----BEGIN "u8) >= 0) return FromPem(Encoding.UTF8.GetString(bytes), out problem);
        problem = $"a shared secret of {trimmed.Length} bytes; expected at least {MinSecretBytes}, or a public key as PEM";
        return trimmed.Length < MinSecretBytes ? null : FromSecret(trimmed.ToArray(), null, null, out problem);
    }

    /// <summary>A shared secret, for HS256 and, where it is long enough, HS384 and HS512.</summary>
    internal static TokenKey? FromSecret(byte[] secret, string? id, string? algorithm, out string problem)
    {
        string[] algorithms = secret.Length switch
        {
            >= 64 => [SecurityAlgorithms.HmacSha256, SecurityAlgorithms.HmacSha384, SecurityAlgorithms.HmacSha512],
            >= 48 => [SecurityAlgorithms.HmacSha256, SecurityAlgorithms.HmacSha384],
            >= MinSecretBytes => [SecurityAlgorithms.HmacSha256],
            _ => [],
        };
        problem = $"a shared secret of {secret.Length} bytes; expected at least {MinSecretBytes}";
        return Make(new SymmetricSecurityKey(secret), id, algorithm, algorithms, ref problem);
    }

    internal static TokenKey? FromRsa(RSA rsa, string? id, string? algorithm, out string problem)
    {
        problem = $"an RSA key of {rsa.KeySize} bits; expected at least {MinRsaBits}";
        if (rsa.KeySize < MinRsaBits) return null;
        return Make(
            new RsaSecurityKey(rsa), id, algorithm, [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512], ref problem);
    }

    internal static TokenKey? FromEcdsa(ECDsa ecdsa, string? id, string? algorithm, out string problem)
    {
        problem = $"an EC key of {ecdsa.KeySize} bits; expected the curve P-256, P-384 or P-521";
        string[] algorithms = ecdsa.KeySize switch
        {
            256 => [SecurityAlgorithms.EcdsaSha256],
            384 => [SecurityAlgorithms.EcdsaSha384],
            521 => [SecurityAlgorithms.EcdsaSha512],
            _ => [],
        };
        return Make(new ECDsaSecurityKey(ecdsa), id, algorithm, algorithms, ref problem);
    }

    /// <summary>Whether a token that names this algorithm and key may be checked with it.</summary>
    internal bool Suits(string algorithm, string? keyId) =>
        Array.IndexOf(_algorithms, algorithm) >= 0 && (Id is null || string.IsNullOrEmpty(keyId) || Id == keyId);

    private static TokenKey? Make(SecurityKey key, string? id, string? algorithm, string[] algorithms, ref string problem)
    {
        if (algorithms.Length == 0) return null;
        if (algorithm is not null)
        {
            problem = $"its \"alg\" does not fit its kind; expected one of {string.Join(", ", algorithms)}";
            if (Array.IndexOf(algorithms, algorithm) < 0) return null;
            algorithms = [algorithm];
        }

        key.KeyId = id;
        // The library would keep one signature provider for each key in a cache of the process; ours live as long as the key.
        key.CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false };
        problem = "";
        return new TokenKey(key, id, algorithms);
    }

    private static TokenKey? FromPem(string pem, out string problem)
    {
        if (pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            problem = "holds a private key, which belongs where tokens are made; put the public key here";
            return null;
        }

        try
        {
            using X509Certificate2? certificate = pem.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal)
                ? X509Certificate2.CreateFromPem(pem)
                : null;
            if ((certificate is null ? ImportRsa(pem) : certificate.GetRSAPublicKey()) is { } rsa) return FromRsa(rsa, null, null, out problem);
            if ((certificate is null ? ImportEcdsa(pem) : certificate.GetECDsaPublicKey()) is { } ecdsa) return FromEcdsa(ecdsa, null, null, out problem);
            problem = "the PEM holds neither an RSA nor an EC public key";
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            problem = "the PEM cannot be read; expected one RSA or EC public key, or one certificate";
        }

        return null;
    }

    private static RSA? ImportRsa(string pem) => TryImport(RSA.Create(), pem);

    private static ECDsa? ImportEcdsa(string pem) => TryImport(ECDsa.Create(), pem);

    private static T? TryImport<T>(T key, string pem)
        where T : AsymmetricAlgorithm
    {
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }
}
