using System.Net;
using System.Net.WebSockets;
using EdgeBroker.Core.Limits;
using EdgeBroker.Mqtt;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeBroker.Http.WebSockets;

/// <summary>Answers the requests of a <c>ws</c> or <c>wss</c> listener: WebSockets for MQTT, and a plain sentence for everything else.</summary>
internal sealed class WebSocketEndpoint(MqttSessions sessions, TimeProvider time)
{
    // The name OASIS registered; earlier drafts' "mqttv3.1" meant a protocol that is not spoken here.
    public const string Protocol = "mqtt";
    private static readonly TimeSpan DisconnectTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Serves one request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        WebListener listener = context.Features.GetRequiredFeature<WebListener>();
        IPAddress? address = context.Connection.RemoteIpAddress;
        string peer = WebListener.PeerOf(address is null ? null : new IPEndPoint(address, context.Connection.RemotePort));
        if (Refusal(context, listener.Settings) is var (status, cause) && status != 0)
        {
            listener.Report(peer, $"HTTP {status}: {cause}");
            await RefuseAsync(context, status, cause).ConfigureAwait(false);
            return;
        }

        using WebSocket socket = await WebSocketHandshake.AcceptAsync(context, Protocol).ConfigureAwait(false);
        await ServeAsync(
            socket, listener, peer, address, LocalPeer.IdentityOf(context.Features), context.Features.Get<ConnectionAdmission>()!.Admission)
            .ConfigureAwait(false);
    }

    /// <summary>Serves a request that is good, for a user who is known already.</summary>
    public async Task ServeAsync(HttpContext context, string user)
    {
        WebListener listener = context.Features.GetRequiredFeature<WebListener>();
        IPAddress? address = context.Connection.RemoteIpAddress;
        string peer = WebListener.PeerOf(address is null ? null : new IPEndPoint(address, context.Connection.RemotePort));
        using WebSocket socket = await WebSocketHandshake.AcceptAsync(context, Protocol).ConfigureAwait(false);
        await ServeAsync(socket, listener, peer, address, user, context.Features.Get<ConnectionAdmission>()!.Admission).ConfigureAwait(false);
    }

    private static (int Status, string Cause) Refusal(HttpContext context, ListenerSettings settings)
    {
        if (context.Request.Path.Value != settings.Path) return (StatusCodes.Status404NotFound, $"MQTT is spoken at {settings.Path} here");
        if (!context.WebSockets.IsWebSocketRequest) return (StatusCodes.Status426UpgradeRequired, "MQTT is spoken over WebSocket here");
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(Protocol))
        {
            return (StatusCodes.Status400BadRequest, "the WebSocket subprotocol must be \"mqtt\" (Sec-WebSocket-Protocol: mqtt)");
        }

        string? origin = context.Request.Headers.Origin;
        if (!OriginRule.Allows(origin, context.Request.Host.Host, settings.AllowedOrigins))
        {
            return (StatusCodes.Status403Forbidden, "pages of this origin may not connect; listener.allowed_origins names those that may");
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

    private async Task ServeAsync(WebSocket socket, WebListener listener, string peer, IPAddress? address, string? identity, Admission admission)
    {
        using var pipe = new WebSocketPipe(socket);
        using var timeout = new CancellationTokenSource();
        Task<string?> receiving = pipe.ReceiveAsync(timeout.Token);
        await sessions.ServeAsync(listener.Mqtt, pipe, peer, address, identity, admission).ConfigureAwait(false);
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
