using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Journaling;

/// <summary>A session as the store has it when the broker starts.</summary>
/// <param name="stored">Its identity.</param>
public sealed class RestoredSession(StoredSession stored)
{
    private long _lastAdded;
    private bool _isUnsorted;

    /// <summary>Its identity.</summary>
    public StoredSession Stored { get; } = stored;

    /// <summary>How long it outlives a connection; 0: not at all, and it is here for its will only.</summary>
    public required uint ExpirySeconds { get; init; }

    /// <summary>When it ends, in the broker clock's milliseconds.</summary>
    public required long EndsAtMs { get; init; }

    /// <summary>When its will is due, in the broker clock's milliseconds.</summary>
    public required long WillAtMs { get; init; }

    /// <summary>The last position that may have been sent.</summary>
    public required long SentPosition { get; init; }

    /// <summary>The will, or null.</summary>
    public required Will? Will { get; init; }

    /// <summary>The user who began it; null: anonymous.</summary>
    public required string? UserName { get; init; }

    /// <summary>On whose account it is; nobody's: its user's, where it has one.</summary>
    public HolderKey Holder { get; init; }

    /// <summary>How its queue behaves; null: as the options of all say.</summary>
    public required QueuePolicy? QueuePolicy { get; init; }

    /// <summary>Whether it had a connection until the process ended.</summary>
    public bool LostConnection { get; init; }

    /// <summary>Whether it is over, and only waits for others to take what it leaves to them. Its client id is free.</summary>
    public bool IsEnded { get; init; }

    /// <summary>The last position given out.</summary>
    public long LastPosition { get; set; }

    /// <summary>Its subscriptions.</summary>
    public List<RestoredSubscription> Subscriptions { get; } = [];

    /// <summary>Identifiers of QoS 2 publishes received and not released.</summary>
    public List<ushort> ReceivedIds { get; } = [];

    /// <summary>Deliveries that PUBREC came for, by ascending position.</summary>
    public List<StoredDelivery> Released { get; } = [];

    internal SpilledQueue Queue { get; } = new();

    internal long QueueBytes { get; private set; }

    /// <summary>Adds a delivery that waits for it, in about the order of positions.</summary>
    public void Add(in SpilledDelivery delivery)
    {
        // Two publishers on two threads may have been written in another order than they reached the session.
        _isUnsorted |= delivery.Position < _lastAdded;
        _lastAdded = delivery.Position;
        Queue.Enqueue(delivery);
        QueueBytes += delivery.SizeBytes;
    }

    internal void Sort()
    {
        if (!_isUnsorted) return;
        List<SpilledDelivery> all = Queue.ToList();
        all.Sort((one, other) => one.Position.CompareTo(other.Position));
        Queue.Clear();
        foreach (SpilledDelivery one in all) Queue.Enqueue(one);
    }
}

/// <summary>A subscription as the store has it.</summary>
/// <param name="Filter">The filter, <c>$share/group/</c> included.</param>
/// <param name="Options">The granted options.</param>
/// <param name="Identifier">Its subscription identifier; 0: none.</param>
public readonly record struct RestoredSubscription(byte[] Filter, SubscriptionOptions Options, uint Identifier);
