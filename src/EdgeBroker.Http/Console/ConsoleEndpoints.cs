using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Console;

/// <summary>
/// The files of the web console. They hold nothing of this broker, so whoever reaches the listener may have them; what they ask for needs a login.
/// </summary>
internal static class ConsoleEndpoints
{
    public static IEnumerable<HttpEndpoint> Make()
    {
        foreach (ConsoleFile file in ConsoleFile.All)
        {
            string path = file.IsPage ? "/" : "/" + file.Name;
            yield return new HttpEndpoint(HttpSurfaces.Console, "GET", path, EndpointAccess.Open, exchange => ServeAsync(exchange, file))
            {
                Summary = file.IsPage ? "The web console" : "A part of the web console",
                AnswersType = file.ContentType,
            };
        }
    }

    private static async Task ServeAsync(Exchange exchange, ConsoleFile file)
    {
        HttpRequest request = exchange.Context.Request;
        HttpResponse response = exchange.Context.Response;
        IHeaderDictionary headers = response.Headers;
        headers.CacheControl = file.IsImmutable ? ConsolePolicy.Immutable : ConsolePolicy.AskAgain;
        headers.ETag = file.ETag;
        headers.Vary = "Accept-Encoding";
        headers.ContentSecurityPolicy = ConsolePolicy.Content;
        headers["Referrer-Policy"] = "no-referrer";
        headers.XFrameOptions = "DENY";
        // Browsers complain of it where nothing proves who serves the page.
        if (exchange.Listener.Protocol.SpeaksTls()) headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (Names(request.Headers.IfNoneMatch, file.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = file.ContentType;
        bool isCompressed = TakesGzip(request);
        if (isCompressed)
        {
            headers.ContentEncoding = "gzip";
            response.ContentLength = file.Length;
        }

        if (HttpMethods.IsHead(request.Method)) return;
        Stream content = isCompressed ? file.Open() : file.OpenPlain();
        await using (content.ConfigureAwait(false)) await content.CopyToAsync(response.Body, exchange.Gone).ConfigureAwait(false);
    }

    private static bool Names(string? tags, string tag) => tags is not null && tags.Split(',').Any(one => one.Trim() == tag);

    private static bool TakesGzip(HttpRequest request) =>
        request.Headers.AcceptEncoding.ToString().Split(',').Any(one => one.Split(';')[0].Trim().Equals("gzip", StringComparison.OrdinalIgnoreCase));
}
