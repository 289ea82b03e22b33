using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Tls;
using EdgeBroker.Mqtt;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http;

/// <summary>One listener at work: who may come in, and what each connection goes through before it speaks MQTT. Event ids 5200-5299.</summary>
internal sealed partial class WebListener : IListener, IAsyncDisposable
{
    private const int TcpKeepAliveSeconds = 600;
    private static readonly TimeSpan DisconnectTimeout = TimeSpan.FromSeconds(1);

    private readonly WebServer _server;
    private readonly Broker _broker;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping;
    private readonly LogBudget _foreign;
    private readonly PeerNames _peerNames;
    private volatile ListenerSettings _settings;
    private int _open;

    /// <exception cref="CertificateFileException">A certificate file cannot be used.</exception>
    internal WebListener(
        WebServer server, ListenerSettings settings, Broker broker, IAuthenticator authenticator, TimeProvider time, ILogger logger,
        CancellationToken stopping)
    {
        _server = server;
        _settings = settings;
        _broker = broker;
        _time = time;
        _logger = logger;
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _peerNames = new PeerNames(time);
        _foreign = new LogBudget(time, each: 5, all: 100, (peer, held) => LogForeignHeldBack(logger, Settings.Name, peer ?? "other addresses", held));
        Mqtt = new MqttEndpoint(broker, authenticator, settings.AllowAnonymous)
        {
            Listener = settings.Address,
            Transport = settings.Protocol == ListenerProtocol.Wss ? "wss" : "ws",
        };
        if (settings.Tls is not null)
        {
            // Whoever is connected by a certificate that is not good any more is to go.
            Tls = new TlsHandshaker(new ListenerTls(settings.Tls, settings.Name, time, logger, server.Handshakes) { Replaced = () => server.Review() });
        }
    }

    /// <inheritdoc/>
    public ListenerSettings Settings => _settings;

    /// <inheritdoc/>
    public string EndPoint { get; private set; } = "";

    /// <summary>What its MQTT connections share.</summary>
    internal MqttEndpoint Mqtt { get; }

    /// <summary>Its TLS; null: plain.</summary>
    internal TlsHandshaker? Tls { get; }

    /// <summary>The certificates it shows.</summary>
    internal IReadOnlyList<X509Certificate2> ServerCertificates => Tls is null ? [] : [.. Tls.Shared.Material.Certificates.Select(pair => pair.Certificate)];

    /// <summary>Connections that are open.</summary>
    internal int OpenCount => Volatile.Read(ref _open);

    /// <summary>Takes a connection just accepted through the listener's checks.</summary>
    internal async Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // Accepted before the listener was removed, and come to its turn after.
        if (Mqtt.IsRemoved) return;
        UnmapAddress(connection);
        string peer = PeerOf(connection.RemoteEndPoint);
        if (Interlocked.Increment(ref _open) > Settings.MaxConnections)
        {
            Interlocked.Decrement(ref _open);
            _broker.Events.ConnectRefused(
                new ConnectRefusedEvent(peer, null, ReasonCode.ServerBusy, "max_connections of the listener is reached", Settings.Address));
            return;
        }

        IDuplexPipe transport = connection.Transport;
        try
        {
            var deadline = new SendDeadline(transport.Output, _time, () => _broker.Limits.Current.SendTimeout, () => CutSlow(connection, peer));
            connection.Features.Set(deadline);
            connection.Transport = new TimedTransport(transport.Input, deadline);
            KeepAlive(connection);
            if (await IntroduceAsync(connection).ConfigureAwait(false)) await ServeAdmittedAsync(connection, next).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (IOException or OperationCanceledException or ObjectDisposedException))
        {
            // A bug: it costs this connection.
            _broker.ReportFault(exception, "serving " + peer);
        }
        finally
        {
            connection.Transport = transport;
            Interlocked.Decrement(ref _open);
            _ = CutLaterAsync(connection);
        }
    }

    /// <summary>Asks whether the broker takes one more connection: before TLS, which costs more than all the rest.</summary>
    private async Task ServeAdmittedAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        string peer = PeerOf(connection.RemoteEndPoint);
        ConnectionLimiter limiter = _broker.Limits.Connections;
        IPAddress? address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        Admission admission = limiter.Enter(address);
        if (admission is { Limit: { } limit, MayHearWhy: false })
        {
            _broker.Events.ConnectRefused(
                new ConnectRefusedEvent(peer, null, BrokerLimits.ReasonOf(limit), _broker.Limits.Describe(limit) + " is reached", Settings.Address));
            return;
        }

        try
        {
            connection.Features.Set(new ConnectionAdmission(admission));
            ConnectionDelegate serve = plain => ServePlainAsync(plain, peer, next);
            if (Tls is not null) await Tls.ServeAsync(connection, peer, serve, _stopping.Token).ConfigureAwait(false);
            else await serve(connection).ConfigureAwait(false);
        }
        finally
        {
            if (admission.Limit is null) limiter.Leave(address);
        }
    }

    /// <summary>Where a connection comes from, for logs.</summary>
    internal static string PeerOf(EndPoint? remote) => remote is IPEndPoint peer ? peer.ToString() : "unix socket";

    /// <summary>The same of a request's connection.</summary>
    internal static string PeerOf(ConnectionInfo connection) =>
        PeerOf(connection.RemoteIpAddress is { } address ? new IPEndPoint(address, connection.RemotePort) : null);

    /// <summary>Learns for whom a proxy connects, and which user runs the client, where the listener wants to know; false: the connection is refused.</summary>
    private async ValueTask<bool> IntroduceAsync(ConnectionContext connection)
    {
        if (Settings.Proxies is { } proxies)
        {
            var introduction = new ProxyIntroduction(proxies, _broker.Options.ConnectTimeout, _time);
            if (await introduction.ReadAsync(connection, _stopping.Token).ConfigureAwait(false) is { } cause)
            {
                if (cause.Length > 0) Refuse(connection, ReasonCode.ProtocolError, cause);
                return false;
            }
        }

        if (!Settings.IdentifiesPeers) return true;
        uint? userId = connection.Features.Get<IConnectionSocketFeature>() is { } feature ? PeerCredentials.UserIdOf(feature.Socket) : null;
        if (_peerNames.Find(userId, out string unknown) is not { } name)
        {
            Refuse(connection, ReasonCode.NotAuthorized, unknown);
            return false;
        }

        connection.Features.Set(new LocalPeer(name));
        return true;
    }

    private void Refuse(ConnectionContext connection, ReasonCode reason, string cause) =>
        _broker.Events.ConnectRefused(new ConnectRefusedEvent(PeerOf(connection.RemoteEndPoint), null, reason, cause, Settings.Address));

    private async Task ServePlainAsync(ConnectionContext connection, string peer, ConnectionDelegate next)
    {
        if (await SpeaksHttpAsync(connection, peer).ConfigureAwait(false)) await next(connection).ConfigureAwait(false);
    }

    private async Task<bool> SpeaksHttpAsync(ConnectionContext connection, string peer)
    {
        using var timeout = new CancellationTokenSource(_broker.Options.ConnectTimeout, _time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        try
        {
            if (await FirstByte.PeekAsync(connection.Transport.Input, ending.Token).ConfigureAwait(false) is not { } first) return false;
            if (FirstByte.ExplainToHttp(first, Settings.Protocol.ToWord()) is not { } cause) return true;
            Report(peer, cause);
            return false;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // Who says nothing, or goes, is let go.
            return false;
        }
    }

    private void CutSlow(ConnectionContext connection, string peer)
    {
        _broker.Limits.Report(LimitKind.SendTimeout, LimitAction.Disconnected, peer);
        connection.Abort(new ConnectionAbortedException("the peer takes nothing (limits.send_timeout)"));
    }

    // The framework waits for as long as it takes until the peer has its last bytes, and the place of the connection is given away by then.
    private async Task CutLaterAsync(ConnectionContext connection)
    {
        await Task.Delay(DisconnectTimeout, _time).ConfigureAwait(false);
        connection.Abort(new ConnectionAbortedException("the peer does not take its last bytes"));
    }

    /// <summary>Reports a client that does not get as far as MQTT.</summary>
    internal void Report(string peer, string cause)
    {
        if (_foreign.Admit(ListenerTls.HostOf(peer))) LogForeign(_logger, Settings.Name, peer, cause);
    }

    // A socket for both families has the addresses of one within the other; users, limits and logs know them as what they are.
    private static void UnmapAddress(ConnectionContext connection)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped) return;
        connection.RemoteEndPoint = new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port);
    }

    // A client without keep alive whose cable was pulled would otherwise stay for ever.
    private static void KeepAlive(ConnectionContext connection)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { AddressFamily: not AddressFamily.Unix } socket) return;
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, TcpKeepAliveSeconds);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Gone already; reading from it will say so.
        }
    }

    [LoggerMessage(5200, LogLevel.Warning, "{Listener}: connection from {Peer} ended: {Cause}")]
    private static partial void LogForeign(ILogger logger, string listener, string peer, string cause);

    [LoggerMessage(5203, LogLevel.Warning, "{Listener}: {Count} more connections from {Peer} ended like that within 10 s")]
    private static partial void LogForeignHeldBack(ILogger logger, string listener, string peer, long count);

    private sealed record TimedTransport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
