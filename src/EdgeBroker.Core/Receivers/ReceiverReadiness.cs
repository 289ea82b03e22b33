namespace EdgeBroker.Core.Receivers;

/// <summary>How fit a receiver is to take a message of a shared group now.</summary>
public enum ReceiverReadiness
{
    /// <summary>It has ended, or ends as soon as it has no connection.</summary>
    Gone,

    /// <summary>Not connected, but kept.</summary>
    Offline,

    /// <summary>Present; the message would wait behind others.</summary>
    Busy,

    /// <summary>Present; the message would be taken at once.</summary>
    Ready,
}
