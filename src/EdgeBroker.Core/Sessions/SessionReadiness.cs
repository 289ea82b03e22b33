namespace EdgeBroker.Core.Sessions;

/// <summary>How fit a session is to take a message of a shared group just now.</summary>
public enum SessionReadiness
{
    /// <summary>It is over, or ends as soon as it has no connection.</summary>
    Gone,

    /// <summary>Not connected, but kept.</summary>
    Offline,

    /// <summary>Connected; the message would wait behind others.</summary>
    Busy,

    /// <summary>Connected; the message would go out at once.</summary>
    Ready,
}
