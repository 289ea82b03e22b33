using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Bridge.Tests.Clouds;

/// <summary>A request signed in its query, judged as AWS does: from what came, not from how it was made.</summary>
internal static class SignedRequest
{
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(5);

    /// <summary>What is wrong with it; null: nothing.</summary>
    /// <param name="target">The target of a GET, with its query.</param>
    /// <param name="host">Its Host.</param>
    /// <param name="key">The access key, with the token of a temporary one.</param>
    /// <param name="region">Where this is.</param>
    /// <param name="service">What this is.</param>
    /// <param name="now">The time here.</param>
    /// <param name="payloadHash">Said of the payload; null: there is none.</param>
    public static string? FindFault(
        string target, string host, (string Id, string Secret, string? Token) key, string region, string service, DateTimeOffset now,
        string? payloadHash = null)
    {
        string[] parts = target.Split('?');
        if (parts.Length != 2) return "no query";
        var fields = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string field in parts[1].Split('&'))
        {
            string[] pair = field.Split('=');
            if (pair.Length != 2 || !fields.TryAdd(Uri.UnescapeDataString(pair[0]), Uri.UnescapeDataString(pair[1]))) return "field " + field;
        }

        if (!fields.Remove("X-Amz-Signature", out string? signature)) return "no signature";
        fields.Remove("X-Amz-Security-Token", out string? token);
        if (token != key.Token) return "another token";
        string[] names = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"];
        if (!names.SequenceEqual(fields.Keys)) return "other fields";
        string date = fields["X-Amz-Date"];
        if (fields["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256" || fields["X-Amz-SignedHeaders"] != "host") return "another way of signing";
        string scope = string.Join('/', date.AsSpan(0, 8).ToString(), region, service, "aws4_request");
        if (fields["X-Amz-Credential"] != key.Id + "/" + scope) return "another credential";
        DateTimeOffset made = DateTimeOffset.ParseExact(date, "yyyyMMddTHHmmssZ", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        if (made - now > MaxSkew) return "from the future";
        if (now - made > TimeSpan.FromSeconds(int.Parse(fields["X-Amz-Expires"], CultureInfo.InvariantCulture))) return "expired";
        string[] request =
        [
            "GET", parts[0], string.Join('&', fields.Select(one => Encode(one.Key) + "=" + Encode(one.Value))), "host:" + host, "", "host",
            payloadHash ?? Hash([]),
        ];
        string text = string.Join('\n', "AWS4-HMAC-SHA256", date, scope, Hash(Encoding.UTF8.GetBytes(string.Join('\n', request))));
        byte[] signing = Mac(Mac(Mac(Mac(Encoding.UTF8.GetBytes("AWS4" + key.Secret), date[..8]), region), service), "aws4_request");
        return Convert.ToHexStringLower(Mac(signing, text)) == signature ? null : "another signature";
    }

    private static byte[] Mac(byte[] key, string text)
    {
        using var mac = new HMACSHA256(key);
        return mac.ComputeHash(Encoding.UTF8.GetBytes(text));
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    // Byte by byte, as AWS describes it: letters, digits and -._~ stay.
    private static string Encode(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(one =>
        char.IsAsciiLetterOrDigit((char)one) || "-._~".Contains((char)one, StringComparison.Ordinal) ? ((char)one).ToString() : $"%{one:X2}"));
}
