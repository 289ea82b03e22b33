using EdgeBroker.Transport;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// An MQTT connection as its server sees it: a <see cref="Handshake"/> up to CONNACK, a <see cref="MqttConnection"/> from there on. All on the connection's own
/// thread.
/// </summary>
public interface IMqttHandler : IConnectionHandler
{
    /// <summary>What it shares with the other connections of its listener.</summary>
    MqttEndpoint Endpoint { get; }

    /// <summary>Ends the connection because the broker stops. A 5.0 client that is connected is told 0x8B.</summary>
    void Shutdown();

    /// <summary>Ends the connection because its listener is no more. A 5.0 client that is connected is told 0x98.</summary>
    void LoseListener();

    /// <summary>
    /// Users, rules or the listener's settings were replaced: judges a connected client by what is in force now. One that is not let in yet is judged when it
    /// is.
    /// </summary>
    /// <returns>Whether it was disconnected.</returns>
    bool Review();
}
