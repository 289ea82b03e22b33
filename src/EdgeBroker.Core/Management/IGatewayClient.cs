namespace EdgeBroker.Core.Management;

/// <summary>
/// A client that speaks another protocol than MQTT and has no session: shown and disconnected as those that have one. Asked on any thread that holds no lock.
/// </summary>
public interface IGatewayClient
{
    /// <summary>Names it among all clients; begins with <see cref="Receivers.ReservedIds.Coap"/>, so that no session has the same name.</summary>
    string Id { get; }

    /// <summary>Its row in a list; null: it is gone.</summary>
    SessionSummary? Summarize();

    /// <summary>All there is to show of it; null: it is gone.</summary>
    SessionDetail? Detail();

    /// <summary>Ends what it has open. It may come back at once.</summary>
    /// <param name="connection">The number of the connection that is meant, as its row has it; null: any.</param>
    KickOutcome Disconnect(string? connection);
}
