using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Bridge.Credentials;
using EdgeBroker.Bridge.Presets;
using EdgeBroker.Client;

namespace EdgeBroker.Bridge.Planning;

/// <summary>User name and password of a bridge, found anew before each attempt to connect: files may have changed, tokens are made.</summary>
/// <param name="settings">As written.</param>
/// <param name="preset">The kind of the other side.</param>
/// <param name="addresses">Where it is.</param>
/// <param name="time">The clock.</param>
internal sealed class BridgeCredentials(BridgeSettings settings, BridgePreset preset, List<BridgeAddress> addresses, TimeProvider time)
{
    /// <summary>Finds them.</summary>
    public ValueTask<ClientCredentials> FindAsync(CancellationToken cancellationToken)
    {
        try
        {
            return ValueTask.FromResult(new ClientCredentials(Fill(settings.UserName ?? preset.UserName), FindPassword()));
        }
        catch (Exception e) when (e is CryptographicException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new MqttException($"There is nothing to log in with: {e.Message}", null, e) { Layer = FailureLayer.Authentication };
        }
    }

    private byte[]? FindPassword()
    {
        if (settings.DeviceKey?.Invoke() is { } deviceKey)
        {
            byte[] key = Convert.FromBase64String(Encoding.ASCII.GetString(deviceKey).Trim());
            string token = SharedAccessSignature.Create(Fill(preset.TokenResource)!, key, time.GetUtcNow() + settings.TokenLifetime);
            return Encoding.ASCII.GetBytes(token);
        }

        if (settings.TokenKey?.Invoke() is { } privateKey)
        {
            string token = SignedToken.Create(
                Encoding.UTF8.GetString(privateKey), settings.TokenAudience, settings.ClientId, time.GetUtcNow(), settings.TokenLifetime);
            return Encoding.ASCII.GetBytes(token);
        }

        return settings.Password?.Invoke();
    }

    private string? Fill(string? text) => text?.Replace("{host}", addresses[0].Host, StringComparison.Ordinal)
        .Replace("{client}", settings.ClientId, StringComparison.Ordinal);
}
