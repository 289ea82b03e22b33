using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Reactors;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Mqtt.Tls;

/// <summary>
/// A connection of an <c>mqtts</c> listener, from before its handshake on. The limits of connections are asked first: of connections too many only the few that
/// may hear why get as far as TLS, which costs more than all the rest.
/// </summary>
internal sealed class TlsUser : ITlsUser
{
    private readonly MqttServer _server;
    private readonly MqttListener _listener;
    private readonly ReactorListener.Accepted _accepted;
    private readonly Admission _admission;

    private TlsUser(MqttServer server, MqttListener listener, ReactorListener.Accepted accepted)
    {
        _server = server;
        _listener = listener;
        _accepted = accepted;
        ConnectionLimiter connections = listener.Mqtt.Broker.Limits.Connections;
        _admission = accepted.IsOneTooMany ? connections.RefuseForListener() : connections.Enter(accepted.Transport.RemoteAddress);
    }

    /// <summary>Takes a connection just accepted; on its own thread.</summary>
    public static TlsConnection Accept(MqttServer server, MqttListener listener, ReactorListener.Accepted accepted)
    {
        var user = new TlsUser(server, listener, accepted);
        var connection = new TlsConnection(accepted, listener.Tls!, user);
        if (user._admission is { Limit: { } limit, MayHearWhy: false }) user.RejectSilently(connection, limit);
        else if (server.IsStopping || listener.Mqtt.IsRemoved) connection.TryAbandon();
        return connection;
    }

    /// <inheritdoc/>
    public IConnectionHandler Serve(TlsConnection connection, string? identity) =>
        _server.Serve(_listener, connection, _accepted.Reactor, identity, _admission);

    /// <inheritdoc/>
    public void OnEnded(TlsConnection connection)
    {
        if (_admission.Limit is null) _listener.Mqtt.Broker.Limits.Connections.Leave(connection.RemoteAddress);
    }

    private void RejectSilently(TlsConnection connection, LimitKind limit)
    {
        var broker = _listener.Mqtt.Broker;
        broker.Events.ConnectRefused(new ConnectRefusedEvent(
            connection.RemoteEndPoint, null, BrokerLimits.ReasonOf(limit), broker.Limits.Describe(limit) + " is reached", _listener.Settings.Address));
        connection.TryAbandon();
    }
}
