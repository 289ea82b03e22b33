using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>Writes into a history what goes over a bridge's link: its messages, and what the other side acknowledges.</summary>
/// <param name="history">The history.</param>
/// <param name="client">The link's number there.</param>
public sealed class LinkRecord(RunHistory history, int client)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(int Connection, bool IsOutward), PacketBuffer> _streams = [];
    private readonly Dictionary<(int Connection, int PacketId), int> _open = [];

    /// <summary>Bytes go over the link, as they should.</summary>
    public bool Observe(int connection, bool isOutward, ReadOnlyMemory<byte> bytes)
    {
        lock (_lock)
        {
            if (!_streams.TryGetValue((connection, isOutward), out PacketBuffer? stream)) _streams.Add((connection, isOutward), stream = new PacketBuffer());
            stream.Add(bytes.Span);
            while (stream.TryCut(out byte[] packet)) Note(connection, isOutward, ReceivedPacket.Read(packet, ProtocolVersion.V5));
            return true;
        }
    }

    private void Note(int connection, bool isOutward, ReceivedPacket packet)
    {
        if (isOutward && packet.Type == PacketType.Publish && history.Find(packet.Topic, packet.Payload) is >= 0 and int message)
        {
            history.Add(EventKind.Forwarded, client, packet.PacketId, message, connection);
            _open[(connection, packet.PacketId)] = message;
        }
        else if (!isOutward && packet.Type is PacketType.Puback or PacketType.Pubrec && _open.Remove((connection, packet.PacketId), out int answered))
        {
            history.Add(EventKind.ForwardAcknowledged, client, packet.PacketId, answered, connection);
        }
    }
}
