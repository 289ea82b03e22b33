namespace EdgeBroker.Core.Ports;

/// <summary>Why a message did not reach a session.</summary>
public enum DropReason
{
    /// <summary>QoS 0, and the client does not read fast enough.</summary>
    SlowClient,

    /// <summary>The session's queue is full.</summary>
    QueueFull,

    /// <summary>The queue of a client within the process is full.</summary>
    LocalQueueFull,

    /// <summary>Larger than the client's Maximum Packet Size.</summary>
    TooLargeForClient,

    /// <summary>It expired while it waited, or waited longer than the session's queue allows.</summary>
    Expired,

    /// <summary>A newer message of its topic came, and the session keeps the latest only.</summary>
    Superseded,

    /// <summary>QoS 0 of before the broker's last start, which may have been sent already.</summary>
    MayBeSent,

    /// <summary>The session it waited for ended.</summary>
    SessionEnded,

    /// <summary>The store has reached its configured size.</summary>
    StoreFull,

    /// <summary>The store has lost it.</summary>
    StoreDamaged,

    /// <summary>A bug of the broker.</summary>
    Fault,

    /// <summary>A limit dropped it when it was published.</summary>
    Limited,

    /// <summary>Its publisher may not publish it, or its receiver may not have it any more.</summary>
    NotPermitted,

    /// <summary>It is not the text it says it is.</summary>
    PayloadFormat,

    /// <summary>Somebody who looks after the broker has thrown the queue away.</summary>
    Purged,
}
