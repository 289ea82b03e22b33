namespace EdgeBroker.Client;

/// <summary>Which of several servers a client connects to.</summary>
public enum ServerOrder
{
    /// <summary>The first wherever it answers; the others stand in for it, and it is gone back to.</summary>
    PrimaryFirst,

    /// <summary>The next one after each loss.</summary>
    RoundRobin,
}
