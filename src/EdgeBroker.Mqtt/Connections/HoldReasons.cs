namespace EdgeBroker.Mqtt.Connections;

/// <summary>Why a connection is not read. Reading goes on when none is left.</summary>
[Flags]
internal enum HoldReasons : byte
{
    /// <summary>It is read.</summary>
    None = 0,

    /// <summary>The client does not take what was sent to it.</summary>
    Output = 1,

    /// <summary>Too many of its publishes wait to be acknowledged; 3.1.1 sets no limit of its own.</summary>
    Acks = 2,

    /// <summary>Its next publish cannot be acknowledged until the store can write again.</summary>
    Store = 4,

    /// <summary>A rate limit is exceeded, or memory is short.</summary>
    Rate = 8,

    /// <summary>Memory is short, and the packet that it is sending is long.</summary>
    Memory = 16,

    /// <summary>Those that are the broker's doing. The keep alive does not count meanwhile: the client's PINGREQ may be among what is left unread.</summary>
    ByBroker = Acks | Store | Rate | Memory,
}
