using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    /// <summary>
    /// The received messages, until the client ends. While the application does not take them, at most the configured number waits here and the server
    /// is not read on - so do not await the acknowledgement of an own publish between two messages of a busy subscription.
    /// </summary>
    /// <exception cref="MqttException">The connection was lost for good; thrown behind the last message.</exception>
    public async IAsyncEnumerable<ReceivedMessage> ReceiveAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await WaitToReceiveAsync(cancellationToken))
        {
            while (TryReceive(out ReceivedMessage? message)) yield return message;
        }
    }

    /// <summary>True when there may be a message to take, false when there will be none any more.</summary>
    /// <exception cref="MqttException">The connection was lost for good and all messages are taken.</exception>
    public ValueTask<bool> WaitToReceiveAsync(CancellationToken cancellationToken = default) => _incoming.WaitAsync(cancellationToken);

    /// <summary>Takes a message if there is one.</summary>
    public bool TryReceive([MaybeNullWhen(false)] out ReceivedMessage message)
    {
        if (!_incoming.TryTake(out message)) return false;
        if (!_options.AcknowledgeManually) message.Acknowledge();
        return true;
    }

    internal void Acknowledge(ReceivedMessage message)
    {
        lock (_session.SyncRoot)
        {
            if (message.IsAcknowledged || (message.QoS == QoS.ExactlyOnce && message.Epoch != _session.Incoming.Epoch)) return;
            message.IsAcknowledged = true;
            if (_connection is not { IsClosing: false } connection) return;
            if (message.QoS == QoS.ExactlyOnce) SendOwedPubrecs(connection);
            else if (message.Connection == connection) SendOwedPubacks(connection);
        }
    }

    private void SendOwedPubacks(Connection connection)
    {
        bool sent = false;
        while (connection.OwedPubacks.TryPeek(out ReceivedMessage? message) && message.IsAcknowledged)
        {
            connection.OwedPubacks.Dequeue();
            WriteAck(connection, PacketType.Puback, message.PacketId, ReasonCode.Success);
            sent = true;
        }

        if (sent) connection.Outgoing.Commit();
    }

    private void SendOwedPubrecs(Connection connection)
    {
        bool sent = false;
        while (connection.OwedPubrecs.TryPeek(out ReceivedMessage? message) && message.IsAcknowledged)
        {
            connection.OwedPubrecs.Dequeue();
            _session.Incoming.Acknowledged(message.PacketId);
            WriteAck(connection, PacketType.Pubrec, message.PacketId, ReasonCode.Success);
            sent = true;
        }

        if (sent) connection.Outgoing.Commit();
    }

    private void WriteAck(Connection connection, PacketType type, ushort packetId, ReasonCode reason) =>
        new AckPacket { Type = type, PacketId = packetId, ReasonCode = reason }.Write(connection.Outgoing.Writer, Version);
}
