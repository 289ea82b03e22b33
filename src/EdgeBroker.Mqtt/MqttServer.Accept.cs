using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Protocol;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.Reactors;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Mqtt;

// What a connection goes through before it speaks MQTT, on its own reactor.
public sealed partial class MqttServer
{
    private IConnectionHandler Accept(MqttListener listener, ReactorListener.Accepted accepted)
    {
        if (listener.Settings.Proxies is not { } proxies) return Serve(listener, accepted);
        var handshake = new ProxyHandshake(
            accepted.Transport,
            _broker.Options.ConnectTimeout,
            client => accepted.HandOver(client, behind => Serve(listener, behind)),
            cause => _broker.Events.ConnectRefused(
                new ConnectRefusedEvent(accepted.Transport.RemoteEndPoint, null, ReasonCode.ProtocolError, cause, listener.Settings.Address)));
        if (!proxies.Trusts(accepted.Transport.RemoteAddress)) handshake.Refuse(TrustedProxies.Refusal);
        else if (_isStopping) handshake.Shutdown();
        return handshake;
    }

    private IConnectionHandler Serve(MqttListener listener, ReactorListener.Accepted accepted) =>
        listener.Tls is not null
            ? TlsUser.Accept(this, listener, accepted)
            : Serve(listener, accepted.Transport, accepted.Reactor, isOneTooMany: accepted.IsOneTooMany);

    /// <summary>Speaks MQTT over a connection.</summary>
    /// <param name="listener">Whose it is.</param>
    /// <param name="transport">The bytes.</param>
    /// <param name="reactor">Its thread.</param>
    /// <param name="identity">The name its certificate has proved; null: none.</param>
    /// <param name="admission">What the limits of connections said to it; null: they were not asked.</param>
    /// <param name="isOneTooMany">Whether the listener has no place for it.</param>
    internal IConnectionHandler Serve(
        MqttListener listener, TransportConnection transport, Reactor reactor, string? identity = null, Admission? admission = null,
        bool isOneTooMany = false)
    {
        string cause = "";
        if (identity is null && listener.Settings.IdentifiesPeers) identity = _peerNames.Find(transport.PeerUserId, out cause);
        admission ??= isOneTooMany ? _broker.Limits.Connections.RefuseForListener() : null;
        var handshake = new Handshake(listener.Mqtt, transport, _contexts[reactor], identity, admission);
        // Who is to be known by the system and is not, does not come in by other ways.
        if (cause.Length > 0)
        {
            _broker.Events.ConnectRefused(
                new ConnectRefusedEvent(transport.RemoteEndPoint, null, ReasonCode.NotAuthorized, cause, listener.Settings.Address));
        }

        // Accepted before the listener closed, dealt out after the goodbyes.
        if (cause.Length > 0 || _isStopping) handshake.Shutdown();
        else if (listener.Mqtt.IsRemoved) handshake.LoseListener();
        return handshake;
    }

    private static void Shutdown(IConnectionHandler handler)
    {
        if (MqttOf(handler) is { } mqtt) mqtt.Shutdown();
        else if (handler is TlsConnection tls) tls.TryAbandon();
        else ((ProxyHandshake)handler).Shutdown();
    }

    // Null: it does not speak MQTT yet.
    private static IMqttHandler? MqttOf(IConnectionHandler handler) => handler switch
    {
        IMqttHandler mqtt => mqtt,
        TlsConnection { Handler: IMqttHandler secure } => secure,
        _ => null,
    };
}
