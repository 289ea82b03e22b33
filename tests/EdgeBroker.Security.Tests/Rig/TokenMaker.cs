using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EdgeBroker.Security.Tests.Rig;

/// <summary>Makes tokens by hand: nothing here is of the library that checks them.</summary>
internal static class TokenMaker
{
    /// <summary>A token of these texts, signed by <paramref name="sign"/>.</summary>
    public static byte[] Make(string header, string payload, Func<byte[], byte[]> sign)
    {
        string signed = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        return Encoding.ASCII.GetBytes(signed + "." + Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed))));
    }

    /// <summary>A token of claims, with a header that names the algorithm and perhaps the key.</summary>
    public static byte[] Make(string algorithm, object claims, Func<byte[], byte[]> sign, string? kid = null) =>
        Make(
            kid is null ? $$"""{"alg":"{{algorithm}}","typ":"JWT"}""" : $$"""{"alg":"{{algorithm}}","kid":"{{kid}}"}""", JsonSerializer.Serialize(claims),
            sign);

    public static Func<byte[], byte[]> Hmac(byte[] secret, string algorithm = "HS256") => bytes => algorithm switch
    {
        "HS256" => HMACSHA256.HashData(secret, bytes),
        "HS384" => HMACSHA384.HashData(secret, bytes),
        _ => HMACSHA512.HashData(secret, bytes),
    };

    public static Func<byte[], byte[]> Rsa(RSA key, HashAlgorithmName hash) => bytes => key.SignData(bytes, hash, RSASignaturePadding.Pkcs1);

    public static Func<byte[], byte[]> Ecdsa(ECDsa key, HashAlgorithmName hash) => bytes => key.SignData(bytes, hash);
}
