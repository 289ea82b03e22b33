using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeBroker.Http.Console;
using EdgeBroker.Testing;

namespace EdgeBroker.Console.Tests.Rig;

/// <summary>
/// The console's files as the executable holds them, over answers that were recorded: each page is seen with every kind of value in it, also those a broker on
/// a test's machine never has. A test changes what is answered, and asks what was asked.
/// </summary>
internal sealed class RecordedApi : IDisposable
{
    private const string Prefix = "/api/v1/";

    private static readonly string[] Published =
    [
        """{"topic":"plant/t","qos":1,"retain":true,"payload":"21.4"}""",
        """{"topic":"plant/t","qos":1,"retain":false,"payload":"21.5"}""",
        """{"topic":"plant/press7/meta","qos":0,"retain":true,"payload":"{\"maker\":\"x\"}"}""",
        """{"topic":"odd\u001b[0m","qos":0,"retain":false,"payload_base64":"/wA="}""",
    ];

    private readonly LoopbackPort _port = new();
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, (int Status, string Body)> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<System.Collections.Specialized.NameValueCollection, string>> _made = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _asked = new();
    private Task _serving;
    private readonly CancellationTokenSource _over = new();
    private volatile bool _isLoggedIn;

    public RecordedApi()
    {
        Site = new Uri($"http://127.0.0.1:{_port}/");
        _listener.Prefixes.Add(Site.ToString());
        _listener.Start();
        JsonObject recorded = JsonNode.Parse(File.ReadAllText(Path.Combine(Here.Root, "tests", "EdgeBroker.Console.Tests", "Answers.json")))!.AsObject();
        string now = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm", System.Globalization.CultureInfo.InvariantCulture);
        foreach ((string request, JsonNode? answer) in recorded) Answer(request, answer!.ToJsonString().Replace("NOW", now, StringComparison.Ordinal));
        _serving = ServeAsync();
    }

    /// <summary>Where it is.</summary>
    public Uri Site { get; }

    /// <summary>The role of who logs in.</summary>
    public string Role { get; set; } = "admin";

    /// <summary>Goes away, as a broker that is killed.</summary>
    public void Stop() => _listener.Stop();

    /// <summary>Comes back.</summary>
    public void Start()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Requests that changed something, with their bodies, in order.</summary>
    public IReadOnlyList<string> Changes => [.. _asked.Where(one => !one.StartsWith("GET ", StringComparison.Ordinal))];

    /// <summary>Says what a request is answered from now on: <c>GET sessions/press7</c>, without its query.</summary>
    public void Answer(string request, string body, int status = 200) => _answers[request] = (status, body);

    /// <summary>Has what a request is answered made of its query.</summary>
    public void Answer(string request, Func<System.Collections.Specialized.NameValueCollection, string> make) => _made[request] = make;

    /// <summary>Has a request refused, as the broker does.</summary>
    public void Refuse(string request, int status, string kind, string detail = "")
    {
        string text = JsonSerializer.Serialize(detail);
        string type = "urn:edgebroker:problem:" + kind;
        Answer(request, $$"""{"type":"{{type}}","title":"{{kind}}","status":{{status}},"detail":{{text}},"request_id":"r-7"}""", status);
    }

    /// <summary>Ends the login, as a restart does.</summary>
    public void EndLogin() => _isLoggedIn = false;

    public void Dispose()
    {
        _over.Cancel();
        _listener.Close();
        _port.Dispose();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _over.Dispose();
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            _ = ServeOneAsync(context);
        }
    }

    private async Task ServeOneAsync(HttpListenerContext context)
    {
        try
        {
            await ServeAsync(context);
        }
        catch (Exception exception) when (exception is HttpListenerException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The page has gone.
        }
    }

    private async Task ServeAsync(HttpListenerContext context)
    {
        string path = context.Request.RawUrl!.Split('?')[0];
        if (path.StartsWith("/topics/", StringComparison.Ordinal) && path.EndsWith("/events", StringComparison.Ordinal))
        {
            await StreamAsync(context.Response);
            return;
        }

        if (!path.StartsWith(Prefix, StringComparison.Ordinal))
        {
            await ServeFileAsync(context.Response, path == "/" ? "index.html" : path[1..]);
            return;
        }

        using var reader = new StreamReader(context.Request.InputStream);
        string body = await reader.ReadToEndAsync();
        string request = $"{context.Request.HttpMethod} {path[Prefix.Length..]}";
        _asked.Enqueue(body.Length == 0 ? request : $"{request} {body}");
        (int status, string answer) = Find(request, body);
        if (_isLoggedIn && _made.TryGetValue(request, out Func<System.Collections.Specialized.NameValueCollection, string>? make))
        {
            (status, answer) = (200, make(context.Request.QueryString));
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = status < 400 ? "application/json" : "application/problem+json";
        context.Response.Headers["ETag"] = "\"1\"";
        await SendAsync(context.Response, Encoding.UTF8.GetBytes(answer));
    }

    private (int Status, string Body) Find(string request, string body)
    {
        string login = $$"""{"user":"anna","role":"{{Role}}","csrf_token":"t","ends_at":null}""";
        if (request == "POST login")
        {
            if (_answers.TryGetValue(request, out (int Status, string Body) said)) return said;
            _isLoggedIn = !body.Contains("wrong", StringComparison.Ordinal);
            return _isLoggedIn ? (200, login) : (401, """{"type":"urn:edgebroker:problem:login-failed","title":"Login failed","status":401}""");
        }

        if (!_isLoggedIn) return (401, """{"type":"urn:edgebroker:problem:login-needed","title":"Login needed","status":401}""");
        if (request == "GET me") return (200, login);
        return _answers.TryGetValue(request, out (int Status, string Body) answer) ? answer
            : (404, """{"type":"urn:edgebroker:problem:no-such-endpoint","title":"No such endpoint","status":404}""");
    }

    // What is published is the same whoever listens; the stream stays open as long as the page.
    private async Task StreamAsync(HttpListenerResponse response)
    {
        response.ContentType = "text/event-stream";
        response.SendChunked = true;
        foreach (string message in Published)
        {
            await response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes($"event: message\ndata: {message}\n\n"));
            await response.OutputStream.FlushAsync();
        }

        await Task.Delay(Timeout.Infinite, _over.Token);
    }

    private static async Task ServeFileAsync(HttpListenerResponse response, string name)
    {
        ConsoleFile? file = ConsoleFile.All.FirstOrDefault(one => one.Name == name);
        if (file is null)
        {
            response.StatusCode = 404;
            response.Close();
            return;
        }

        response.Headers["Content-Security-Policy"] = ConsolePolicy.Content;
        response.Headers["Content-Encoding"] = "gzip";
        response.ContentType = file.ContentType;
        using var bytes = new MemoryStream();
        await using (Stream stream = file.Open()) await stream.CopyToAsync(bytes);
        await SendAsync(response, bytes.ToArray());
    }

    private static async Task SendAsync(HttpListenerResponse response, byte[] body)
    {
        response.ContentLength64 = body.Length;
        await response.OutputStream.WriteAsync(body);
        response.Close();
    }
}
