using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeBroker.Core.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeBroker.Http.Routing;

/// <summary>Writes server-sent events. What is written waits in the connection; whoever does not read is cut off, so that others get its place.</summary>
/// <param name="exchange">The request.</param>
/// <param name="time">The clock.</param>
internal sealed class EventStream(Exchange exchange, TimeProvider time)
{
    // For what the connection does not hold; a large event may take longer.
    private const int WriteTimeoutSeconds = 30;
    private const int SlowestBytesPerSecond = 8 * 1024;

    private static readonly byte[] Comment = ":\n\n"u8.ToArray();

    /// <summary>Begins the answer.</summary>
    public Task BeginAsync()
    {
        HttpResponse response = exchange.Context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no";
        exchange.Context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        return WriteAsync(Comment);
    }

    /// <summary>Writes an event.</summary>
    public Task WriteAsync<T>(string kind, T what, JsonTypeInfo<T> type, string? id = null)
    {
        using var text = new MemoryStream();
        if (id is not null) text.Write(System.Text.Encoding.ASCII.GetBytes($"id: {id}\n"));
        text.Write(System.Text.Encoding.ASCII.GetBytes($"event: {kind}\ndata: "));
        // JSON as it is written here has no line breaks.
        JsonSerializer.Serialize(text, what, type);
        text.Write("\n\n"u8);
        return WriteAsync(text.ToArray());
    }

    /// <summary>Shows that the connection is alive.</summary>
    public Task WriteCommentAsync() => WriteAsync(Comment);

    private async Task WriteAsync(byte[] bytes)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(WriteTimeoutSeconds + (bytes.Length / SlowestBytesPerSecond)), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(exchange.Gone, late.Token);
        try
        {
            await exchange.Context.Response.Body.WriteAsync(bytes, either.Token).ConfigureAwait(false);
            await exchange.Context.Response.Body.FlushAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            exchange.Limits?.Report(LimitKind.SendTimeout, LimitAction.Disconnected, exchange.Address);
            exchange.Context.Abort();
            throw;
        }
    }
}
