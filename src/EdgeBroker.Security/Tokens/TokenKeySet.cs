using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace EdgeBroker.Security.Tokens;

/// <summary>The keys in force at one time; immutable.</summary>
public sealed class TokenKeySet
{
    /// <summary>Largest key set read, in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int MaxKeys = 100;

    private TokenKeySet(TokenKey[] keys, string fingerprint)
    {
        Keys = keys;
        Fingerprint = fingerprint;
    }

    /// <summary>The keys.</summary>
    public IReadOnlyList<TokenKey> Keys { get; }

    /// <summary>Differs where the keys differ: what was verified by other keys counts no more.</summary>
    public string Fingerprint { get; }

    /// <summary>A set of one.</summary>
    public static TokenKeySet Of(TokenKey key) => new([key], key.Thumbprint);

    /// <summary>Reads a JSON Web Key Set (RFC 7517). Keys for other purposes, and of kinds not used here, are passed over.</summary>
    /// <param name="json">The text.</param>
    /// <param name="allowSecrets">Whether shared secrets may stand in it: in a file yes, in what a server shows to everyone no.</param>
    /// <param name="problem">What is wrong.</param>
    /// <returns>Null when there is not one key to be used.</returns>
    public static TokenKeySet? Parse(ReadOnlySpan<byte> json, bool allowSecrets, out string problem)
    {
        JsonWebKeySet parsed;
        try
        {
            parsed = JsonWebKeySet.Create(Encoding.UTF8.GetString(json));
        }
        catch (Exception e) when (e is ArgumentException or System.Text.Json.JsonException or FormatException or InvalidOperationException)
        {
            problem = "is not a JSON Web Key Set; expected {\"keys\": [...]}";
            return null;
        }

        var keys = new List<TokenKey>();
        problem = "holds no key; expected {\"keys\": [...]} with at least one of kind RSA, EC or oct";
        foreach (JsonWebKey key in parsed.Keys.Take(MaxKeys))
        {
            if (key.Use is { Length: > 0 } and not "sig") continue;
            if (Convert(key, allowSecrets, out string reason) is { } made) keys.Add(made);
            else if (keys.Count == 0) problem = $"holds no key that can be used; key \"{key.Kid}\": {reason}";
        }

        if (keys.Count == 0) return null;
        problem = "";
        return new TokenKeySet([.. keys], System.Convert.ToHexString(SHA256.HashData(json)));
    }

    private static TokenKey? Convert(JsonWebKey key, bool allowSecrets, out string problem)
    {
        string? id = string.IsNullOrEmpty(key.Kid) ? null : key.Kid;
        string? algorithm = string.IsNullOrEmpty(key.Alg) ? null : key.Alg;
        problem = "its numbers cannot be read";
        try
        {
            switch (key.Kty)
            {
                case "RSA":
                    return TokenKey.FromRsa(RSA.Create(new RSAParameters { Modulus = Decode(key.N), Exponent = Decode(key.E) }), id, algorithm, out problem);
                case "EC":
                    return Curve(key.Crv) is { } curve
                        ? TokenKey.FromEcdsa(
                            ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = Decode(key.X), Y = Decode(key.Y) } }), id, algorithm,
                            out problem)
                        : null;
                case "oct" when allowSecrets:
                    return TokenKey.FromSecret(Decode(key.K), id, algorithm, out problem);
                case "oct":
                    problem = "a shared secret, which a server must not show";
                    return null;
                default:
                    problem = "its kind is not RSA, EC or oct";
                    return null;
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FormatException)
        {
            return null;
        }
    }

    private static ECCurve? Curve(string? name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        "P-521" => ECCurve.NamedCurves.nistP521,
        _ => null,
    };

    private static byte[] Decode(string? text) => Base64UrlEncoder.DecodeBytes(text ?? "");
}
