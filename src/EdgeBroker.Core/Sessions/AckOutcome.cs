namespace EdgeBroker.Core.Sessions;

/// <summary>What an acknowledgement from a client, or the start of a QoS 2 exchange, meant.</summary>
public enum AckOutcome
{
    /// <summary>As expected.</summary>
    Done,

    /// <summary>The identifier is not in use.</summary>
    UnknownId,

    /// <summary>The packet does not fit the QoS or state of the message with this identifier: a protocol error.</summary>
    OutOfPlace,

    /// <summary>The connection has no right to the session any more.</summary>
    StaleLease,

    /// <summary>The identifier is in use: the publish is a repetition.</summary>
    Repeated,

    /// <summary>More exchanges are open than the server's Receive Maximum allows.</summary>
    TooMany,
}
