using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>Those the broker talks to: bridges, webhooks, the other nodes, sensors.</summary>
internal sealed class NeighbourEndpoints(HttpSite site, INeighbours neighbours, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;
    private const string Bridges = "/api/v1/bridges";
    private const string Webhooks = "/api/v1/webhooks";

    private int _isTrying;

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return Read(Bridges, "Bridges, by name", exchange => Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, neighbours.Bridges, one => one.Name), ApiJson.Default.ListAnswerBridgeAnswer, time.GetUtcNow())) with
        {
            Query = Lists.Parameters,
            Answers = ApiJson.Default.ListAnswerBridgeAnswer,
            IsList = true,
        };
        yield return Read(Bridges + "/{name}", "One bridge", exchange => exchange.AnswerAsync(
            BridgeOf(exchange), ApiJson.Default.BridgeAnswer)) with
        { Answers = ApiJson.Default.BridgeAnswer };
        yield return Tell("pause", "Have a bridge leave and stay away until it is told otherwise, or the broker starts again", BridgeWish.Pause);
        yield return Tell("resume", "Have a bridge connect", BridgeWish.Resume);
        yield return Tell("reconnect", "Have a bridge leave and connect anew", BridgeWish.Reconnect);
        yield return Tell("drain", "Have a paused or lazy bridge send what waits", BridgeWish.Drain);
        yield return Tell("purge", "Drop what waits to go out by a bridge", BridgeWish.Purge) with { Access = EndpointAccess.Admin };
        yield return new HttpEndpoint(Surfaces, "POST", Bridges + "/{name}/test", EndpointAccess.Operator, TryAsync)
        {
            Summary = "Try a bridge from the bottom up: which layer fails, and what to do",
            Answers = ApiJson.Default.BridgeTrialAnswer,
            Action = "bridge.test",
        };
        yield return Read(Webhooks, "Webhooks, in the order of the configuration", exchange => Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, neighbours.Webhooks, one => one.Name), ApiJson.Default.ListAnswerWebhookAnswer, time.GetUtcNow())) with
        {
            Query = Lists.Parameters,
            Answers = ApiJson.Default.ListAnswerWebhookAnswer,
            IsList = true,
        };
        yield return new HttpEndpoint(Surfaces, "POST", Webhooks + "/{name}/test", EndpointAccess.Operator, exchange =>
            neighbours.TestWebhook(exchange.Argument("name"), exchange.Caller.Name)
                ? exchange.AnswerAsync(new DoneAnswer(true), ApiJson.Default.DoneAnswer)
                : throw new HttpProblem(ProblemKind.NoSuchWebhook, $"there is no webhook {Exchange.Short(exchange.Argument("name"))}"))
        {
            Summary = "Send a webhook one event webhook.test; its state tells what came of it",
            Answers = ApiJson.Default.DoneAnswer,
            Action = "webhook.test",
        };
        // There are none in this build; the list is there, so that whoever asks for it need not know.
        yield return Read("/api/v1/sensors", "Local sensors", exchange => Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, Array.Empty<SensorAnswer>(), one => one.Name), ApiJson.Default.ListAnswerSensorAnswer, time.GetUtcNow())) with
        {
            Query = Lists.Parameters,
            Answers = ApiJson.Default.ListAnswerSensorAnswer,
            IsList = true,
        };
        yield return Read("/api/v1/cluster", "The nodes of the cluster; one where there is none", exchange => exchange.AnswerAsync(
            site.DescribeCluster(), HttpJson.Default.ClusterAnswer)) with
        {
            Answers = HttpJson.Default.ClusterAnswer,
        };
    }

    private static HttpEndpoint Read(string path, string summary, Func<Exchange, Task> handle) =>
        new(Surfaces, "GET", path, EndpointAccess.Viewer, handle) { Summary = summary };

    private HttpEndpoint Tell(string word, string summary, BridgeWish wish) =>
        new(Surfaces, "POST", $"{Bridges}/{{name}}/{word}", EndpointAccess.Operator, exchange => TellAsync(exchange, wish))
        {
            Summary = summary,
            Answers = ApiJson.Default.BridgeAnswer,
            Action = "bridge." + word,
        };

    private async Task TellAsync(Exchange exchange, BridgeWish wish)
    {
        if (!await neighbours.TellBridgeAsync(exchange.Argument("name"), wish).ConfigureAwait(false)) throw None(exchange);
        await exchange.AnswerAsync(BridgeOf(exchange), ApiJson.Default.BridgeAnswer).ConfigureAwait(false);
    }

    private async Task TryAsync(Exchange exchange)
    {
        // It connects to the other side, which may not like it often.
        if (Interlocked.Exchange(ref _isTrying, 1) == 1) throw new HttpProblem(ProblemKind.Busy, "a bridge is being tried") { RetryAfterSeconds = 10 };
        try
        {
            BridgeTrialAnswer trial = await neighbours.TryBridgeAsync(exchange.Argument("name"), exchange.Gone).ConfigureAwait(false)
                ?? throw None(exchange);
            await exchange.AnswerAsync(trial, ApiJson.Default.BridgeTrialAnswer).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isTrying, 0);
        }
    }

    private BridgeAnswer BridgeOf(Exchange exchange) =>
        neighbours.Bridges.FirstOrDefault(one => one.Name == exchange.Argument("name")) ?? throw None(exchange);

    private static HttpProblem None(Exchange exchange) =>
        new(ProblemKind.NoSuchBridge, $"there is no bridge {Exchange.Short(exchange.Argument("name"))}");
}
