using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Tls;
using EdgeBroker.Http.WebSockets;
using EdgeBroker.Mqtt;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Linux;
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
using SocketAddress = EdgeBroker.Transport.Linux.SocketAddress;

namespace EdgeBroker.Http;

/// <summary>
/// MQTT over WebSocket, and HTTP: Kestrel's sockets and HTTP, our TLS in front, the same MQTT connection behind. Made only when a listener needs it.
/// Event ids 5300-5399.
/// </summary>
public sealed partial class WebServer : IAsyncDisposable
{
    // What a connection may have waiting to be read by us; then the peer waits.
    private const int InputBufferBytes = 64 * 1024;
    private const int Backlog = 1024;
    private const double SlowestBodyBytesPerSecond = 240;
    private static readonly TimeSpan ShortestGrace = TimeSpan.FromSeconds(2);

    private readonly IAuthenticator _authenticator;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly MqttSessions _sessions;
    private readonly WebSocketEndpoint _webSockets;
    private readonly HttpSite _site;
    private readonly Broker _broker;
    private readonly ILogger _logger;
    private readonly ILoggerFactory _loggers;
    private readonly SocketConnectionContextFactory _connections;
    private volatile WebListener[] _listeners = [];
    private KestrelServerLimits? _limits;
    private WebApplication? _application;

    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="site">What HTTP listeners serve.</param>
    /// <param name="concurrency">Iterations of connections that run at once; one a core.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Event ids 5000-5399.</param>
    /// <param name="handshakes">Counts what becomes of TLS handshakes.</param>
    public WebServer(
        Broker broker,
        IAuthenticator authenticator,
        HttpSite site,
        int concurrency,
        TimeProvider time,
        ILoggerFactory loggers,
        TlsCounters handshakes)
    {
        Handshakes = handshakes;
        _broker = broker;
        _authenticator = authenticator;
        _time = time;
        _loggers = loggers;
        _connections = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions(), new FrameworkLoggers(loggers).CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets"));
        _logger = loggers.CreateLogger<WebServer>();
        _sessions = new MqttSessions(broker, concurrency, time);
        _webSockets = new WebSocketEndpoint(_sessions, site.Options, time);
        _site = site;
        site.WebSockets = _webSockets;
    }

    /// <summary>The listeners, in the order in which they began.</summary>
    public IReadOnlyList<IListener> Listeners => _listeners;

    /// <summary>The certificates in use at the moment.</summary>
    public IReadOnlyList<CertificateValidity> Certificates =>
        [.. _listeners.SelectMany(listener => listener.Tls?.Shared.Certificates ?? [])];

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
        // Recognises the requests; they are answered by WebSocketHandshake.
        _application.UseWebSockets();
        _application.Run(ServeAsync);
        await _application.StartAsync().ConfigureAwait(false);
    }

    /// <summary>Stops accepting, says goodbye to every client (5.0: DISCONNECT 0x8B), and waits until they are gone or the time is up.</summary>
    public async Task StopAsync(TimeSpan timeout, TimeProvider time)
    {
        if (_application is null) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (WebListener listener in _listeners) await listener.DisposeAsync().ConfigureAwait(false);
        _site.Stop();
        _sessions.Stop();
        using var deadline = new CancellationTokenSource(timeout, time);
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
        _connections.Dispose();
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
        // Of a body; MQTT over WebSocket has its own bounds for clients that are slow.
        limits.MinRequestBodyDataRate = new MinDataRate(SlowestBodyBytesPerSecond, connectTimeout > ShortestGrace ? connectTimeout : ShortestGrace);
        // Of answers: SendDeadline. The framework's rate counts what the socket has taken as if the peer had.
        limits.MinResponseDataRate = null;
    }

    private static Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next) =>
        connection.Features.GetRequiredFeature<WebListener>().AdmitAsync(connection, next);

    private async Task ServeAsync(HttpContext context)
    {
        try
        {
            WebListener listener = context.Features.GetRequiredFeature<WebListener>();
            if (context.Features.Get<TlsSession>()?.Certificate?.FindObjection() is { } objection)
            {
                listener.Report(WebListener.PeerOf(context.Connection), objection);
                context.Abort();
                return;
            }

            bool isHttp = listener.Settings.Protocol.SpeaksHttp();
            await (isHttp ? _site.ServeAsync(context, listener.Settings, listener.ServerCertificates) : _webSockets.ServeAsync(context)).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (IOException or OperationCanceledException or ObjectDisposedException))
        {
            // A bug: it costs this connection.
            _broker.ReportFault(exception, "serving " + WebListener.PeerOf(context.Connection));
            context.Abort();
        }
    }

    /// <summary>Binds an address and listens; a socket file has its permissions before anybody can connect.</summary>
    /// <param name="address">Where; one that was inherited listens already, with the permissions it has.</param>
    /// <param name="isIPv6Only">Whether an IPv6 socket leaves IPv4 to another.</param>
    internal Socket Bind(SocketAddress address, bool isIPv6Only)
    {
        if (InheritedSockets.OfProcess.TryOpen(address, out int inherited)) return new Socket(new SafeSocketHandle(inherited, ownsHandle: true));
        EndPoint endPoint = address.ToEndPoint();
        Socket socket = isIPv6Only && endPoint.AddressFamily == AddressFamily.InterNetworkV6
            ? BindIPv6Only(endPoint)
            : SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        try
        {
            if (endPoint is UnixDomainSocketEndPoint) SocketFiles[endPoint.ToString()!].Apply(endPoint.ToString()!);
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket BindIPv6Only(EndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = false };
        try
        {
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LoggerMessage(5300, LogLevel.Information, "listening for {Protocol} on {EndPoint}")]
    private static partial void LogListening(ILogger logger, string protocol, string endPoint);

    [LoggerMessage(5301, LogLevel.Warning, "{Count} secure or web connection(s) did not take their last bytes in time and are cut")]
    private static partial void LogLeft(ILogger logger, int count);
}
