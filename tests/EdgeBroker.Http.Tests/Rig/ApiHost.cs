using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Api;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Rig;

/// <summary>An http listener with everything it serves, and those who call it: users, tokens, and what they may.</summary>
internal sealed class ApiHost : IAsyncDisposable, IAuthenticator, IAdministration, INeighbours
{
    public const string AdminToken = "admin-token-of-the-tests";
    public const string OperatorToken = "operator-token-of-the-tests";
    public const string ViewerToken = "viewer-token-of-the-tests";

    private readonly List<HttpClient> _clients = [];
    private readonly System.Collections.Concurrent.ConcurrentStack<ReloadEntry> _reloads = new();

    public ApiHost(TimeProvider? time = null, IJournal? journal = null)
    {
        Web = new WebHost { Authenticator = this, Extend = Extend, Time = time ?? TimeProvider.System, Journal = journal ?? VolatileJournal.Instance };
        Web.Options.Current = new HttpOptions
        {
            NodeName = "gw-test",
            AllowedHosts = ["gw.plant.example"],
            Tokens = [Token("admin-token", HttpRole.Admin, AdminToken), Token("op", HttpRole.Operator, OperatorToken), Token("grafana", HttpRole.Viewer,
                ViewerToken)],
            Groups = [new AclGroup("admin", ["root"]), new AclGroup("operator", ["anna"]), new AclGroup("viewer", ["vera"])],
            Rules = Rules,
        };
    }

    public WebHost Web { get; }

    public int Port { get; private set; }

    /// <summary>Anna may do everything below plant but one thing, the others all.</summary>
    public AclRuleSet Rules { get; } = new(
        [
            new AclRule
            {
                Source = "broker.toml:9", User = "anna", Client = "*", Group = "*", Listener = "*", Allows = false,
                    Actions = AccessActions.Publish | AccessActions.Subscribe,
                Topics = [new AclPattern("plant/locked/#")],
            },
            new AclRule
            {
                Source = "broker.toml:12", User = "*", Client = "*", Group = "*", Listener = "*", Allows = true,
                Actions = AccessActions.Publish | AccessActions.Subscribe | AccessActions.Retain, Topics = [new AclPattern("plant/#")],
            },
        ],
        []);

    /// <summary>What the configuration's files hold.</summary>
    public string Files { get; set; } = "one";

    /// <summary>Done by each reload.</summary>
    public Action? Reloading { get; set; }

    /// <summary>Adds endpoints besides.</summary>
    public Action<HttpSite>? More { get; set; }

    /// <summary>How long a copy of the store is.</summary>
    public int BackupBytes { get; set; } = 8;

    /// <summary>What is wrong with them.</summary>
    public string[] FileErrors { get; set; } = [];

    public string Version => "9.9.9";

    public string? Commit => "0123456789ab";

    public IReadOnlyList<ListenerAnswer> Listeners => [new("127.0.0.1:0", "http", "127.0.0.1:1", true)];

    public string Configuration => """{"node":{"name":"gw-test"}}""";

    /// <summary>Starts an http listener.</summary>
    public async Task StartAsync(
        HttpSurfaces serve = HttpSurfaces.All, bool anonymous = false, ListenerProtocol protocol = ListenerProtocol.Http, Core.MqttOptions? limits = null) =>
        Port = await Web.StartAsync(protocol, with: settings => settings with { Serve = serve, AllowAnonymous = anonymous }, limits: limits);

    /// <summary>A program that shows a token; null: nothing.</summary>
    public HttpClient Client(string? token = AdminToken)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            // A body that is refused unread is not sent because the answer takes long on a busy machine.
            Expect100ContinueTimeout = TimeSpan.FromMinutes(1)
        })
        { BaseAddress = new Uri($"http://127.0.0.1:{Port}") };
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        lock (_clients) _clients.Add(client);
        return client;
    }

    /// <summary>A program that shows a user's password.</summary>
    public HttpClient User(string name, string password = "geheim")
    {
        HttpClient client = Client(null);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));
        return client;
    }

    public static async Task<(int Status, JsonElement Body)> AskAsync(
        HttpClient client, string method, string path, string? json = null, params (string Name, string Value)[] headers)
    {
        // As it is, dots and escapes included.
        var asItIs = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(client.BaseAddress!.ToString().TrimEnd('/') + path, asItIs));
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        foreach ((string name, string value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using HttpResponseMessage response = await client.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    /// <summary>The name of the problem that a request is answered with.</summary>
    public static async Task<string> ProblemAsync(
        HttpClient client, string method, string path, string? json = null, params (string Name, string Value)[] headers)
    {
        (int status, JsonElement body) = await AskAsync(client, method, path, json, headers);
        Assert.True(status >= 400, $"{method} {path}: {status}");
        Assert.Equal(status, body.GetProperty("status").GetInt32());
        return body.GetProperty("type").GetString()!["urn:edgebroker:problem:".Length..];
    }

    public IReadOnlyList<CertificateAnswer> Certificates => [new("server", "https on a", "server.crt", "gw", DateTimeOffset.UnixEpoch, 5)];

    public (string Path, long Bytes) MakeBackup(string name, CancellationToken cancel)
    {
        string path = Web.PathOf(name);
        using FileStream copy = File.Create(path);
        copy.Write("the copy"u8);
        copy.SetLength(BackupBytes);
        return (path, BackupBytes);
    }

    /// <summary>What bridges were told.</summary>
    public List<(string Name, BridgeWish Wish)> Told { get; } = [];

    public IReadOnlyList<BridgeAnswer> Bridges => [new("cloud", "connected", "mqtt://cloud:1883", 3, 120, 7, 4, 0, 0, 0, 0, 1)
    {
        Routes = [new BridgeRouteAnswer("out", "plant/#", null, 1, null)],
    }];

    public IReadOnlyList<WebhookAnswer> Webhooks => [new("hook", "http://hook", "closed", ["client.connected"], 1, 400, 2, 0, new Dictionary<string, long>())];

    public Task<bool> TellBridgeAsync(string name, BridgeWish wish)
    {
        Told.Add((name, wish));
        return Task.FromResult(name == "cloud");
    }

    public Task<BridgeTrialAnswer?> TryBridgeAsync(string name, CancellationToken cancel) => Task.FromResult(
        name == "cloud" ? new BridgeTrialAnswer(false, [new BridgeTrialStep("tls", false, "the certificate has ended")]) : null);

    public bool TestWebhook(string name, string actor) => name == "hook" && actor == "op";

    public IReadOnlyList<LogLine> LogLines { get; set; } = [];

    public LogLevelAnswer LogLevel { get; private set; } = new("info", "info") { Areas = [new LogAreaAnswer("mqtt", "info", false)] };

    public bool SetLogLevel(string? area, string? level, TimeSpan? duration)
    {
        if (area is not (null or "mqtt")) return false;
        LogLevel = area is null ? LogLevel with { Level = level ?? "info", UntilSeconds = (long?)duration?.TotalSeconds }
            : LogLevel with { Areas = [new LogAreaAnswer(area, level ?? "info", level is not null)] };
        return true;
    }

    public ConfigCheckAnswer Check(string? toml, out string tag)
    {
        tag = Files;
        return new ConfigCheckAnswer
        {
            Valid = FileErrors.Length == 0 && toml is null or "",
            Errors = toml is null ? FileErrors : [.. FileErrors, toml],
            Changes = ["limits.max_sessions"],
        };
    }

    public ReloadResult? Reload(string by, Predicate<string> accepts)
    {
        if (!accepts(Files)) return null;
        Reloading?.Invoke();
        var result = new ReloadResult { Summary = "asked by " + by, Errors = FileErrors, Changed = FileErrors.Length == 0 ? ["all"] : [] };
        _reloads.Push(new ReloadEntry(DateTimeOffset.UnixEpoch, by, result));
        return result;
    }

    public IReadOnlyList<ReloadEntry> Reloads => [.. _reloads];

    ValueTask<AuthenticationResult> IAuthenticator.AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        string? user = request.TransportIdentity ?? request.UserName;
        bool isRight = request.TransportIdentity is not null || (user is null ? request.AnonymousAllowed && request.Password is null
            : request.Password is { } password && Encoding.UTF8.GetString(password) == "geheim");
        if (request.Password is { } jwt && Encoding.UTF8.GetString(jwt) == "a.signed.token") (user, isRight) = ("anna", true);
        return ValueTask.FromResult(isRight
            ? new AuthenticationResult(ReasonCode.Success, user, RightsOf(new AclSubject(user, request.ClientId, request.Listener)))
            : AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, "the password is wrong"));
    }

    /// <summary>Whether each request gets an object of rights of its own, as it does where rules name the user.</summary>
    public bool MakesRightsAnew { get; set; }

    private Permissions RightsOf(in AclSubject subject) => (MakesRightsAnew ? new AclRuleSet(Rules.Rules, Rules.Groups) : Rules).PermissionsFor(subject);

    /// <summary>Users whose login is not good any more.</summary>
    public HashSet<string> Removed { get; } = [];

    AuthenticationResult IAuthenticator.Review(AuthenticationResult identity, AclSubject subject) =>
        subject.UserName is { } user && Removed.Contains(user) ? AuthenticationResult.Refused(ReasonCode.NotAuthorized) : identity;

    public async ValueTask DisposeAsync()
    {
        foreach (HttpClient client in _clients) client.Dispose();
        await Web.DisposeAsync();
    }

    public static AccessToken Token(string name, HttpRole role, string token) => new(name, role, SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private void Extend(WebHost web)
    {
        var history = new HistoryRing(web.Time);
        var refusals = new RecentRefusals(web.Time);
        web.Broker.Events.Add(history);
        web.Broker.Events.Add(refusals);
        More?.Invoke(web.Site);
        ApiEndpoints.AddTo(web.Site, web.Broker, new BrokerView(web.Broker, refusals), history, web, this, this, web.Time);
    }
}
