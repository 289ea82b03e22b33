namespace EdgeBroker.Protocol;

/// <summary>
/// What a connection does differently in 3.1.1 and 5.0. One handler serves both versions: it asks here instead of comparing versions.
/// </summary>
/// <param name="Version">The version the rules are for.</param>
/// <param name="AcksCarryReasons">Acknowledgements and SUBACK/UNSUBACK carry reason codes; otherwise a failure is silent or closes the connection.</param>
/// <param name="ServerMayDisconnect">The server says why it closes, in a DISCONNECT.</param>
/// <param name="MalformedConnectIsAnswered">A CONNECT that breaks the rules gets a CONNACK with the reason; 3.1.1 closes without one [MQTT-3.1.4-1].</param>
/// <param name="EmptyClientIdNeedsCleanStart">An empty client id is refused unless the session is clean [MQTT-3.1.3-8] (3.1.1).</param>
/// <param name="CleanStartEndsWithConnection">Clean session also means that the session ends with the connection [MQTT-3.1.2-6] (3.1.1).</param>
public sealed record ProtocolRules(
    ProtocolVersion Version,
    bool AcksCarryReasons,
    bool ServerMayDisconnect,
    bool MalformedConnectIsAnswered,
    bool EmptyClientIdNeedsCleanStart,
    bool CleanStartEndsWithConnection)
{
    /// <summary>MQTT 3.1.1.</summary>
    public static readonly ProtocolRules V311 = new(ProtocolVersion.V311, false, false, false, true, true);

    /// <summary>MQTT 5.0.</summary>
    public static readonly ProtocolRules V5 = new(ProtocolVersion.V5, true, true, true, false, false);

    /// <summary>The rules of <paramref name="version"/>.</summary>
    public static ProtocolRules For(ProtocolVersion version) => version == ProtocolVersion.V5 ? V5 : V311;
}
