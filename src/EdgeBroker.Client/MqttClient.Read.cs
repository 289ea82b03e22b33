using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    /// <summary>Takes what comes over one connection.</summary>
    private sealed class Receiver(MqttClient client, Connection connection) : IPacketHandler
    {
        public bool IsReadyFor(PacketType type) => type != PacketType.Publish || !client._incoming.IsFull;

        public bool TryReceive(in Frame frame, ReadOnlySpan<byte> packet)
        {
            client.Handle(connection, frame, packet);
            return true;
        }

        public Task WaitToReceiveAsync(CancellationToken cancellationToken) => client._incoming.WaitForSpaceAsync(cancellationToken);

        public void OnRoom() => client.SendNext(connection);
    }

    private void Handle(Connection connection, in Frame frame, ReadOnlySpan<byte> packet)
    {
        switch (frame.Type)
        {
            case PacketType.Publish:
                HandlePublish(connection, frame, packet);
                break;
            case PacketType.Puback:
            case PacketType.Pubrec:
            case PacketType.Pubrel:
            case PacketType.Pubcomp:
                if (!AckPacket.TryParse(frame, Version, out AckPacket ack, out ParseError error)) throw MqttException.Violation(error);
                lock (_session.SyncRoot) HandleAck(connection, ack);
                break;
            case PacketType.Suback:
            case PacketType.Unsuback:
                HandleAnswer(connection, frame);
                break;
            default:
                HandleAuth(connection, frame);
                break;
        }
    }

    private void HandlePublish(Connection connection, in Frame frame, ReadOnlySpan<byte> packet)
    {
        if (!PublishPacket.TryParse(frame, Version, out PublishPacket publish, out ParseError error)) throw MqttException.Violation(error);
        byte[]? aliasedTopic = connection.Aliases.Resolve(publish);
        ReceivedMessage message;
        lock (_session.SyncRoot)
        {
            if (publish.QoS == QoS.ExactlyOnce && _session.Incoming.IsKnown(publish.PacketId, out ReceivedMessage? known))
            {
                HandleRepeated(connection, publish.PacketId, known);
                return;
            }

            message = new ReceivedMessage(this, connection, _session.Incoming.Epoch, packet, frame, publish, aliasedTopic);
            if (publish.QoS != QoS.AtMostOnce) Owe(connection, message);
        }

        _counters.CountReceived();
        if (_responses.TryTake(message)) message.Acknowledge();
        else _incoming.Add(message);
    }

    // The application has the message already, or had it; only the acknowledgement is repeated.
    private void HandleRepeated(Connection connection, ushort packetId, ReceivedMessage? unacknowledged)
    {
        if (unacknowledged is null)
        {
            WriteAck(connection, PacketType.Pubrec, packetId, ReasonCode.Success);
            connection.Outgoing.Commit();
            return;
        }

        if (connection.OwedPubrecs.Contains(unacknowledged)) return;
        connection.OwedPubrecs.Enqueue(unacknowledged);
        CountExactlyOnce(connection);
        SendOwedPubrecs(connection);
    }

    private void Owe(Connection connection, ReceivedMessage message)
    {
        if (message.QoS == QoS.AtLeastOnce)
        {
            connection.OwedPubacks.Enqueue(message);
            CheckReceiveMaximum(connection);
            return;
        }

        _session.Incoming.Add(message.PacketId, message);
        connection.OwedPubrecs.Enqueue(message);
        CountExactlyOnce(connection);
    }

    private void CountExactlyOnce(Connection connection)
    {
        connection.OpenExactlyOnce++;
        CheckReceiveMaximum(connection);
    }

    private void CheckReceiveMaximum(Connection connection)
    {
        if (Version == ProtocolVersion.V5
            && connection.OwedPubacks.Count + connection.OpenExactlyOnce > _options.ReceiveMaximum + _options.ReceiveMaximumTolerance)
        {
            throw MqttException.Violation(ReasonCode.ReceiveMaximumExceeded, "more messages are in flight than Receive Maximum allows");
        }
    }

    private void HandleAck(Connection connection, in AckPacket ack)
    {
        if (ack.Type == PacketType.Pubrel)
        {
            bool known = _session.Incoming.Release(ack.PacketId);
            if (connection.OpenExactlyOnce > 0) connection.OpenExactlyOnce--;
            WriteAck(connection, PacketType.Pubcomp, ack.PacketId, known ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound);
            connection.Outgoing.Commit();
            return;
        }

        OutgoingDelivery? delivery = _session.Outgoing.Find(ack.PacketId);
        if (delivery is not { WasSent: true })
        {
            // An answer to a question of an earlier session; only PUBREC must be answered, or the server asks for ever.
            if (ack.Type != PacketType.Pubrec || ack.ReasonCode.IsError()) return;
            WriteAck(connection, PacketType.Pubrel, ack.PacketId, ReasonCode.PacketIdentifierNotFound);
            connection.Outgoing.Commit();
            return;
        }

        if (delivery.QoS == QoS.AtLeastOnce != (ack.Type == PacketType.Puback))
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "a message was acknowledged in the manner of another QoS");
        }

        if (ack.Type == PacketType.Pubcomp && !delivery.IsReleased) throw MqttException.Violation(ReasonCode.ProtocolError, "PUBCOMP came before PUBREC");
        if (ack.Type == PacketType.Pubrec && !ack.ReasonCode.IsError())
        {
            _session.Outgoing.Release(delivery);
            if (!delivery.MayGo) _ = SendWhenKeptAsync(delivery);
            else if (!connection.IsClosing) SendNext(connection);
            return;
        }

        Finish(connection, delivery, ack);
    }

    private void Finish(Connection connection, OutgoingDelivery delivery, in AckPacket ack)
    {
        _session.Outgoing.Remove(delivery);
        _counters.Acknowledged++;
        // PUBCOMP's "identifier not found" only says that the server had finished earlier.
        if (ack.Type == PacketType.Pubcomp)
        {
            delivery.Complete(ReasonCode.Success);
        }
        else if (ack.ReasonCode.IsError())
        {
            if (delivery.IsStored) _counters.GivenUp++;
            delivery.GiveUp(new MqttException($"The server refused the message: {ReasonText.Explain(ack.ReasonCode, ack.Properties)}", ack.ReasonCode));
        }
        else
        {
            delivery.Complete(ack.ReasonCode);
        }

        if (!connection.IsClosing) SendNext(connection);
    }

    private void HandleAnswer(Connection connection, in Frame frame)
    {
        if (!SubackPacket.TryParse(frame, Version, out SubackPacket answer, out ParseError error)) throw MqttException.Violation(error);
        lock (_session.SyncRoot)
        {
            if (!connection.Requests.TryGetValue(answer.PacketId, out PendingRequest? request) || request.Answer != frame.Type)
            {
                throw MqttException.Violation(ReasonCode.ProtocolError, "a subscribe request was answered that was not made");
            }

            bool noCodes = frame.Type == PacketType.Unsuback && Version == ProtocolVersion.V311;
            if (!noCodes && answer.ReasonCodes.Length != request.Filters)
            {
                throw MqttException.Violation(ReasonCode.ProtocolError, "an answer has more or fewer reason codes than filters were asked for");
            }

            connection.Requests.Remove(answer.PacketId);
            _session.Ids.Return(answer.PacketId);
            request.Completion.TrySetResult(noCodes ? new ReasonCode[request.Filters] : answer.ReasonCodes.ToArray());
        }
    }
}
