namespace EdgeBroker.Core.Receivers;

/// <summary>Ids of receivers that are the broker's own. An MQTT client that asks for one of them is refused: it would take over what it holds.</summary>
public static class ReservedIds
{
    /// <summary>Before the name of a client within the process.</summary>
    public const string Local = "$local/";

    /// <summary>Before the name of a bridge.</summary>
    public const string Bridge = "$bridge/";

    /// <summary>Before the name of a node of the cluster.</summary>
    public const string Node = "$node/";

    /// <summary>Before the client id of a CoAP client.</summary>
    public const string Coap = "$coap/";

    /// <summary>Before the client id and the token of an observation that outlives its observer's association.</summary>
    public const string Observation = "$observe/";

    /// <summary>
    /// Begins the filter by which such an observation keeps the token that its observer knows: it is stored with the session's others, and nobody's topic.
    /// </summary>
    public static ReadOnlySpan<byte> ObservationToken => "$coap/token/"u8;

    /// <summary>Whether the id is one of them.</summary>
    public static bool IsReserved(ReadOnlySpan<byte> id) =>
        id.StartsWith("$local/"u8) || id.StartsWith("$bridge/"u8) || id.StartsWith("$node/"u8) || id.StartsWith("$coap/"u8) || id.StartsWith("$observe/"u8);
}
