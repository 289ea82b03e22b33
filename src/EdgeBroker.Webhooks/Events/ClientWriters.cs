using System.Text.Json;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Webhooks.Events;

/// <summary>Writes what is told of clients and their logins.</summary>
internal static class ClientWriters
{
    public static void Connected(Utf8JsonWriter json, ConnectedEvent what, WebhookOptions options)
    {
        Describe(json, what.Client);
        json.WriteBoolean("session_present", what.SessionPresent);
        json.WriteBoolean("clean_start", what.CleanStart);
        json.WriteNumber("keep_alive_seconds", what.Client.KeepAliveSeconds);
        json.WriteNumber("session_expiry_seconds", what.SessionExpirySeconds);
        json.WriteString("tls_identity", what.Client.Transport is "tls" or "wss" ? what.Identity : null);
    }

    public static void Disconnected(Utf8JsonWriter json, DisconnectedEvent what, WebhookOptions options)
    {
        Describe(json, what.Client);
        json.WriteString("by", WordFor(what.By));
        json.WriteNumber("reason_code", (byte)what.Reason);
        json.WriteString("explanation", what.Explanation);
        json.WriteNumber("connected_seconds", what.ConnectedMs / 1000.0);
        json.WriteBoolean("will_published", what.WillPublished);
        json.WriteBoolean("session_kept", what.SessionKept);
    }

    public static void TakenOver(Utf8JsonWriter json, (TakenOverEvent Event, string Node) what, WebhookOptions options)
    {
        Describe(json, what.Event.Client);
        json.WriteStartObject("previous");
        json.WriteString("address", what.Event.PreviousEndPoint);
        json.WriteString("node", what.Node);
        json.WriteEndObject();
        json.WriteBoolean("same_user", what.Event.IsSameUser);
    }

    public static void Authenticated(Utf8JsonWriter json, AuthenticationSucceededEvent what, WebhookOptions options)
    {
        Describe(json, what.Client);
        json.WriteString("method", WordFor(what.Method));
    }

    public static void NotAuthenticated(Utf8JsonWriter json, AuthenticationFailedEvent what, WebhookOptions options)
    {
        json.WriteString("client_id", what.Client.ClientId);
        json.WriteString("user", what.Client.UserName);
        json.WriteString("address", what.Client.RemoteEndPoint);
        json.WriteString("listener", what.Client.Listener);
        json.WriteString("method", WordFor(what.Method));
        json.WriteNumber("reason_code", (byte)what.Reason);
        json.WriteString("cause", what.Cause ?? ReasonText.For(what.Reason));
    }

    public static void Test(Utf8JsonWriter json, string actor, WebhookOptions options) => json.WriteString("asked_by", actor);

    private static void Describe(Utf8JsonWriter json, in ClientDescription client)
    {
        json.WriteString("client_id", client.ClientId);
        json.WriteString("user", client.UserName);
        json.WriteString("address", client.RemoteEndPoint);
        json.WriteString("listener", client.Listener);
        json.WriteString("protocol", client.Protocol);
        json.WriteString("transport", client.Transport);
    }

    private static string WordFor(DisconnectedBy by) => by switch
    {
        DisconnectedBy.Client => "client",
        DisconnectedBy.Broker => "broker",
        DisconnectedBy.Network => "network",
        _ => throw new ArgumentOutOfRangeException(nameof(by), by, "Whoever ends a connection needs a word."),
    };

    private static string WordFor(AuthenticationMethod method) => method switch
    {
        AuthenticationMethod.Unknown => "unknown",
        AuthenticationMethod.Anonymous => "anonymous",
        AuthenticationMethod.Password => "password",
        AuthenticationMethod.Jwt => "jwt",
        AuthenticationMethod.Scram => "scram",
        AuthenticationMethod.Enhanced => "enhanced",
        AuthenticationMethod.Certificate => "certificate",
        AuthenticationMethod.Peer => "peer",
        AuthenticationMethod.Psk => "psk",
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "A method needs a word."),
    };
}
