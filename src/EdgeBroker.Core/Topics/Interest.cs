namespace EdgeBroker.Core.Topics;

/// <summary>What the subscribers of a filter want of its messages, for other nodes to know.</summary>
[Flags]
public enum Interest : byte
{
    /// <summary>Nobody subscribes.</summary>
    None = 0,

    /// <summary>Somebody subscribes.</summary>
    Any = 1,

    /// <summary>Somebody is to get them with QoS 1 or 2.</summary>
    Acknowledged = 2,

    /// <summary>Somebody of these has a session that outlives its connection.</summary>
    Kept = 4,

    /// <summary>Of a shared subscription: some member of it has a connection.</summary>
    Connected = 8,
}

/// <summary>Is told what the subscribers of this broker are interested in.</summary>
public interface IInterestObserver
{
    /// <summary>The interest in a filter has changed. Called under the writer lock of the tree: returns at once, and calls nobody.</summary>
    /// <param name="filter">The filter, <c>$share/group/</c> included.</param>
    /// <param name="interest">What is wanted now.</param>
    void Changed(ReadOnlySpan<byte> filter, Interest interest);
}
