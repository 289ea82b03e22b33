using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Health;
using EdgeBroker.Http.Tls;
using EdgeBroker.Http.WebSockets;
using EdgeBroker.Mqtt;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http;

/// <summary>
/// MQTT over TLS and WebSocket, and HTTP: Kestrel's sockets and HTTP, our TLS in front, the same MQTT connection behind. Made only when a listener needs it.
/// Event ids 5300-5399.
/// </summary>
public sealed partial class WebServer : IAsyncDisposable
{
    // What a connection may have waiting to be read by us; then the peer waits.
    private const int InputBufferBytes = 64 * 1024;

    private readonly IAuthenticator _authenticator;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly MqttSessions _sessions;
    private readonly WebSocketEndpoint _webSockets;
    private readonly HealthEndpoint _health;
    private readonly Broker _broker;
    private readonly ILogger _logger;
    private readonly ILoggerFactory _loggers;
    private volatile WebListener[] _listeners = [];
    private KestrelServerLimits? _limits;
    private WebApplication? _application;

    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="health">How the broker is, for HTTP.</param>
    /// <param name="concurrency">Turns of connections that run at once; one a core.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Event ids 5000-5399.</param>
    /// <param name="handshakes">Counts on where another server ended; null: it counts its own.</param>
    public WebServer(
        Broker broker,
        IAuthenticator authenticator,
        IHealth health,
        int concurrency,
        TimeProvider time,
        ILoggerFactory loggers,
        TlsCounters? handshakes = null)
    {
        Handshakes = handshakes ?? new TlsCounters();
        _broker = broker;
        _authenticator = authenticator;
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<WebServer>();
        _sessions = new MqttSessions(broker, concurrency, time);
        _webSockets = new WebSocketEndpoint(_sessions, time);
        _health = new HealthEndpoint(health);
    }

    /// <summary>The listeners, in the order in which they began.</summary>
    public IReadOnlyList<IListener> Listeners => _listeners;

    /// <summary>The certificates in use at the moment.</summary>
    public IReadOnlyList<CertificateValidity> Certificates =>
        [.. _listeners.SelectMany(listener => listener.Certificates.Select(pair => new CertificateValidity(
            listener.Settings.Name, pair.File, CertificateFindings.Shown(pair.Certificate), new DateTimeOffset(pair.Certificate.NotAfter))))];

    /// <summary>What became of TLS handshakes.</summary>
    public TlsCounters Handshakes { get; }

    /// <summary>Serves what listeners bring.</summary>
    public async Task StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new FrameworkLoggers(_loggers));
        builder.Services.AddSingleton<IHostLifetime, CallerLifetime>();
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton<IConnectionListenerFactory>(Hub);
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = Bind);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            _limits = kestrel.Limits;
            Limit(kestrel.Limits);
            kestrel.AddServerHeader = false;
            kestrel.Listen(Hub.EndPoint, options =>
            {
                options.Protocols = HttpProtocols.Http1;
                options.Use(next => connection => AdmitAsync(connection, next));
            });
        });
        _application = builder.Build();
        Sockets = _application.Services.GetServices<IConnectionListenerFactory>().First(factory => factory != Hub);
        // Recognises the requests; they are answered by WebSocketHandshake.
        _application.UseWebSockets();
        _application.Run(ServeAsync);
        await _application.StartAsync().ConfigureAwait(false);
    }

    /// <summary>Stops accepting, says goodbye to every client (5.0: DISCONNECT 0x8B), and waits until they are gone or the time is up.</summary>
    public async Task StopAsync(TimeSpan patience, TimeProvider time)
    {
        if (_application is null) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (WebListener listener in _listeners) await listener.SuspendAsync().ConfigureAwait(false);
        _sessions.Stop();
        using var deadline = new CancellationTokenSource(patience, time);
        try
        {
            await _application.StopAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LogLeft(_logger, _sessions.Count);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (WebListener listener in _listeners) await listener.AbandonAsync().ConfigureAwait(false);
        if (_application is not null) await _application.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void Limit(KestrelServerLimits limits)
    {
        TimeSpan connectTimeout = _broker.Options.ConnectTimeout;
        limits.RequestHeadersTimeout = connectTimeout;
        limits.KeepAliveTimeout = connectTimeout;
        limits.MaxRequestBodySize = InputBufferBytes;
        limits.MaxRequestBufferSize = InputBufferBytes;
        limits.MaxRequestHeadersTotalSize = 16 * 1024;
        // MQTT has its own bounds for clients that are slow.
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
    }

    private Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        WebListener listener = connection.Features.GetRequiredFeature<WebListener>();
        return listener.AdmitAsync(connection, listener.Settings.Protocol == ListenerProtocol.Mqtts ? ServeMqttAsync : next);
    }

    private async Task ServeAsync(HttpContext context)
    {
        try
        {
            bool isHttp = context.Features.GetRequiredFeature<WebListener>().Settings.Protocol.SpeaksHttp();
            await (isHttp ? _health.ServeAsync(context) : _webSockets.ServeAsync(context)).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (IOException or OperationCanceledException or ObjectDisposedException))
        {
            // A bug: it costs this connection.
            string peer = context.Connection.RemoteIpAddress is { } address ? new IPEndPoint(address, context.Connection.RemotePort).ToString() : "unix socket";
            _broker.ReportFault(exception, "serving " + peer);
            context.Abort();
        }
    }

    // As the framework would, but that a socket file has its permissions before anybody can connect.
    private Socket Bind(EndPoint endPoint)
    {
        Socket socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        if (endPoint is not UnixDomainSocketEndPoint) return socket;
        string path = endPoint.ToString()!;
        try
        {
            SocketFiles[path].Apply(path);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ServeMqttAsync(ConnectionContext connection)
    {
        WebListener listener = connection.Features.GetRequiredFeature<WebListener>();
        Admission admission = connection.Features.GetRequiredFeature<GateVerdict>().Admission;
        string peer = WebListener.PeerOf(connection.RemoteEndPoint);
        IPAddress? address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        Exception? failure = await _sessions
            .ServeAsync(listener.Mqtt, connection.Transport, peer, address, LocalPeer.IdentityOf(connection.Features), admission).ConfigureAwait(false);
        if (HandshakeFailure.Alert(failure) is { } cause) listener.Tls!.ReportAlert(peer, cause);
    }

    [LoggerMessage(5300, LogLevel.Information, "listening for {Protocol} on {EndPoint}")]
    private static partial void LogListening(ILogger logger, string protocol, string endPoint);

    [LoggerMessage(5301, LogLevel.Warning, "{Count} secure or web connection(s) did not take their last bytes in time and are cut")]
    private static partial void LogLeft(ILogger logger, int count);
}
