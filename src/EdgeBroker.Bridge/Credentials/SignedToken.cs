using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EdgeBroker.Bridge.Credentials;

/// <summary>JSON Web Tokens made from a private key of ours: RS256 or ES256, by the key.</summary>
internal static class SignedToken
{
    /// <summary>Makes a token.</summary>
    /// <param name="privateKey">The key, PEM.</param>
    /// <param name="audience">Whom it is for; null: not said.</param>
    /// <param name="subject">Who it speaks of; null: not said.</param>
    /// <param name="issued">The time.</param>
    /// <param name="lifetime">How long it is good.</param>
    /// <exception cref="CryptographicException">The key is none, or of another kind.</exception>
    public static string Create(string privateKey, string? audience, string? subject, DateTimeOffset issued, TimeSpan lifetime)
    {
        using ECDsa? curve = TryRead(ECDsa.Create, privateKey);
        using RSA? rsa = curve is null ? TryRead(RSA.Create, privateKey) : null;
        if (curve is null && rsa is null) throw new CryptographicException("The key is neither an RSA nor an elliptic curve key in PEM.");
        if (curve is { KeySize: not 256 }) throw new CryptographicException("The key is not of the curve P-256, which ES256 takes.");
        string head = Encode(json => json.WriteString("alg", curve is null ? "RS256" : "ES256"), json => json.WriteString("typ", "JWT"));
        string body = Encode(
            json => json.WriteNumber("iat", issued.ToUnixTimeSeconds()),
            json => json.WriteNumber("exp", (issued + lifetime).ToUnixTimeSeconds()),
            json =>
            {
                if (audience is not null) json.WriteString("aud", audience);
            },
            json =>
            {
                if (subject is not null) json.WriteString("sub", subject);
            });
        byte[] signed = Encoding.ASCII.GetBytes(head + "." + body);
        byte[] signature = curve?.SignData(signed, HashAlgorithmName.SHA256) ?? rsa!.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return head + "." + body + "." + Base64Url.EncodeToString(signature);
    }

    private static T? TryRead<T>(Func<T> create, string pem)
        where T : AsymmetricAlgorithm
    {
        T key = create();
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            return null;
        }
    }

    private static string Encode(params Action<Utf8JsonWriter>[] members)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            foreach (Action<Utf8JsonWriter> member in members) member(json);
            json.WriteEndObject();
        }

        return Base64Url.EncodeToString(output.WrittenSpan);
    }
}
