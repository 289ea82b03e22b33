namespace EdgeBroker.Crash.Tests.History;

/// <summary>What happened, as a client saw it or as the run did it. What is sent is recorded before it is sent; what is received, after.</summary>
public enum EventKind
{
    /// <summary>The broker was started.</summary>
    BrokerStarted,

    /// <summary>The broker listens.</summary>
    BrokerListens,

    /// <summary>The broker was killed.</summary>
    BrokerKilled,

    /// <summary>The broker ended by itself or did not start; the text says how.</summary>
    BrokerFailed,

    /// <summary>From here on the disk is what a power cut left.</summary>
    PowerCut,

    /// <summary>CONNACK came; the number says whether a session was present.</summary>
    Connected,

    /// <summary>CONNACK refused; the text says why.</summary>
    ConnectRefused,

    /// <summary>The connection ended.</summary>
    Disconnected,

    /// <summary>A message is sent for the first time.</summary>
    PublishSent,

    /// <summary>A message is sent again.</summary>
    PublishResent,

    /// <summary>PUBACK came.</summary>
    Acknowledged,

    /// <summary>PUBREC came.</summary>
    Received,

    /// <summary>PUBCOMP came.</summary>
    Completed,

    /// <summary>PUBACK or PUBREC came with an error; the text says which.</summary>
    Refused,

    /// <summary>SUBSCRIBE is sent; the text is the filter, the number the QoS.</summary>
    SubscribeSent,

    /// <summary>SUBACK came, granting.</summary>
    Subscribed,

    /// <summary>UNSUBSCRIBE is sent.</summary>
    UnsubscribeSent,

    /// <summary>UNSUBACK came.</summary>
    Unsubscribed,

    /// <summary>A message came; the number is its QoS.</summary>
    Delivered,

    /// <summary>A message came again under an identifier that is not yet released: not a second delivery.</summary>
    Repeated,

    /// <summary>PUBREL came.</summary>
    Released,

    /// <summary>A look at the retained messages begins.</summary>
    RetainedLook,

    /// <summary>A topic has this retained message.</summary>
    RetainedSeen,

    /// <summary>The look is over: what was not seen is not there.</summary>
    RetainedLooked,

    /// <summary>The broker sent what it must not; the text says what.</summary>
    ProtocolBroken,

    /// <summary>A message went over a bridge's link to the other broker, whole; the number is that of the connection.</summary>
    Forwarded,

    /// <summary>The other broker answered it, PUBACK or PUBREC, over the link.</summary>
    ForwardAcknowledged,
}
