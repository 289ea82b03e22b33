using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class PacketConnection
{
    private bool _isOfferedAgain;

    private enum ReadPause
    {
        NeedsBytes,
        NeedsHandler,
        NeedsWriter,
    }

    private async Task ReadAsync(IPacketHandler handler, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadPause pause = HandleBuffered(handler);
            handler.OnReceived();
            switch (pause)
            {
                case ReadPause.NeedsBytes:
                    if (!await _reader.FillAsync(cancellationToken).ConfigureAwait(false))
                    {
                        throw new MqttException($"{Server} closed the connection without giving a reason; its log should say why.");
                    }

                    break;
                case ReadPause.NeedsHandler:
                    _isReaderPaused = true;
                    await handler.WaitToReceiveAsync(cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    Task space;
                    lock (SyncRoot) space = Outgoing.IsFull ? Outgoing.Space() : Task.CompletedTask;
                    await space.WaitAsync(cancellationToken).ConfigureAwait(false);
                    continue;
            }

            Volatile.Write(ref _lastReceived, Time.GetTimestamp());
            _isReaderPaused = false;
        }
    }

    private ReadPause HandleBuffered(IPacketHandler handler)
    {
        while (_reader.TryPeek(out Frame frame))
        {
            bool isClosing;
            lock (SyncRoot)
            {
                isClosing = IsClosing;
                // Almost every packet is answered by one: a server that sends and never reads must not fill our memory.
                if (!isClosing && Outgoing.IsFull) return ReadPause.NeedsWriter;
            }

            if (!isClosing && !(handler.IsReadyFor(frame.Type) && TryHandle(handler, frame))) return ReadPause.NeedsHandler;
            _reader.Consume(frame.Length);
        }

        return ReadPause.NeedsBytes;
    }

    private bool TryHandle(IPacketHandler handler, in Frame frame)
    {
        if (!_isOfferedAgain) new PacketTracer(_options).Received(frame);
        _isOfferedAgain = false;
        switch (frame.Type)
        {
            case PacketType.Pingresp:
                if (!PingPacket.IsValid(frame)) throw MqttException.Violation(ReasonCode.MalformedPacket, "PINGRESP has a body");
                return true;
            case PacketType.Disconnect when Version == ProtocolVersion.V5:
                throw ReasonText.Disconnected(frame, Version, _server);
            case PacketType.Publish or PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp:
            case PacketType.Suback or PacketType.Unsuback:
            case PacketType.Auth when _options.Authentication is not null:
                _isOfferedAgain = !handler.TryReceive(frame, _reader.Raw(frame));
                return !_isOfferedAgain;
            default:
                throw MqttException.Violation(ReasonCode.ProtocolError, $"{frame.Type} is not for a client, or not at this moment");
        }
    }
}
