namespace EdgeBroker.Client;

/// <summary>
/// The QoS 2 messages of the server that have begun and not ended: a packet identifier, and the message until PUBREC has been sent. Guarded by the session's
/// lock.
/// </summary>
internal sealed class IncomingReceipts
{
    private readonly Dictionary<ushort, ReceivedMessage?> _messages = [];

    /// <summary>Counts sessions of the server: a message of an earlier one is not acknowledged any more.</summary>
    public int Epoch { get; private set; }

    /// <summary>
    /// Whether the identifier belongs to a message received before; <paramref name="unacknowledged"/> is that message while PUBREC is still owed.
    /// </summary>
    public bool IsKnown(ushort packetId, out ReceivedMessage? unacknowledged) => _messages.TryGetValue(packetId, out unacknowledged);

    public void Add(ushort packetId, ReceivedMessage message) => _messages.Add(packetId, message);

    /// <summary>PUBREC goes out: only the identifier is kept.</summary>
    public void Acknowledged(ushort packetId) => _messages[packetId] = null;

    /// <summary>PUBREL came: the exchange is over. False when there was none.</summary>
    public bool Release(ushort packetId) => _messages.Remove(packetId);

    /// <summary>The server has forgotten the session.</summary>
    public void Clear()
    {
        _messages.Clear();
        Epoch++;
    }
}
