using EdgeBroker.Core.Events;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Protocol;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Mqtt;

// What a connection goes through before it speaks MQTT, on its own reactor.
public sealed partial class MqttServer
{
    private IConnectionHandler Accept(MqttListener listener, ReactorListener.Accepted accepted)
    {
        if (listener.Settings.Proxies is not { } proxies) return Serve(listener, accepted);
        var gate = new ProxyGate(
            accepted.Transport,
            _broker.Options.ConnectTimeout,
            client => accepted.HandOver(client, behind => Serve(listener, behind)),
            cause => _broker.Events.ConnectRefused(
                new ConnectRefusedEvent(accepted.Transport.RemoteEndPoint, null, ReasonCode.ProtocolError, cause, listener.Settings.Address)));
        if (!proxies.Trusts(accepted.Transport.RemoteAddress)) gate.Refuse(TrustedProxies.Refusal);
        else if (_isStopping) gate.Shutdown();
        return gate;
    }

    private Handshake Serve(MqttListener listener, ReactorListener.Accepted accepted)
    {
        string cause = "";
        string? identity = listener.Settings.IdentifiesPeers ? _peerNames.Find(accepted.Transport.PeerUserId, out cause) : null;
        var handshake = new Handshake(listener.Mqtt, accepted.Transport, _contexts[accepted.Reactor], identity);
        // Who is to be known by the system and is not, does not come in by other ways.
        if (cause.Length > 0)
        {
            _broker.Events.ConnectRefused(
                new ConnectRefusedEvent(accepted.Transport.RemoteEndPoint, null, ReasonCode.NotAuthorized, cause, listener.Settings.Address));
        }

        // Accepted before the listener closed, dealt out after the goodbyes.
        if (cause.Length > 0 || _isStopping) handshake.Shutdown();
        else if (listener.Mqtt.IsRemoved) handshake.LoseListener();
        return handshake;
    }

    private static void Shutdown(IConnectionHandler handler)
    {
        if (handler is IMqttHandler mqtt) mqtt.Shutdown();
        else ((ProxyGate)handler).Shutdown();
    }
}
