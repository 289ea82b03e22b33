using System.Text;
using System.Text.Json;
using EdgeBroker.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Webhooks.Tests.Rig;

/// <summary>One request that a receiver got.</summary>
internal sealed record Post(string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The events in it, one or a batch.</summary>
    public IReadOnlyList<JsonElement> Events => Json switch
    {
        { ValueKind: JsonValueKind.Array } batch => [.. batch.EnumerateArray()],
        { } body when body.TryGetProperty("events", out JsonElement events) => [.. events.EnumerateArray()],
        { } one => [one],
    };
}

/// <summary>A real HTTP server on loopback that keeps what it is sent and answers as a test wants.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Post> _posts = [];
    private readonly WebApplication _application;

    private Receiver(WebApplication application) => _application = application;

    /// <summary>Answers a request, the nth from 1; by default with 204.</summary>
    public Func<HttpContext, int, Task> Answer { get; set; } = (context, _) =>
    {
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    };

    /// <summary>What came so far.</summary>
    public IReadOnlyList<Post> Posts
    {
        get
        {
            lock (_lock) return [.. _posts];
        }
    }

    public IReadOnlyList<JsonElement> Events => [.. Posts.SelectMany(post => post.Events)];

    public Uri Url =>
        new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/events?key=s3cret");

    public static async Task<Receiver> StartAsync(int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.WebHost.ConfigureKestrel(options => options.Limits.MinResponseDataRate = null);
        WebApplication application = builder.Build();
        var receiver = new Receiver(application);
        application.Run(receiver.TakeAsync);
        await application.StartAsync();
        return receiver;
    }

    /// <summary>Answers everything with one status.</summary>
    public void AnswerWith(int status, string? header = null, string? value = null) => Answer = (context, _) =>
    {
        context.Response.StatusCode = status;
        if (header is not null) context.Response.Headers[header] = value;
        return Task.CompletedTask;
    };

    /// <summary>Waits for so many requests.</summary>
    public Task HasAsync(int count) => Deadline.Until(() => Posts.Count >= count, $"{count} request(s)");

    /// <summary>Waits for so many events.</summary>
    public Task HasEventsAsync(int count) => Deadline.Until(() => Posts.Sum(post => post.Events.Count) >= count, $"{count} event(s)");

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(0);
        try
        {
            await _application.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
        }

        await _application.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        string body = await reader.ReadToEndAsync();
        Dictionary<string, string> headers =
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        int number;
        lock (_lock)
        {
            _posts.Add(new Post(context.Request.Path, headers, body));
            number = _posts.Count;
        }

        await Answer(context, number);
    }
}
