using System.Text.Json;
using EdgeBroker.Core.Hosting;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Health;

/// <summary>
/// Answers the requests of an <c>http</c> or <c>https</c> listener: <c>/live</c> as long as the broker answers at all, <c>/ready</c> with 503 while a part of
/// it is failing. Both are read by anyone who reaches the listener, and tell nothing of clients or messages.
/// </summary>
internal sealed class HealthEndpoint(IHealth health)
{
    /// <summary>Serves one request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        string? path = context.Request.Path.Value;
        if (path is not ("/live" or "/ready"))
        {
            await SayAsync(context, StatusCodes.Status404NotFound, "there are /live and /ready here").ConfigureAwait(false);
        }
        else if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await SayAsync(context, StatusCodes.Status405MethodNotAllowed, $"{path} is only read").ConfigureAwait(false);
        }
        else
        {
            await TellAsync(context, path == "/live" ? [] : health.Check()).ConfigureAwait(false);
        }
    }

    private static async Task TellAsync(HttpContext context, IReadOnlyList<HealthFinding> findings)
    {
        HealthState worst = findings.Count == 0 ? HealthState.Good : findings.Max(finding => finding.State);
        context.Response.StatusCode = worst == HealthState.Failing ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        byte[] body = Body(worst, findings);
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(context.Request.Method)) await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static byte[] Body(HealthState worst, IReadOnlyList<HealthFinding> findings)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("status"u8, Word(worst));
            if (findings.Count > 0)
            {
                json.WriteStartArray("parts"u8);
                foreach (HealthFinding finding in findings)
                {
                    json.WriteStartObject();
                    json.WriteString("part"u8, finding.Part);
                    json.WriteString("status"u8, Word(finding.State));
                    json.WriteString("detail"u8, finding.Detail);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        text.WriteByte((byte)'\n');
        return text.ToArray();
    }

    private static string Word(HealthState state) => state switch
    {
        HealthState.Good => "good",
        HealthState.Warning => "warning",
        _ => "failing",
    };

    private static async Task SayAsync(HttpContext context, int status, string sentence)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(sentence + "\n", context.RequestAborted).ConfigureAwait(false);
    }
}
