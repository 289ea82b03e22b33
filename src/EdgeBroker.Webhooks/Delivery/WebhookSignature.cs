using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Webhooks.Delivery;

/// <summary>Signs requests as Standard Webhooks has it, whose libraries verify it.</summary>
public static class WebhookSignature
{
    private const string Prefix = "whsec_";

    /// <summary>Reads a secret: base 64 behind <c>whsec_</c>, of 24 to 64 bytes.</summary>
    public static bool TryReadSecret(string text, out byte[] key)
    {
        key = [];
        text = text.Trim();
        if (!text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        byte[] bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[Prefix.Length..], bytes, out int written) || written is < 24 or > 64) return false;
        key = bytes[..written];
        return true;
    }

    /// <summary>The header <c>webhook-signature</c>: one signature for each key.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="id">The header <c>webhook-id</c>.</param>
    /// <param name="unixSeconds">The header <c>webhook-timestamp</c>.</param>
    /// <param name="body">The body as it is sent.</param>
    public static string Sign(IReadOnlyList<byte[]> keys, string id, long unixSeconds, ReadOnlySpan<byte> body)
    {
        byte[] head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{unixSeconds}."));
        byte[] signed = [.. head, .. body];
        return string.Join(' ', keys.Select(key => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed))));
    }
}
