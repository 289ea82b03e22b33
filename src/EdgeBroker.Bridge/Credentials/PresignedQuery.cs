using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Bridge.Credentials;

/// <summary>An access key of AWS.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Secret">Its secret.</param>
/// <param name="SessionToken">Of a temporary key: what belongs to it; null: it is none.</param>
internal readonly record struct AwsKey(string Id, string Secret, string? SessionToken);

/// <summary>
/// Requests to AWS signed by their query (Signature Version 4), as they open a WebSocket to AWS IoT Core: so a gateway gets in by an access key, without a
/// certificate.
/// </summary>
internal static class PresignedQuery
{
    /// <summary>The hash of no payload, as a GET has it.</summary>
    public const string NoPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Makes the query of a GET.</summary>
    /// <param name="key">The access key.</param>
    /// <param name="host">The host, as the request names it.</param>
    /// <param name="path">The path, of letters that need no encoding.</param>
    /// <param name="region">The region, as <c>eu-west-1</c>.</param>
    /// <param name="service">The service, as <c>iotdevicegateway</c>.</param>
    /// <param name="now">The time, to the second.</param>
    /// <param name="lifetime">How long the request may be made.</param>
    /// <param name="payloadHash">The SHA-256 of the payload, hexadecimal.</param>
    public static string Create(
        in AwsKey key, string host, string path, string region, string service, DateTimeOffset now, TimeSpan lifetime, string payloadHash = NoPayload)
    {
        string time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        string scope = $"{time[..8]}/{region}/{service}/aws4_request";
        // In the order of their names.
        string query = $"X-Amz-Algorithm={Algorithm}&X-Amz-Credential={Uri.EscapeDataString($"{key.Id}/{scope}")}&X-Amz-Date={time}"
            + $"&X-Amz-Expires={lifetime.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)}&X-Amz-SignedHeaders=host";
        string request = $"GET\n{path}\n{query}\nhost:{host}\n\nhost\n{payloadHash}";
        string signed = $"{Algorithm}\n{time}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(request)))}";
        byte[] signing = Encoding.UTF8.GetBytes("AWS4" + key.Secret);
        foreach (string part in scope.Split('/')) signing = HMACSHA256.HashData(signing, Encoding.UTF8.GetBytes(part));
        query += "&X-Amz-Signature=" + Hex(HMACSHA256.HashData(signing, Encoding.UTF8.GetBytes(signed)));
        // Of a WebSocket to AWS IoT Core the token is not signed.
        return key.SessionToken is { } token ? query + "&X-Amz-Security-Token=" + Uri.EscapeDataString(token) : query;
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
