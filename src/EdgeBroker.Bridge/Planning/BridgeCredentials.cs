using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Bridge.Credentials;
using EdgeBroker.Bridge.Presets;
using EdgeBroker.Client;

namespace EdgeBroker.Bridge.Planning;

/// <summary>
/// User name and password of a bridge, or the signature of its request, found anew before each attempt to connect: files may have changed, tokens are made.
/// </summary>
/// <param name="settings">As written.</param>
/// <param name="preset">The kind of the other side.</param>
/// <param name="addresses">Where it is.</param>
/// <param name="time">The clock.</param>
internal sealed class BridgeCredentials(BridgeSettings settings, BridgePreset preset, List<BridgeAddress> addresses, TimeProvider time)
{
    // How long a signed request may be made: as long as a clock may be slow.
    private static readonly TimeSpan SignatureLifetime = TimeSpan.FromMinutes(15);

    /// <summary>Finds them.</summary>
    public ValueTask<ClientCredentials> FindAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(Find(() => new ClientCredentials(Fill(settings.UserName ?? preset.UserName), FindPassword())));

    /// <summary>The query that a WebSocket is asked for with; null: there is nothing to sign with.</summary>
    /// <param name="address">Where it is asked for.</param>
    public Func<string>? QueryFor(BridgeAddress address)
    {
        if (settings.AwsKeyId is null || settings.AwsSecretKey is null || RegionOf(settings, address) is not { } region) return null;
        return () => Find(() => PresignedQuery.Create(
            new AwsKey(Text(settings.AwsKeyId)!, Text(settings.AwsSecretKey)!, Text(settings.AwsSessionToken)), address.Authority, address.Path, region,
            preset.SigningService!, time.GetUtcNow(), SignatureLifetime));
    }

    /// <summary>The region that requests are signed for: <c>xxxx-ats.iot.REGION.amazonaws.com</c> names it; null: it is not known.</summary>
    public static string? RegionOf(BridgeSettings settings, BridgeAddress address)
    {
        if (settings.AwsRegion is { } region) return region;
        string[] labels = address.Host.Split('.');
        int service = Array.IndexOf(labels, "iot");
        return service >= 0 && service + 2 < labels.Length && labels[service + 2] == "amazonaws" ? labels[service + 1] : null;
    }

    private static string? Text(Func<byte[]?>? secret) => secret?.Invoke() is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private static T Find<T>(Func<T> find)
    {
        try
        {
            return find();
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
