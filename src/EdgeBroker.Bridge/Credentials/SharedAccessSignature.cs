using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Bridge.Credentials;

/// <summary>Azure's tokens: made here from the device's key, so that none has to be renewed by hand.</summary>
internal static class SharedAccessSignature
{
    /// <summary>Makes a token.</summary>
    /// <param name="resource">What it is for: <c>HUB.azure-devices.net/devices/DEVICE</c>.</param>
    /// <param name="key">The key, decoded.</param>
    /// <param name="expires">Until when it is good.</param>
    public static string Create(string resource, byte[] key, DateTimeOffset expires)
    {
        string encoded = Uri.EscapeDataString(resource);
        string seconds = expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signature = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(encoded + "\n" + seconds));
        return $"SharedAccessSignature sr={encoded}&sig={Uri.EscapeDataString(Convert.ToBase64String(signature))}&se={seconds}";
    }
}
