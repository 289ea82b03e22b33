namespace EdgeBroker.Core.Cluster;

/// <summary>
/// A time of the cluster, given out once: 55 bits of time above 8 bits of the node that gave it. 0: none, as everywhere in a broker that is alone.
/// </summary>
/// <param name="Value">Its value; never negative.</param>
public readonly record struct Stamp(long Value)
{
    /// <summary>No stamp.</summary>
    public static readonly Stamp None;

    /// <summary>Whether there is none.</summary>
    public bool IsNone => Value == 0;
}

/// <summary>Who of several nodes owns a session is decided by the highest of these: the grant first, then the stamp.</summary>
/// <param name="Grant">The number of the grant; 0: before any.</param>
/// <param name="Stamp">The stamp.</param>
public readonly record struct Epoch(long Grant, Stamp Stamp)
{
    /// <summary>That of a session which never was in a cluster.</summary>
    public static readonly Epoch None;
}

/// <summary>Where a message came from that another node handed on. Positions never repeat within one life and lane.</summary>
/// <param name="StoreId">The store of the node that published it.</param>
/// <param name="Life">The life of that node's process: 64 random bits.</param>
/// <param name="Lane">One of the queues between the two nodes.</param>
/// <param name="Position">Its position there, from 1.</param>
public sealed record MessageOrigin(Guid StoreId, long Life, byte Lane, long Position);
