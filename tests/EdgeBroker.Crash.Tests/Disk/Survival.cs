namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>What a power cut leaves of that which was not synced.</summary>
public enum Survival
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>All of it, as after a mere crash of the program.</summary>
    Everything,

    /// <summary>What came first, the last write torn between sectors: a disk that writes in order and lags behind.</summary>
    Prefix,

    /// <summary>Any of its sectors, any of its truncations, the first of its names: a disk that reorders.</summary>
    AnySectors,
}
