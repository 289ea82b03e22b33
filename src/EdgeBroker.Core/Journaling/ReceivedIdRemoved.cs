namespace EdgeBroker.Core.Journaling;

/// <summary>PUBREL came: the identifier of a QoS 2 publish is free again.</summary>
/// <param name="session">The publisher's session.</param>
/// <param name="packetId">The identifier.</param>
public sealed class ReceivedIdRemoved(StoredSession session, ushort packetId) : JournalFact
{
    /// <summary>The publisher's session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>The identifier.</summary>
    public ushort PacketId { get; } = packetId;
}
