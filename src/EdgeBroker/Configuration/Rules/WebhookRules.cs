using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Webhooks;
using EdgeBroker.Webhooks.Delivery;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What the keys of <c>[[webhook]]</c> mean together, and whether the files they name can be used.</summary>
internal sealed class WebhookRules(SecretFiles files, ConfigurationErrors errors, List<string> warnings)
{
    /// <summary>The first table that takes OpenSSL; null: there is none.</summary>
    public static SourcePosition? UserOfOpenSsl(IReadOnlyList<WebhookDraft> drafts) =>
        drafts.FirstOrDefault(draft => draft.Secret is not null || draft.OldSecret is not null || draft.Ca is not null
            || draft.Url?.Value.StartsWith("https:", StringComparison.OrdinalIgnoreCase) == true)?.Table.Position;

    public IReadOnlyList<WebhookOptions> Apply(IReadOnlyList<WebhookDraft> drafts)
    {
        var webhooks = new List<WebhookOptions>(drafts.Count);
        foreach (WebhookDraft draft in drafts)
        {
            if (Read(draft) is not { } webhook) continue;
            if (webhooks.Exists(other => other.Name == webhook.Name))
            {
                errors.Add(
                    draft.Name?.Position ?? draft.Table.Position,
                    $"a [[webhook]] named {ValueText.Quote(webhook.Name)} stands further up already; give this one another \"name\"");
            }

            webhooks.Add(webhook);
        }

        if (drafts.Count > WebhookPart.Most) errors.Add(drafts[WebhookPart.Most].Table.Position, $"there may be {WebhookPart.Most} [[webhook]] at most");
        return webhooks;
    }

    private WebhookOptions? Read(WebhookDraft draft)
    {
        if (draft.Url is not { } written || ReadUrl(written) is not { } url) return null;
        byte[][] secrets = [.. new[] { ReadSecret(draft.Secret, "secret"), ReadSecret(draft.OldSecret, "old_secret") }.OfType<byte[]>()];
        List<KeyValuePair<string, string>> headers = files.ReadHeaders(draft.Headers ?? [], errors);
        if (url.Scheme == Uri.UriSchemeHttp && !IsLoopback(url)) WarnOfPlainText(written.Position, draft);
        return new WebhookOptions
        {
            Name = draft.Name?.Value ?? url.IdnHost.Trim('[', ']').Replace(':', '.'),
            Url = url,
            Events = [.. draft.Events.Select(name => WebhookEventTypes.TryFind(name, out WebhookEventType type) ? type : default).Distinct()],
            Topics = [.. draft.Topics.Select(Encoding.UTF8.GetBytes)],
            Format = draft.Format,
            Secrets = secrets,
            Headers = headers,
            Authorities = ReadAuthorities(draft.Ca),
            IncludePayload = draft.IncludePayload,
            MaxPayloadBytes = (int)draft.MaxPayload,
            Timeout = draft.Timeout,
            BatchEvents = draft.Batch.Events,
            BatchDelay = draft.Batch.Delay,
            QueueEvents = draft.Queue.Events,
            QueueBytes = draft.Queue.Bytes,
            MaxAge = draft.MaxAge,
        };
    }

    private Uri? ReadUrl(Located<string> written)
    {
        if (!Uri.TryCreate(written.Value, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
        {
            errors.Add(written.Position, $"\"url\" expects the http or https URL of the receiver; found {ValueText.Quote(written.Value)}");
            return null;
        }

        if (url.UserInfo.Length == 0 && url.Fragment.Length == 0) return url;
        // Not shown: it may hold a password.
        errors.Add(
            written.Position,
            "\"url\" expects a URL without user name, password and \"#\"; a login goes into \"headers\", as Authorization = { env = \"NAME\" }");
        return null;
    }

    private byte[]? ReadSecret(SecretSource? source, string key)
    {
        if (source is null || files.Read(source, key) is not { } bytes) return null;
        if (WebhookSignature.TryReadSecret(Encoding.UTF8.GetString(bytes), out byte[] secret)) return secret;
        errors.Add(source.Position, $"\"{key}\" expects \"whsec_\" and base 64 of 24 to 64 bytes, as from: echo whsec_$(openssl rand -base64 32)");
        return null;
    }

    private X509Certificate2Collection? ReadAuthorities(Located<string>? place)
    {
        if (place is null || files.Read(place.Value, place.Position, "ca", isSecret: false) is not { } pem) return null;
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(Encoding.UTF8.GetString(pem));
        }
        catch (CryptographicException exception)
        {
            errors.Add(place.Position, $"\"ca\": {Printable.Escape(place.Value)} cannot be read: {Printable.Escape(exception.Message)}");
            return null;
        }

        if (authorities.Count == 0) errors.Add(place.Position, $"\"ca\": {Printable.Escape(place.Value)} holds no certificate in PEM");
        return authorities;
    }

    private void WarnOfPlainText(SourcePosition position, WebhookDraft draft)
    {
        string what = draft.Headers?.Any(header => header.Secret is not null) == true ? "its events and the secrets in its headers" : "its events";
        warnings.Add($"{position}: this webhook goes over the network in plain text: {what} can be read on the way; use https");
    }

    private static bool IsLoopback(Uri url) => url.IsLoopback || (IPAddress.TryParse(url.IdnHost, out IPAddress? address) && IPAddress.IsLoopback(address));
}
