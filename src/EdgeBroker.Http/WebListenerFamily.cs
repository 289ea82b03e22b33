using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http;

/// <summary>The listeners that a web framework serves: MQTT over WebSocket, and HTTP. The server is made when the first listener needs it.</summary>
/// <param name="broker">The broker.</param>
/// <param name="authenticator">Who decides about clients.</param>
/// <param name="site">What HTTP listeners serve.</param>
/// <param name="concurrency">Iterations of connections that run at once; one a core.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">Event ids 5000-5399.</param>
/// <param name="handshakes">Counts what becomes of TLS handshakes.</param>
public sealed class WebListenerFamily(
    Broker broker, IAuthenticator authenticator, HttpSite site, int concurrency, TimeProvider time, ILoggerFactory loggers, TlsCounters handshakes)
    : IListenerFamily
{
    private volatile WebServer? _server;

    /// <inheritdoc/>
    public IReadOnlySet<ListenerProtocol> Protocols { get; } = new HashSet<ListenerProtocol>
    {
        ListenerProtocol.Ws, ListenerProtocol.Wss, ListenerProtocol.Http, ListenerProtocol.Https,
    };

    /// <inheritdoc/>
    public IReadOnlyList<IListener> Listeners => _server?.Listeners ?? [];

    /// <summary>The certificates in use at the moment.</summary>
    public IReadOnlyList<CertificateValidity> Certificates => _server?.Certificates ?? [];

    /// <inheritdoc/>
    public Task StartAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<IListener> OpenAsync(ListenerSettings settings)
    {
        if (_server is { } present) return await present.OpenAsync(settings).ConfigureAwait(false);
        var server = new WebServer(broker, authenticator, site, concurrency, time, loggers, handshakes);
        try
        {
            await server.StartAsync().ConfigureAwait(false);
            IListener listener = await server.OpenAsync(settings).ConfigureAwait(false);
            _server = server;
            return listener;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public void ApplyLimits() => _server?.ApplyLimits();

    /// <inheritdoc/>
    public Task<int> ReviewAsync() => Task.FromResult(_server?.Review() ?? 0);

    /// <inheritdoc/>
    public Task StopAsync(TimeSpan timeout, TimeProvider time) => _server?.StopAsync(timeout, time) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
