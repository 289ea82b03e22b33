namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>What befalls a bridge.</summary>
public enum BridgeFault
{
    /// <summary>Its broker is killed.</summary>
    LocalKilled,

    /// <summary>Its broker is killed at an operation on its disk.</summary>
    LocalKilledAtOperation,

    /// <summary>The other broker ends, killed where it promises to lose nothing by that, and comes back.</summary>
    UpstreamEnds,

    /// <summary>Both end.</summary>
    BothEnd,

    /// <summary>The connection is reset.</summary>
    Reset,

    /// <summary>The connection is reset in the middle of a packet of the bridge's.</summary>
    CutOutward,

    /// <summary>The connection is reset in the middle of an acknowledgement.</summary>
    CutBack,

    /// <summary>The connection stands, and nothing comes through.</summary>
    HalfOpen,

    /// <summary>Bytes take long.</summary>
    Slow,

    /// <summary>The other broker cannot be reached while messages are published.</summary>
    Away,

    /// <summary>The disk of the bridge's broker is full.</summary>
    DiskFull,

    /// <summary>The clock of the bridge's broker jumps, and the broker is killed.</summary>
    ClockJump,
}
