using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>
/// The client's half of an MQTT session (4.1), in memory: messages to be sent or acknowledged, identifiers of received QoS 2 messages, subscriptions.
/// It outlives connections, and clients: hand it to the next client with the same client id to go on where the last one ended.
/// </summary>
public sealed class ClientSession
{
    private bool _isInUse;

    /// <summary>Makes an empty session.</summary>
    public ClientSession()
        : this(new PacketIds())
    {
    }

    /// <summary>Makes a session that keeps messages in a file, and begins with those that are there.</summary>
    /// <param name="store">The file; used by no other session. Whoever opened it closes it, when the client has ended.</param>
    /// <param name="time">The clock; null: the system's.</param>
    public ClientSession(FileMessageStore store, TimeProvider? time = null)
        : this(new PacketIds(StoredMessage.FirstOtherPacketId))
    {
        ArgumentNullException.ThrowIfNull(store);
        Store = store;
        time ??= TimeProvider.System;
        foreach (StoredMessage stored in store.TakeRecovered())
        {
            PublishMessage message = stored.Message!;
            double left = stored.ExpiresAt is { } expiresAt ? Math.Ceiling((expiresAt - time.GetUtcNow()).TotalSeconds) : double.PositiveInfinity;
            if (left <= 0 && message.QoS != QoS.ExactlyOnce)
            {
                store.Remove(stored.Id);
                continue;
            }

            if (left is > 0 and < double.PositiveInfinity) message = message.Copy((uint)Math.Min(uint.MaxValue, left));
            var delivery = new OutgoingDelivery(message, time.GetTimestamp(), store, stored.Id);
            // The server may have the identifier of one that has expired, and would take a later message under it for a repetition: PUBREL frees it.
            if (message.QoS == QoS.ExactlyOnce) delivery.Resume(stored.IsReceived || left <= 0);
            Outgoing.Add(delivery);
        }
    }

    private ClientSession(PacketIds ids)
    {
        Ids = ids;
        Outgoing = new OutgoingDeliveries(ids);
    }

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

    /// <summary>Where messages are kept; null: in memory only.</summary>
    internal FileMessageStore? Store { get; }

    internal PacketIds Ids { get; }

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
