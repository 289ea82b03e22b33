using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeBroker.Core.Limits;
using EdgeBroker.Http.Access;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Routing;

/// <summary>One request and its answer, as an endpoint sees them: what was asked, by whom, and the ways to answer.</summary>
public sealed class Exchange
{
    // Below, compressing costs more than it saves.
    private const int CompressedFrom = 1024;

    private readonly RequestTarget _target;
    private long _accounted;
    private readonly IReadOnlyDictionary<string, string> _arguments;

    internal Exchange(
        HttpContext context, ListenerSettings listener, HttpEndpoint endpoint, RequestTarget target, IReadOnlyDictionary<string, string> arguments,
            string requestId)
    {
        Context = context;
        Listener = listener;
        Endpoint = endpoint;
        RequestId = requestId;
        _target = target;
        _arguments = arguments;
    }

    /// <summary>The web framework's view of it.</summary>
    public HttpContext Context { get; }

    /// <summary>The listener it came by.</summary>
    public ListenerSettings Listener { get; }

    /// <summary>What it is for.</summary>
    public HttpEndpoint Endpoint { get; }

    /// <summary>Names it in the answer, the audit and the log.</summary>
    public string RequestId { get; }

    /// <summary>Who asks.</summary>
    public Caller Caller { get; internal set; } = Caller.Unauthenticated;

    /// <summary>Ends when nobody waits for the answer any more.</summary>
    public CancellationToken Gone => Context.RequestAborted;

    /// <summary>Where it comes from, with its port; of a Unix socket a word.</summary>
    public string Address { get; internal set; } = "";

    /// <summary>What audit says of it besides; null: nothing.</summary>
    public string? AuditDetail { get; set; }

    /// <summary>Whom or what it is about, for the audit; null: what stands in the path.</summary>
    public string? AuditTarget { get; set; }

    internal string Path => _target.Path;

    /// <summary>Told before the answer is sent: whoever has it finds in the audit what was done.</summary>
    internal Action<int>? Answering { get; set; }

    /// <summary>Where its body is accounted while it is held, and slow readers are counted; null: nowhere.</summary>
    internal BrokerLimits? Limits { get; init; }

    /// <summary>Its body is of no more use.</summary>
    internal void Release()
    {
        Limits?.Ledger.Release(MemoryKind.LocalQueues, _accounted);
        _accounted = 0;
    }

    /// <summary>Whether the audit has it already.</summary>
    internal bool IsNoted { get; set; }

    /// <summary>What stands in a place of the endpoint's pattern.</summary>
    public string Argument(string name) => _arguments[name];

    internal string? FirstArgument => _arguments.Count == 0 ? null : _arguments.Values.First();

    /// <summary>A parameter of the query; null: it is not there.</summary>
    /// <exception cref="HttpProblem">It stands twice.</exception>
    public string? Query(string name)
    {
        QueryPair? found = null;
        foreach (QueryPair pair in _target.Query)
        {
            if (pair.Name != name) continue;
            if (found is not null) throw HttpProblem.Parameter(name, pair.Value, "given once");
            found = pair;
        }

        return found?.Value;
    }

    /// <summary>All values of a parameter that may stand several times.</summary>
    public IReadOnlyList<string> QueryAll(string name) => [.. _target.Query.Where(pair => pair.Name == name).Select(pair => pair.Value)];

    /// <summary>A whole number of the query.</summary>
    public long QueryNumber(string name, long absent, long min, long max)
    {
        if (Query(name) is not { } text) return absent;
        bool isNumber = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value);
        return isNumber && value >= min && value <= max ? value : throw HttpProblem.Parameter(name, text, string.Create(
            CultureInfo.InvariantCulture, $"{min} to {max}"));
    }

    /// <summary>A yes or no of the query.</summary>
    public bool QueryFlag(string name) => Query(name) switch
    {
        null or "false" => false,
        "true" or "" => true,
        { } text => throw HttpProblem.Parameter(name, text, "true or false"),
    };

    /// <summary>A moment of the query; null: it is not there.</summary>
    public DateTimeOffset? QueryTime(string name)
    {
        if (Query(name) is not { } text) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset value)
            ? value : throw HttpProblem.Parameter(name, text, "a time as 2026-11-29T09:31:45Z");
    }

    /// <summary>An address or a network of the query, as a network; null: it is not there.</summary>
    public IPNetwork? QueryNetwork(string name)
    {
        if (Query(name) is not { } text) return null;
        if (IPAddress.TryParse(text, out IPAddress? address)) return new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return IPNetwork.TryParse(text, out IPNetwork network) ? network : throw HttpProblem.Parameter(name, text, "an address or a network as 10.0.0.0/8");
    }

    /// <summary>One of a few words of the query; null: it is not there.</summary>
    public string? QueryWord(string name, params ReadOnlySpan<string> words)
    {
        if (Query(name) is not { } text) return null;
        foreach (string word in words)
        {
            if (word == text) return text;
        }

        throw HttpProblem.Parameter(name, text, "one of " + string.Join(", ", words.ToArray()));
    }

    /// <summary>A topic filter of the query; null: it is not there.</summary>
    /// <exception cref="HttpProblem">It is none, or a level of it is a "+" that the rules for queries make a space of.</exception>
    public string? QueryFilter(string name)
    {
        if (Query(name) is not { } filter) return null;
        string raw = _target.Query.First(pair => pair.Name == name).Raw;
        string[] levels = raw.Replace("%2f", "/", StringComparison.OrdinalIgnoreCase).Split('/');
        if (levels.Contains("+"))
        {
            string meant = string.Join('/', levels.Select(level => level == "+" ? "%2B" : level));
            throw new HttpProblem(ProblemKind.PlusMustBeEncoded, $"in a query \"+\" is a space; write {name}={meant}");
        }

        return TopicText.IsFilter(filter) ? filter : throw new HttpProblem(ProblemKind.InvalidFilter, $"{name} is no topic filter");
    }

    /// <summary>Whether the query holds a parameter.</summary>
    public bool HasQuery(string name) => _target.Query.Any(pair => pair.Name == name);

    /// <summary>What is asked for but for some parameters, in one text.</summary>
    internal string QuestionWithout(params ReadOnlySpan<string> names)
    {
        var question = new System.Text.StringBuilder(Endpoint.Pattern).Append(FirstArgument);
        foreach (QueryPair pair in _target.Query.OrderBy(pair => pair.Name, StringComparer.Ordinal))
        {
            if (!names.Contains(pair.Name)) question.Append('&').Append(pair.Name).Append('=').Append(pair.Value);
        }

        return question.ToString();
    }

    /// <summary>Refuses what the endpoint does not know.</summary>
    internal void CheckQuery()
    {
        foreach (QueryPair pair in _target.Query)
        {
            if (Endpoint.Query.Any(known => known.Name == pair.Name)) continue;
            string known = Endpoint.Query.Count == 0 ? "there are none here" : "there are " + string.Join(", ", Endpoint.Query.Select(one => one.Name));
            throw new HttpProblem(ProblemKind.InvalidParameter, $"there is no parameter \"{Short(pair.Name)}\"; {known}")
            {
                Errors = [new ProblemError { At = Short(pair.Name), Is = Short(pair.Value), Expected = known }],
            };
        }
    }

    /// <summary>Reads a JSON body.</summary>
    /// <exception cref="HttpProblem">It is none, or another than the endpoint takes.</exception>
    public async ValueTask<T> ReadJsonAsync<T>(JsonTypeInfo<T> type)
    {
        string? contentType = Context.Request.ContentType;
        string media = (contentType ?? "").Split(';')[0].Trim();
        if (!media.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new HttpProblem(ProblemKind.WrongType, "the body is application/json here");
        }

        byte[] body = await ReadBodyAsync().ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new HttpProblem(ProblemKind.InvalidBody, "the body is null");
        }
        catch (JsonException exception)
        {
            string place = exception.Path is { Length: > 0 } path ? $" at {path}" : "";
            throw new HttpProblem(ProblemKind.InvalidBody, $"the body is no JSON of the kind that is taken here{place}");
        }
    }

    /// <summary>Reads the body.</summary>
    /// <exception cref="HttpProblem">It is too large.</exception>
    public async ValueTask<byte[]> ReadBodyAsync()
    {
        int most = Endpoint.MaxBodyBytes?.Invoke() ?? HttpEndpoint.UsualBodyBytes;
        long? announced = Context.Request.ContentLength;
        if (announced > most) throw TooLarge(most);
        using var body = new MemoryStream((int)Math.Min(announced ?? 0, 64 * 1024));
        byte[] part = new byte[16 * 1024];
        int count;
        while ((count = await Context.Request.Body.ReadAsync(part, Gone).ConfigureAwait(false)) > 0)
        {
            if (body.Length + count > most) throw TooLarge(most);
            if (Limits?.Ledger is { } ledger)
            {
                if (body.Length > 64 * 1024 && !ledger.HasRoomFor(count)) throw new HttpProblem(ProblemKind.Busy, "memory is short") { RetryAfterSeconds = 5 };
                ledger.Account(MemoryKind.LocalQueues, count);
                _accounted += count;
            }

            body.Write(part, 0, count);
        }

        return body.ToArray();
    }

    /// <summary>Answers with JSON.</summary>
    public Task AnswerAsync<T>(T answer, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        AnswerAsync(JsonSerializer.SerializeToUtf8Bytes(answer, type), "application/json", status);

    /// <summary>Answers with a text, bytes, anything.</summary>
    public async Task AnswerAsync(ReadOnlyMemory<byte> body, string contentType, int status = StatusCodes.Status200OK)
    {
        HttpResponse response = Context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        Answering?.Invoke(status);
        if (Endpoint.IsList && body.Length > CompressedFrom && TakesGzip())
        {
            body = Compressed(body.Span);
            response.Headers.ContentEncoding = "gzip";
        }

        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(Context.Request.Method)) await response.Body.WriteAsync(body, Gone).ConfigureAwait(false);
    }

    /// <summary>Answers without a body.</summary>
    public Task AnswerNothingAsync(int status = StatusCodes.Status204NoContent)
    {
        Context.Response.StatusCode = status;
        Answering?.Invoke(status);
        return Task.CompletedTask;
    }

    /// <summary>Names what is answered, so that a change can be asked for on the condition that it is still so.</summary>
    public void SetETag(string tag) => Context.Response.Headers.ETag = $"\"{tag}\"";

    /// <summary>Refuses what is asked for on a condition that does not hold.</summary>
    /// <param name="tag">What <see cref="SetETag"/> would say now.</param>
    /// <param name="isNeeded">Whether the caller must say what it has seen.</param>
    public void CheckIfMatch(string tag, bool isNeeded = false)
    {
        string? condition = Context.Request.Headers.IfMatch;
        if (string.IsNullOrEmpty(condition))
        {
            if (isNeeded) throw new HttpProblem(ProblemKind.IfMatchNeeded, "If-Match must hold the ETag of what was seen");
            return;
        }

        if (!Matches(tag)) throw Changed();
    }

    /// <summary>Whether If-Match is left out or names this.</summary>
    public bool Matches(string tag)
    {
        string? condition = Context.Request.Headers.IfMatch;
        return string.IsNullOrEmpty(condition) || condition == "*" || condition.Split(',').Any(one => one.Trim() == $"\"{tag}\"");
    }

    /// <summary>What is asked for was asked for on a condition that does not hold.</summary>
    public static HttpProblem Changed() => new(ProblemKind.ChangedMeanwhile, "it is not what was seen any more; look again");

    /// <summary>A short name for some bytes, for <see cref="SetETag"/>.</summary>
    public static string TagOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12));

    internal static string Short(string text) => text.Length <= 100 ? text : text[..100] + "...";

    private static HttpProblem TooLarge(int most) => new(
        ProblemKind.TooLarge, string.Create(CultureInfo.InvariantCulture, $"the body is longer than {most} bytes"));

    private bool TakesGzip() =>
        Context.Request.Headers.AcceptEncoding.ToString().Split(',').Any(one => one.Trim().Equals("gzip", StringComparison.OrdinalIgnoreCase));

    private static byte[] Compressed(ReadOnlySpan<byte> body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(body);
        return compressed.ToArray();
    }
}
