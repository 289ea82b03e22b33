using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Console;
using EdgeBroker.Http.Health;
using EdgeBroker.Http.Metrics;
using EdgeBroker.Http.Publishing;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.WebSockets;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace EdgeBroker.Http;

/// <summary>
/// What <c>http</c> and <c>https</c> listeners serve: endpoints that parts of the broker add, and everything a request goes through on its way to one of them -
/// path, host, origin, rates, login, role, parameters - and back, as JSON or as a problem.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without timer or wait handle holds nothing.")]
public sealed class HttpSite
{
    // A body must come at a kilobyte a second once five seconds have passed, and whoever gets an answer must take it.
    private static readonly MinDataRate LeastBodyRate = new(bytesPerSecond: 1024, gracePeriod: TimeSpan.FromSeconds(5));
    private static readonly MinDataRate LeastAnswerRate = new(bytesPerSecond: 1024, gracePeriod: TimeSpan.FromSeconds(15));

    private readonly Broker _broker;
    private readonly EndpointTable _endpoints = new();
    private readonly TimeProvider _time;
    private readonly RequestRates _callers;
    private readonly RequestRates _strangers;
    private readonly RequestCounters _counters = new();
    private readonly CancellationTokenSource _stopping = new();
    private long _requests;
    private int _hasBegun;

    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about users.</param>
    /// <param name="health">How the broker is.</param>
    /// <param name="options">Who may administer it; replaced by a reload.</param>
    /// <param name="audit">Where administrative actions are noted.</param>
    /// <param name="time">The clock.</param>
    public HttpSite(Broker broker, IAuthenticator authenticator, IHealth health, Replaceable<HttpOptions> options, AuditLog audit, TimeProvider time)
    {
        _broker = broker;
        _time = time;
        Options = options;
        Audit = audit;
        Once = new OnceTokens(time);
        Sessions = new CookieSessions(time);
        Streams = new OpenStreams(time);
        Authentication = new RequestAuthentication(broker, authenticator, options, Sessions, Once, time);
        _callers = new RequestRates(perSecond: 50, burst: 100, time);
        _counters.RegisterMeters(broker.Meters);
        _strangers = new RequestRates(perSecond: 10, burst: 20, time);
        Add(() => HealthEndpoints.Make(health, time, DescribeCluster));
        var clients = new HttpClients(broker);
        var wait = new StoreWait(broker, time);
        Publishing = new PublishEndpoints(broker, clients, new OnceOnly(broker, new IdempotencyKeys(time), wait), wait);
        Add(new TopicStream(this, clients, time).Make);
        Add(Publishing.Make);
        Add(ConsoleEndpoints.Make);
    }

    /// <summary>Who may administer the broker.</summary>
    public Replaceable<HttpOptions> Options { get; }

    /// <summary>How the other nodes are; null: there are none. Set before the first request.</summary>
    public Func<ClusterAnswer?> Cluster { get; set; } = static () => null;

    /// <summary>Where administrative actions are noted.</summary>
    public AuditLog Audit { get; }

    /// <summary>Lets one browser in once.</summary>
    public OnceTokens Once { get; }

    /// <summary>What there is to be asked for.</summary>
    public IReadOnlyList<HttpEndpoint> Endpoints => _endpoints.All;

    /// <summary>Ends when the broker stops: streams end then.</summary>
    internal CancellationToken Stopping => _stopping.Token;

    internal CookieSessions Sessions { get; }

    /// <summary>The event streams that are open.</summary>
    internal OpenStreams Streams { get; }

    internal RequestAuthentication Authentication { get; }

    /// <summary>Publishes in the name of whoever asks.</summary>
    internal PublishEndpoints Publishing { get; }

    /// <summary>Adds endpoints. Before the listeners start, on one thread; of two that fit a path the one added first answers.</summary>
    /// <param name="make">Makes them, once, when the first request comes.</param>
    public void Add(Func<IEnumerable<HttpEndpoint>> make) => _endpoints.Add(make);

    /// <summary>Serves MQTT over WebSocket; null: no server has started yet.</summary>
    internal WebSocketEndpoint? WebSockets { get; set; }

    /// <summary>Done once, when the first listener that serves this opens: what costs nothing while there is none.</summary>
    public Action? Beginning { get; set; }

    /// <summary>A listener that serves this opens.</summary>
    internal void Begin()
    {
        if (Interlocked.Exchange(ref _hasBegun, 1) == 0) Beginning?.Invoke();
    }

    /// <summary>How the other nodes are, or that there are none.</summary>
    internal ClusterAnswer DescribeCluster() => Cluster() ?? new ClusterAnswer("standalone", Options.Current.NodeName, 1);

    /// <summary>Has streams end.</summary>
    internal void Stop() => _stopping.Cancel();

    /// <summary>Judges who streams by the users and rules now in force.</summary>
    /// <returns>How many streams ended.</returns>
    internal int Review() => Streams.Review();

    /// <summary>Whether whoever began something long may still go on with it: a login may end meanwhile, and what is long is no activity.</summary>
    internal bool MayGoOn(Exchange exchange)
    {
        Caller caller = exchange.Caller;
        if (caller.Session is { } session)
        {
            HttpRole role = Authentication.RoleOf(session);
            return role >= HttpRole.Viewer && Sessions.IsOpen(session, role);
        }

        if (Authentication.Review(caller, exchange.Listener.Address).Reason != Protocol.ReasonCode.Success) return false;
        return caller.Proof switch
        {
            CallerProof.Token => Options.Current.Tokens.Any(token => token.Name == caller.Name && token.Role == caller.Role),
            CallerProof.Peer => true,
            _ => Options.Current.RoleOf(caller.Name) >= HttpRole.Viewer,
        };
    }

    /// <summary>Answers one request.</summary>
    internal async Task ServeAsync(HttpContext context, ListenerSettings listener, IReadOnlyList<X509Certificate2> certificates)
    {
        string requestId = NextId();
        context.Response.Headers["X-Request-Id"] = requestId;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        Exchange? exchange = null;
        var surface = HttpSurfaces.None;
        try
        {
            Exchange answered = Find(context, listener, requestId);
            surface = answered.Endpoint.Surface;
            await CheckAsync(answered, certificates).ConfigureAwait(false);
            exchange = answered;
            exchange.Answering = status => Note(answered, status);
            try
            {
                await exchange.Endpoint.Handle(exchange).ConfigureAwait(false);
            }
            finally
            {
                exchange.Release();
            }
        }
        catch (HttpProblem problem)
        {
            if (exchange is not null) Note(exchange, problem.Kind.Status);
            await RefuseAsync(context, listener, problem, exchange?.Path, requestId).ConfigureAwait(false);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException exception)
        {
            // Kestrel's own: a body that is too slow, too large, or not framed well.
            ProblemKind kind = exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? ProblemKind.TooLarge : ProblemKind.InvalidBody;
            await RefuseAsync(context, listener, new HttpProblem(kind, "the body is not one that HTTP knows, or did not come in time"), null, requestId)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (IOException or OperationCanceledException or ObjectDisposedException))
        {
            _broker.ReportFault(exception, $"answering request {requestId}");
            await RefuseAsync(context, listener, new HttpProblem(ProblemKind.Fault, "the log says more under this request id"), null, requestId)
                .ConfigureAwait(false);
        }
        finally
        {
            _counters.Count(surface, context.Response.StatusCode);
        }

        if (exchange is not null) Note(exchange, context.Response.StatusCode);
    }

    private Exchange Find(HttpContext context, ListenerSettings listener, string requestId)
    {
        RequestTarget target = RequestTarget.Parse(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        string method = context.Request.Method;
        HttpEndpoint? found = _endpoints.Find(listener.Serve, method, target, out Dictionary<string, string> arguments, out List<string> allowed);
        if (found is null) throw NotFound(context, target, allowed);
        var exchange = new Exchange(context, listener, found, target, arguments, requestId) { Address = AddressOf(context), Limits = _broker.Limits };
        LimitBody(context, found);
        return exchange;
    }

    private async ValueTask CheckAsync(Exchange exchange, IReadOnlyList<X509Certificate2> certificates)
    {
        HttpEndpoint found = exchange.Endpoint;
        HttpRequest request = exchange.Context.Request;
        if (found.Surface != HttpSurfaces.Health)
        {
            try
            {
                BrowserRules.CheckHost(request, exchange.Listener, Options.Current, certificates);
                BrowserRules.CheckSite(request, mayNavigate: found is { Surface: HttpSurfaces.Console, IsUnsafe: false });
                await AdmitAsync(exchange).ConfigureAwait(false);
            }
            catch (HttpProblem problem) when (found.Surface != HttpSurfaces.Publish)
            {
                // That a page of another site asks for something is worth knowing whatever it is.
                Note(exchange, problem.Kind.Status, isForeign: problem.Kind == ProblemKind.CrossSite || problem.Kind == ProblemKind.UnknownHost);
                throw;
            }
        }

        exchange.CheckQuery();
    }

    private async ValueTask AdmitAsync(Exchange exchange)
    {
        HttpEndpoint endpoint = exchange.Endpoint;
        HttpContext context = exchange.Context;
        string stranger = ClientNetwork.Of(context.Connection.RemoteIpAddress).ToString();
        if (endpoint.Access == EndpointAccess.Open)
        {
            // A login comes from somebody not known yet. The console's files are for anybody.
            if (endpoint.IsUnsafe) Slow(_strangers.Ask(stranger));
            return;
        }

        if (endpoint.Access == EndpointAccess.OpenApart && (exchange.Listener.Serve & (HttpSurfaces.Api | HttpSurfaces.Console)) == 0)
        {
            // Nobody has to be known here; who is does not stand in line with strangers who share the address.
            if (Authentication.KnowsAtOnce(context, exchange.Listener))
            {
                exchange.Caller = await Authentication.FindAsync(context, exchange.Listener, isRulesOnly: false, exchange.Address, isActivity: false)
                    .ConfigureAwait(false);
            }

            // A collector comes a few times a minute.
            Slow(exchange.Caller.Proof == CallerProof.Nothing ? _strangers.Ask(stranger) : _callers.Ask(exchange.Caller.Name));
            return;
        }

        bool isRules = endpoint.Access == EndpointAccess.Rules;
        // Whoever is known at a glance does not stand in line with strangers who share the address.
        if (!isRules && !Authentication.KnowsAtOnce(context, exchange.Listener)) Slow(_strangers.Ask(stranger, isTaken: false));
        bool isActivity = endpoint.IsActivity && !context.Request.Headers.ContainsKey("X-Background");
        Caller caller;
        try
        {
            caller = await Authentication.FindAsync(context, exchange.Listener, isRules, exchange.Address, isActivity).ConfigureAwait(false);
        }
        catch (HttpProblem)
        {
            _strangers.Ask(stranger);
            throw;
        }

        exchange.Caller = caller;
        bool isUnauthenticated = caller.Proof == CallerProof.Nothing;
        if (isUnauthenticated && (!isRules || !exchange.Listener.AllowAnonymous))
        {
            _strangers.Ask(stranger);
            throw new HttpProblem(ProblemKind.LoginNeeded, "a user and password, a token or a login is needed");
        }

        if (!isRules) Slow(_callers.Ask(caller.Name));
        if (caller.Role < endpoint.Role)
        {
            throw new HttpProblem(ProblemKind.RoleNeeded, $"this needs the role {endpoint.Role.ToWord()}; {caller.Name} has {caller.Role.ToWord()}")
            {
                Needs = endpoint.Role.ToWord(),
            };
        }

        if (caller.Session is { } session && endpoint.IsUnsafe) CheckCsrf(context.Request, session);
    }

    private static void CheckCsrf(HttpRequest request, CookieSession session)
    {
        string? token = request.Headers["X-CSRF-Token"];
        if (token is null || !System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(
            System.Text.Encoding.UTF8.GetBytes(token), System.Text.Encoding.UTF8.GetBytes(session.CsrfToken)))
        {
            throw new HttpProblem(ProblemKind.Csrf, "X-CSRF-Token must hold what /api/v1/me says");
        }

        if (!BrowserRules.IsProvedSameOrigin(request)) throw new HttpProblem(ProblemKind.CrossSite, "the request does not say that this site's page sent it");
    }

    private static void Slow(int seconds)
    {
        if (seconds > 0) throw new HttpProblem(ProblemKind.TooManyRequests, "too many requests") { RetryAfterSeconds = seconds };
    }

    private HttpProblem NotFound(HttpContext context, RequestTarget target, List<string> allowed)
    {
        if (allowed.Count > 0)
        {
            string list = string.Join(", ", allowed.Distinct());
            context.Response.Headers.Allow = list;
            return new HttpProblem(ProblemKind.WrongMethod, $"there are {list} here");
        }

        string detail = _endpoints.Encoded(target) is { } meant
            ? $"a client id or topic is one segment of the path; did you mean {meant}?"
            : "there is nothing here, or this listener does not serve it (listener.serve)";
        return new HttpProblem(ProblemKind.NoSuchEndpoint, detail);
    }

    private static void LimitBody(HttpContext context, HttpEndpoint endpoint)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = endpoint.IsUnsafe ? endpoint.MaxBodyBytes?.Invoke() ?? HttpEndpoint.UsualBodyBytes : 0;
        }

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } incoming) incoming.MinDataRate = LeastBodyRate;
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } outgoing) outgoing.MinDataRate = LeastAnswerRate;
    }

    private static async Task RefuseAsync(HttpContext context, ListenerSettings listener, HttpProblem problem, string? path, string requestId)
    {
        // Too late for a status: the connection ends, so that what was sent is not taken for the whole.
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        HttpResponse response = context.Response;
        response.StatusCode = problem.Kind.Status;
        response.ContentType = "application/problem+json";
        response.Headers.Remove("Content-Encoding");
        // The rest of the body is not read, which ends the connection: told so, the client sends its next request over another one.
        if (problem.Kind == ProblemKind.TooLarge) response.Headers.Connection = "close";
        if (problem.RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (problem.Kind.Status == StatusCodes.Status401Unauthorized && RequestAuthentication.ChallengeFor(context.Request) is { } challenge)
        {
            response.Headers.WWWAuthenticate = challenge;
        }

        byte[] body = JsonSerializer.SerializeToUtf8Bytes(ProblemAnswer.Of(problem, path, requestId), HttpJson.Default.ProblemAnswer);
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private void Note(Exchange exchange, int status, bool isForeign = false)
    {
        HttpEndpoint endpoint = exchange.Endpoint;
        bool isAbove = endpoint.Surface == HttpSurfaces.Publish && endpoint.IsUnsafe && exchange.Caller is { Proof: CallerProof.Token, Role: HttpRole.Admin };
        if (!(endpoint.IsUnsafe && endpoint.Surface != HttpSurfaces.Publish) && !endpoint.IsAudited && !isAbove && !isForeign) return;
        if (exchange.IsNoted) return;
        exchange.IsNoted = true;
        Caller caller = exchange.Caller;
        Audit.Add(new AuditEntry(
            _time.GetUtcNow(), caller.Name.Length == 0 ? null : caller.Name, caller.Role.ToWord(), caller.By, exchange.Address,
            endpoint.Action ?? $"{endpoint.Method} {endpoint.Pattern}", exchange.AuditTarget ?? exchange.FirstArgument, status, exchange.RequestId,
            exchange.AuditDetail));
    }

    private string NextId()
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return string.Create(CultureInfo.InvariantCulture, $"{nowMs:x}-{Interlocked.Increment(ref _requests):x}");
    }

    private static string AddressOf(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address ? new IPEndPoint(address, context.Connection.RemotePort).ToString() : "unix socket";
}
