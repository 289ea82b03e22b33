namespace EdgeBroker.Core.Events;

/// <summary>What happens in the broker: nearly always one for a method of <see cref="BrokerEventSink"/>.</summary>
[Flags]
public enum EventKinds
{
    None = 0,
    ClientConnected = 1 << 0,
    ClientDisconnected = 1 << 1,
    SessionTakenOver = 1 << 2,
    SessionEnded = 1 << 3,
    ConnectRefused = 1 << 4,
    AuthenticationSucceeded = 1 << 5,
    AuthenticationFailed = 1 << 6,
    SubscriptionCreated = 1 << 7,
    SubscriptionRemoved = 1 << 8,
    SubscribeRefused = 1 << 9,
    PublishRefused = 1 << 10,
    MessagePublished = 1 << 11,
    MessageDelivered = 1 << 12,
    MessageRetained = 1 << 13,
    MessagesDropped = 1 << 14,
    LimitReached = 1 << 15,
    MemoryStageChanged = 1 << 16,
    Fault = 1 << 17,

    /// <summary>The way of some messages, see <see cref="BrokerEventSink.Follow"/>.</summary>
    MessageFollowed = 1 << 18,
}
