using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>
/// Whoever uses a <see cref="PacketConnection"/>: takes what comes. Called by one thread at a time, but for <see cref="OnRoom"/>.
/// </summary>
public interface IPacketHandler
{
    /// <summary>Whether a packet of this type can be taken now; else it stays unread until <see cref="WaitToReceiveAsync"/> ends.</summary>
    bool IsReadyFor(PacketType type) => true;

    /// <summary>
    /// Takes a packet of the server, which is borrowed: all but PINGRESP and DISCONNECT, which the connection takes itself. Throws an
    /// <see cref="MqttException"/> to end the connection.
    /// </summary>
    /// <param name="frame">The packet.</param>
    /// <param name="packet">All its bytes.</param>
    /// <returns>False: not now; it stays unread until <see cref="WaitToReceiveAsync"/> ends.</returns>
    bool TryReceive(in Frame frame, ReadOnlySpan<byte> packet);

    /// <summary>Ends when it is worth offering the packet again.</summary>
    Task WaitToReceiveAsync(CancellationToken cancellationToken);

    /// <summary>All packets that have come so far are taken, or one has to wait.</summary>
    void OnReceived()
    {
    }

    /// <summary>Called under the connection's lock: what waited is on its way, and there is room for more.</summary>
    void OnRoom();
}
