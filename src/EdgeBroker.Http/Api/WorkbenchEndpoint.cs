using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.WebSockets;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace EdgeBroker.Http.Api;

/// <summary>
/// MQTT over WebSocket where the console is: its workbench connects to the host and port of its page, as the user who is logged in, under the access rules.
/// </summary>
internal sealed class WorkbenchEndpoint(HttpSite site)
{
    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "GET", "/api/v1/mqtt", EndpointAccess.Viewer, ServeAsync)
        {
            Summary = "MQTT over WebSocket (subprotocol mqtt), as the user who is logged in",
            AnswersType = "application/octet-stream",
            IsActivity = false,
        };
    }

    private async Task ServeAsync(Exchange exchange)
    {
        if (exchange.Caller.Proof == CallerProof.Token || exchange.Caller.Session is { IsByOnceToken: true } or { Token: not null })
        {
            throw new HttpProblem(ProblemKind.NotPermitted, "a token is no MQTT user; log in with a user and password");
        }

        if (!exchange.Context.WebSockets.IsWebSocketRequest || !exchange.Context.WebSockets.WebSocketRequestedProtocols.Contains(WebSocketEndpoint.Protocol))
        {
            throw new HttpProblem(ProblemKind.InvalidBody, "MQTT is spoken over WebSocket here, with the subprotocol \"mqtt\"");
        }

        // MQTT has its own bounds for clients that are slow.
        IHttpMinResponseDataRateFeature? rate = exchange.Context.Features.Get<IHttpMinResponseDataRateFeature>();
        if (rate is not null) rate.MinDataRate = null;
        // A login that ends takes its MQTT connection with it.
        using OpenStream stream = site.Streams.Open(exchange.Caller, () => site.MayGoOn(exchange));
        using CancellationTokenRegistration ended = stream.Ended.Register(exchange.Context.Abort);
        await site.WebSockets!.ServeAsync(exchange.Context, exchange.Caller.Name).ConfigureAwait(false);
    }
}
