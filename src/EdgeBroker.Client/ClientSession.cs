namespace EdgeBroker.Client;

/// <summary>
/// The client's half of an MQTT session (4.1), in memory: messages to be sent or acknowledged, identifiers of received QoS 2 messages, subscriptions.
/// It outlives connections, and clients: hand it to the next client with the same client id to go on where the last one ended.
/// </summary>
public sealed class ClientSession
{
    private bool _isInUse;

    /// <summary>Makes an empty session.</summary>
    public ClientSession() => Outgoing = new OutgoingDeliveries(Ids);

    /// <summary>Messages accepted for sending and not acknowledged to the end.</summary>
    public int UnacknowledgedMessages
    {
        get
        {
            lock (SyncRoot) return Outgoing.Count;
        }
    }

    /// <summary>Guards the session and the connection that uses it; nothing is awaited, called out to or logged under it.</summary>
    internal Lock SyncRoot { get; } = new();

    internal PacketIds Ids { get; } = new();

    internal OutgoingDeliveries Outgoing { get; }

    internal IncomingReceipts Incoming { get; } = new();

    /// <summary>What the application has subscribed to, with the properties it did so with.</summary>
    internal Dictionary<string, (Subscription Subscription, MqttProperties? Properties)> Subscriptions { get; } = [];

    internal void Attach()
    {
        lock (SyncRoot)
        {
            if (_isInUse) throw new InvalidOperationException("The session is in use by another client; end that one first.");
            _isInUse = true;
        }
    }

    internal void Detach()
    {
        lock (SyncRoot) _isInUse = false;
    }

    /// <summary>Brings the session in line with what the server still has [MQTT-3.2.2-5].</summary>
    internal void Resume(bool sessionPresent)
    {
        Outgoing.Resume(sessionPresent);
        if (!sessionPresent) Incoming.Clear();
    }
}
