using System.Net;
using System.Net.WebSockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Tls;
using EdgeBroker.Mqtt;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Pipes;
using EdgeBroker.Transport.Tls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeBroker.Http.WebSockets;

/// <summary>Answers the requests of a <c>ws</c> or <c>wss</c> listener: WebSockets for MQTT, and a plain sentence for everything else.</summary>
internal sealed class WebSocketEndpoint(MqttSessions sessions, Replaceable<HttpOptions> options, TimeProvider time)
{
    // The name OASIS registered; earlier drafts' "mqttv3.1" meant a protocol that is not spoken here.
    public const string Protocol = "mqtt";
    private static readonly TimeSpan DisconnectTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Serves one request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        WebListener listener = context.Features.GetRequiredFeature<WebListener>();
        IPAddress? address = context.Connection.RemoteIpAddress;
        string peer = WebListener.PeerOf(context.Connection);
        if (Refusal(context, listener) is var (status, cause) && status != 0)
        {
            listener.Report(peer, $"HTTP {status}: {cause}");
            await RefuseAsync(context, status, cause).ConfigureAwait(false);
            return;
        }

        using WebSocket socket = await AcceptAsync(context).ConfigureAwait(false);
        await ServeAsync(socket, context, peer, address, LocalPeer.IdentityOf(context.Features)).ConfigureAwait(false);
    }

    /// <summary>Serves a request that is good, for a user who is known already.</summary>
    public async Task ServeAsync(HttpContext context, string user)
    {
        IPAddress? address = context.Connection.RemoteIpAddress;
        string peer = WebListener.PeerOf(context.Connection);
        using WebSocket socket = await AcceptAsync(context).ConfigureAwait(false);
        await ServeAsync(socket, context, peer, address, user).ConfigureAwait(false);
    }

    private (int Status, string Cause) Refusal(HttpContext context, WebListener listener)
    {
        ListenerSettings settings = listener.Settings;
        if (context.Request.Path.Value != settings.Path) return (StatusCodes.Status404NotFound, $"MQTT is spoken at {settings.Path} here");
        if (!context.WebSockets.IsWebSocketRequest) return (StatusCodes.Status426UpgradeRequired, "MQTT is spoken over WebSocket here");
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(Protocol))
        {
            return (StatusCodes.Status400BadRequest, "the WebSocket subprotocol must be \"mqtt\" (Sec-WebSocket-Protocol: mqtt)");
        }

        string? origin = context.Request.Headers.Origin;
        if (!OriginRule.Allows(origin, context.Request.Host.Value, settings.AllowedOrigins))
        {
            return (StatusCodes.Status403Forbidden, "pages of this origin may not connect; listener.allowed_origins names those that may");
        }

        // A page's own name may be one that somebody has had point here. Programs say no origin, and cannot be talked into anything by a page.
        bool isOfOwnName = !string.IsNullOrEmpty(origin) && settings.AllowedOrigins.Count == 0;
        if (isOfOwnName && !BrowserRules.IsKnownHost(context.Request, settings, options.Current, listener.ServerCertificates))
        {
            return (StatusCodes.Status403Forbidden, "this broker is not known by that name; http.allowed_hosts, or listener.allowed_origins, names it");
        }

        return (0, "");
    }

    private static async Task RefuseAsync(HttpContext context, int status, string cause)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.Connection = "close";
        if (status == StatusCodes.Status426UpgradeRequired) context.Response.Headers.Upgrade = "websocket";
        await context.Response.WriteAsync(cause + "\n", context.RequestAborted).ConfigureAwait(false);
    }

    private static Task<WebSocket> AcceptAsync(HttpContext context)
    {
        context.Features.GetRequiredFeature<SendDeadline>().Lift();
        return WebSocketHandshake.AcceptAsync(context, Protocol);
    }

    private async Task ServeAsync(WebSocket socket, HttpContext context, string peer, IPAddress? address, string? identity)
    {
        WebListener listener = context.Features.GetRequiredFeature<WebListener>();
        Admission admission = context.Features.GetRequiredFeature<ConnectionAdmission>().Admission;
        CertificateStanding? certificate = context.Features.Get<TlsSession>()?.Certificate;
        using var pipe = new WebSocketPipe(socket);
        using var timeout = new CancellationTokenSource();
        Task<string?> receiving = pipe.ReceiveAsync(timeout.Token);
        await sessions.ServeAsync(listener.Mqtt, pipe, new PipePeer(peer, address, certificate), identity, admission).ConfigureAwait(false);
        // From here on the peer has a second to answer our goodbye.
        using ITimer cut = time.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), timeout, DisconnectTimeout, Timeout.InfiniteTimeSpan);
        await SayGoodbyeAsync(socket, sessions.IsStopping || listener.Mqtt.IsRemoved, timeout.Token).ConfigureAwait(false);
        if (await receiving.ConfigureAwait(false) is { } broken) listener.Report(peer, broken);
    }

    private static async Task SayGoodbyeAsync(WebSocket socket, bool isUnavailable, CancellationToken timeout)
    {
        try
        {
            if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
            (WebSocketCloseStatus status, string why) = isUnavailable
                ? (WebSocketCloseStatus.EndpointUnavailable, "the broker is stopping, or does not listen here any more")
                : (WebSocketCloseStatus.NormalClosure, "");
            await socket.CloseOutputAsync(status, why, timeout).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // The peer is gone: nobody is left to be polite to.
        }
    }
}
