using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Tls;
using EdgeBroker.Http.WebSockets;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SocketAddress = EdgeBroker.Transport.Reactors.SocketAddress;

namespace EdgeBroker.Http;

/// <summary>
/// MQTT over TLS and WebSocket: Kestrel's sockets and HTTP, our TLS in front, the same MQTT connection behind. Made only when a listener needs it. Event ids 5300-5399.
/// </summary>
public sealed partial class WebServer : ICertificateExpiry, IAsyncDisposable
{
    // What a connection may have waiting to be read by us; then the peer waits.
    private const int InputBufferBytes = 64 * 1024;

    private readonly List<WebListener> _listeners = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly MqttSessions _sessions;
    private readonly WebSocketEndpoint _webSockets;
    private readonly Broker _broker;
    private readonly ILogger _logger;
    private readonly ILoggerFactory _loggers;
    private WebApplication? _application;

    /// <param name="listeners">At least one.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="concurrency">Turns of connections that run at once; one a core.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Event ids 5000-5399.</param>
    /// <exception cref="CertificateFileException">A certificate file cannot be used.</exception>
    public WebServer(IEnumerable<WebListenerOptions> listeners, Broker broker, IAuthenticator authenticator, int concurrency, TimeProvider time, ILoggerFactory loggers)
    {
        _broker = broker;
        _loggers = loggers;
        _logger = loggers.CreateLogger<WebServer>();
        _sessions = new MqttSessions(broker, concurrency, time);
        _webSockets = new WebSocketEndpoint(_sessions, time);
        foreach (WebListenerOptions options in listeners) _listeners.Add(new WebListener(options, broker, authenticator, time, _logger, _stopping.Token));
    }

    /// <summary>Where the listeners listen, in the order they were given; once started.</summary>
    public IReadOnlyList<string> EndPoints { get; private set; } = [];

    /// <inheritdoc/>
    public IReadOnlyList<CertificateValidity> Certificates =>
        [.. _listeners.SelectMany(listener => listener.Certificates.Select(pair =>
            new CertificateValidity(listener.Name, pair.File, CertificateFindings.Shown(pair.Certificate), new DateTimeOffset(pair.Certificate.NotAfter))))];

    /// <summary>TLS handshakes that succeeded, failed, and were turned away, of all listeners.</summary>
    public (long Succeeded, long Failed, long Refused) Handshakes =>
        (_listeners.Sum(l => l.Tls?.Handshakes ?? 0), _listeners.Sum(l => l.Tls?.Failures ?? 0), _listeners.Sum(l => l.Tls?.Refusals ?? 0));

    /// <summary>Listens and serves.</summary>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    /// <exception cref="FormatException">An address makes no sense.</exception>
    public async Task StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new FrameworkLoggers(_loggers));
        builder.Services.AddSingleton<IHostLifetime, CallerLifetime>();
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = Bind);
        var bound = new List<ListenOptions>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            Limit(kestrel.Limits);
            kestrel.AddServerHeader = false;
            foreach (WebListener listener in _listeners) Listen(kestrel, listener, bound);
        });
        _application = builder.Build();
        // A WebSocket's pings are MQTT's own; the compression of WebSocket is not offered.
        _application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        _application.Run(_webSockets.ServeAsync);
        await _application.StartAsync().ConfigureAwait(false);
        EndPoints = [.. _listeners.Zip(bound, (listener, options) => Shown(listener, options))];
        for (int i = 0; i < _listeners.Count; i++) LogListening(_logger, _listeners[i].Options.ProtocolName, EndPoints[i]);
    }

    /// <summary>Stops accepting, says goodbye to every client (5.0: DISCONNECT 0x8B), and waits until they are gone or the time is up.</summary>
    public async Task StopAsync(TimeSpan patience, TimeProvider time)
    {
        if (_application is null) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
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

        foreach (WebListener listener in _listeners)
        {
            if (listener.Options.Address.StartsWith("unix:", StringComparison.Ordinal)) UnixSocketFile.RemoveStale(listener.Options.Address["unix:".Length..]);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (WebListener listener in _listeners) listener.Dispose();
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

    private void Listen(KestrelServerOptions kestrel, WebListener listener, List<ListenOptions> bound)
    {
        void Configure(ListenOptions options)
        {
            bound.Add(options);
            options.Protocols = HttpProtocols.Http1;
            options.Use(next => connection => listener.AdmitAsync(connection, next));
            if (listener.Options.Protocol == WebProtocol.Mqtts) options.Run(connection => ServeMqttAsync(listener, connection));
        }

        EndPoint endPoint = SocketAddress.Parse(listener.Options.Address).ToEndPoint();
        if (endPoint is IPEndPoint ip)
        {
            kestrel.Listen(ip, Configure);
            return;
        }

        string path = listener.Options.Address["unix:".Length..];
        UnixSocketFile.RemoveStale(path);
        kestrel.ListenUnixSocket(path, Configure);
    }

    // As the framework would, but that a socket file has its permissions before anybody can connect.
    private Socket Bind(EndPoint endPoint)
    {
        Socket socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        if (endPoint is not UnixDomainSocketEndPoint) return socket;
        string address = "unix:" + endPoint;
        try
        {
            _listeners.Find(listener => listener.Options.Address == address)!.Options.SocketFile.Apply(address["unix:".Length..]);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ServeMqttAsync(WebListener listener, ConnectionContext connection)
    {
        Exception? failure = await _sessions.ServeAsync(listener.Mqtt, connection.Transport, connection.RemoteEndPoint, LocalPeer.IdentityOf(connection.Features)).ConfigureAwait(false);
        if (HandshakeFailure.Alert(failure) is { } cause) listener.Tls!.ReportAlert(WebListener.PeerOf(connection.RemoteEndPoint), cause);
    }

    private static string Shown(WebListener listener, ListenOptions options) => options.IPEndPoint?.ToString() ?? listener.Options.Address;

    [LoggerMessage(5300, LogLevel.Information, "listening for {Protocol} on {EndPoint}")]
    private static partial void LogListening(ILogger logger, string protocol, string endPoint);

    [LoggerMessage(5301, LogLevel.Warning, "{Count} secure or web connection(s) did not take their last bytes in time and are cut")]
    private static partial void LogLeft(ILogger logger, int count);
}
