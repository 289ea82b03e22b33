using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeBroker.Cli.Control;
using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Remote;

/// <summary>Asks a broker, of this machine or another, over its administration API what else is asked over the control socket.</summary>
internal sealed class RemoteClient : IDisposable
{
    private const int MostAnswerBytes = 64 * 1024 * 1024;
    private const int MostRows = 1_000;

    private readonly HttpClient _http;
    private readonly Uri _base;
    private readonly TimeSpan _timeout;

    /// <param name="url">Where the API is: <c>https://gw:8443</c>.</param>
    /// <param name="token">What to show; null: nothing.</param>
    /// <param name="authorities">Whose certificates are good; null: those the system trusts.</param>
    /// <param name="timeout">How long the broker may take.</param>
    public RemoteClient(Uri url, string? token, X509Certificate2Collection? authorities, TimeSpan timeout)
    {
        _base = url;
        _timeout = timeout;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = timeout };
        if (authorities is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        _http = new HttpClient(handler) { MaxResponseContentBufferSize = MostAnswerBytes, Timeout = timeout };
        if (token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Asks.</summary>
    /// <exception cref="CommandException">Nobody answers, or the answer is that it cannot be done.</exception>
    public ControlAnswer Ask(ControlRequest request) => request.Ask switch
    {
        ControlRequest.Status => Status(),
        ControlRequest.Clients => new ControlAnswer { Clients = Get("sessions" + SessionQuery(request), RemoteJson.Default.RemoteListSessionSummary).ToPage() },
        ControlRequest.Session => Session(request.ClientId ?? ""),
        ControlRequest.Kick => Kick(request),
        ControlRequest.Retained => new ControlAnswer
        {
            Retained = Get("retained" + Query(request, ("filter", request.Topic)), RemoteJson.Default.RemoteListRetainedSummary).ToPage(),
        },
        ControlRequest.RetainedGet => Value(request.Topic ?? ""),
        ControlRequest.RetainedDelete => Delete(request.Topic ?? ""),
        ControlRequest.Subscriptions => new ControlAnswer
        {
            Subscribers = Get("subscriptions" + Query(request, ("matches_topic", request.Topic)), RemoteJson.Default.RemoteListSubscriberView).ToPage(),
        },
        ControlRequest.Shared => new ControlAnswer { Shared = Get("shared-groups" + Query(request), RemoteJson.Default.RemoteListSharedGroupView).ToPage() },
        ControlRequest.Refusals => new ControlAnswer
        {
            Refusals = new RefusalsAnswer(Get($"refusals?limit={MostRows}", RemoteJson.Default.RemoteListRefusalView).Items),
        },
        ControlRequest.Reload => Reload(),
        _ => throw new CommandException($"\"{request.Ask}\" cannot be asked over HTTP"),
    };

    /// <summary>How the broker is, as anybody may ask.</summary>
    public RemoteHealth Ready() => Read(Send(HttpMethod.Get, "/ready", mayBe: HttpStatusCode.ServiceUnavailable), RemoteJson.Default.RemoteHealth);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string SessionQuery(ControlRequest request) => Query(
        request, ("client", request.ClientId), ("user", request.User), ("state", request.Connected switch
        {
            null => null,
            true => SessionSummary.Connected,
            false => SessionSummary.Disconnected,
        }));

    private static string Query(ControlRequest request, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var query = new StringBuilder($"?limit={Math.Clamp(request.Limit, 1, MostRows)}");
        if (request.After is { } after) query.Append("&after=").Append(Uri.EscapeDataString(after));
        foreach ((string name, string? value) in parameters)
        {
            if (value is not null) query.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        return query.ToString();
    }

    private ControlAnswer Status()
    {
        RemoteOverview overview = Get("overview", RemoteJson.Default.RemoteOverview);
        RemoteMetrics metrics = Get("metrics", RemoteJson.Default.RemoteMetrics);
        return new ControlAnswer
        {
            ExitCode = overview.Health.Status == "failing" ? ExitCode.Failed : ExitCode.Success,
            Status = new StatusAnswer
            {
                Version = overview.Version,
                Node = overview.Node,
                UptimeSeconds = overview.UptimeSeconds,
                Listeners = [.. overview.Listeners.Select(one => one.EndPoint)],
                Health = overview.Health.Status,
                Findings = [.. (overview.Health.Parts ?? []).Select(part => new FindingAnswer(part.Part, part.Status, part.Detail))],
                States = metrics.States,
                Meters = metrics.Items,
            },
        };
    }

    private ControlAnswer Session(string clientId)
    {
        byte[] answer = Send(HttpMethod.Get, $"/api/v1/sessions?client_id={Uri.EscapeDataString(clientId)}");
        RemoteList<SessionSummary> found = Read(answer, RemoteJson.Default.RemoteListSessionSummary);
        if (found.Items.Count == 0) throw new CommandException($"there is no session of {clientId}");
        // The ids "." and ".." cannot stand in a path: of those, the row is all there is to see.
        RemoteSession holds = clientId is "." or ".."
            ? new RemoteSession([], [], 0, null, new QueueView(0, 0, null, null, "", false))
            : Read(Send(HttpMethod.Get, "/api/v1/sessions/" + Uri.EscapeDataString(clientId)), RemoteJson.Default.RemoteSession);
        return new ControlAnswer
        {
            Session = new SessionDetail(
                found.Items[0], holds.Subscriptions, holds.Inflight, holds.OpenReceivesCount, holds.Will, holds.QueueLimits),
        };
    }

    private ControlAnswer Kick(ControlRequest request)
    {
        string query = $"?client_id={Uri.EscapeDataString(request.ClientId ?? "")}" + (request.Forget ? "&forget=true" : "")
            + (request.PublishWill ? "&will=publish" : "");
        RemoteKick kick = Read(Send(HttpMethod.Delete, "/api/v1/sessions" + query), RemoteJson.Default.RemoteKick);
        return new ControlAnswer { Kick = new KickAnswer(kick.Kicked, kick.Forgotten) };
    }

    private ControlAnswer Value(string topic)
    {
        RemoteValue value = Get(
            $"retained/{Uri.EscapeDataString(topic)}?payload_limit_bytes=1048576", RemoteJson.Default.RemoteValue);
        byte[]? payload = value.PayloadBase64 is { } base64 ? Convert.FromBase64String(base64) : value.Payload is { } text ? Encoding.UTF8.GetBytes(text)
            : null;
        if (payload is null) throw new CommandException($"{topic} has a value of {value.PayloadBytes} bytes, which this token may not read");
        if (value.PayloadTruncated == true) throw new CommandException($"the value of {topic} is longer than is shown over HTTP ({value.PayloadBytes} bytes)");
        return new ControlAnswer { Value = new RetainedValue(topic, value.Qos, payload, value.ExpiresInSeconds) };
    }

    private ControlAnswer Delete(string topic)
    {
        RemoteDelete deleted = Read(
            Send(HttpMethod.Delete, $"/api/v1/retained?topic={Uri.EscapeDataString(topic)}"), RemoteJson.Default.RemoteDelete);
        return new ControlAnswer { Delete = new DeleteAnswer(deleted.Deleted, deleted.Committed) };
    }

    private ControlAnswer Reload()
    {
        using HttpResponseMessage response = Ask(HttpMethod.Post, "/api/v1/reload");
        byte[] body = BodyOf(response);
        if (response.StatusCode == HttpStatusCode.UnprocessableEntity)
        {
            RemoteProblem problem = Read(body, RemoteJson.Default.RemoteProblem);
            string[] errors = [.. (problem.Errors ?? []).Select(one => one.File is null ? one.Message ?? ""
                : $"{one.File}:{one.Line}:{one.Column}: {one.Message}")];
            return new ControlAnswer { ExitCode = ExitCode.Configuration, Reload = new ReloadAnswer(problem.Detail ?? "", errors, [], [], []) };
        }

        Check(response, body);
        RemoteReload reload = Read(body, RemoteJson.Default.RemoteReload);
        return new ControlAnswer { Reload = new ReloadAnswer(reload.Summary, reload.Errors, reload.Changed, reload.RestartNeeded, reload.Warnings) };
    }

    private T Get<T>(string path, JsonTypeInfo<T> type) => Read(Send(HttpMethod.Get, "/api/v1/" + path), type);

    private byte[] Send(HttpMethod method, string path, HttpStatusCode? mayBe = null)
    {
        using HttpResponseMessage response = Ask(method, path);
        byte[] body = BodyOf(response);
        if (response.StatusCode != mayBe) Check(response, body);
        return body;
    }

    private HttpResponseMessage Ask(HttpMethod method, string path)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(
                _base.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            return _http.Send(request);
        }
        catch (HttpRequestException exception)
        {
            throw new CommandException($"{_base} does not answer: {exception.InnerException?.Message ?? exception.Message}", exception);
        }
        catch (TaskCanceledException exception)
        {
            throw new CommandException($"{_base} did not answer within {_timeout.TotalSeconds:0} s", exception);
        }
    }

    private static byte[] BodyOf(HttpResponseMessage response)
    {
        using var body = new MemoryStream();
        using Stream stream = response.Content.ReadAsStream();
        stream.CopyTo(body);
        return body.ToArray();
    }

    private void Check(HttpResponseMessage response, byte[] body)
    {
        if (response.IsSuccessStatusCode) return;
        string? detail = null;
        try
        {
            detail = JsonSerializer.Deserialize(body, RemoteJson.Default.RemoteProblem)?.Detail;
        }
        catch (JsonException)
        {
            // Not of a broker: the status says all there is.
        }

        string hint = response.StatusCode == HttpStatusCode.Unauthorized ? " (--token-file names a file with a token of [http])" : "";
        throw new CommandException($"{_base} answers {(int)response.StatusCode}: {detail ?? response.ReasonPhrase ?? "no reason"}{hint}");
    }

    private T Read<T>(byte[] body, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new CommandException($"{_base} answers nothing that is understood");
        }
        catch (JsonException exception)
        {
            throw new CommandException($"{_base} does not answer as a broker does", exception);
        }
    }
}
