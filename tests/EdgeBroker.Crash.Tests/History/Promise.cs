namespace EdgeBroker.Crash.Tests.History;

/// <summary>What the broker promises.</summary>
public enum Promise
{
    /// <summary>An acknowledged message reaches everyone who was subscribed before it was sent.</summary>
    NothingIsLost,

    /// <summary>QoS 2 to QoS 2 arrives once.</summary>
    ExactlyOnce,

    /// <summary>A publisher's messages of a topic arrive in its order.</summary>
    Order,

    /// <summary>Who is not subscribed gets nothing.</summary>
    OnlySubscribed,

    /// <summary>What arrives is what was sent, at the QoS that was granted.</summary>
    Unchanged,

    /// <summary>A topic's value is the last acknowledged one, or one sent later.</summary>
    Retained,

    /// <summary>Sessions are still there.</summary>
    SessionPresent,

    /// <summary>The broker starts and stays up.</summary>
    Runs,

    /// <summary>The broker keeps to the protocol.</summary>
    Protocol,
}
