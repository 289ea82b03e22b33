using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Sessions;

/// <summary>What an ended session leaves to be put in order, outside its lock.</summary>
/// <param name="Link">The connection it still had, to be closed; null: none.</param>
/// <param name="Will">A will that is due now; null: none.</param>
/// <param name="Subscriptions">Its subscriptions, to be taken out of the tree.</param>
/// <param name="Orphans">Messages of shared subscriptions that another member shall get.</param>
/// <param name="Dropped">QoS 1 and 2 messages that end with it.</param>
/// <param name="Stored">Its identity in the store, to be deleted when all the rest is done; null: none.</param>
/// <param name="Spilled">What waited for it on disk only; those of shared subscriptions are for another member, too.</param>
/// <param name="Deferred">What its end leaves to be done.</param>
internal sealed record SessionEnding(
    ISessionLink? Link,
    Will? Will,
    Subscription[] Subscriptions,
    List<OrphanedMessage> Orphans,
    int Dropped,
    StoredSession? Stored,
    List<SpilledDelivery> Spilled,
    Deferred Deferred);

/// <summary>A message a shared subscription has to hand to another member.</summary>
/// <param name="Message">The message.</param>
/// <param name="SharedFilter">The shared filter it came by.</param>
/// <param name="Stored">The journal's side of it, or null.</param>
internal readonly record struct OrphanedMessage(Message Message, byte[] SharedFilter, StoredDelivery? Stored);

/// <summary>What a detached session asks its broker to do.</summary>
/// <param name="Link">The connection it had; null: that had no right any more, nothing happened.</param>
/// <param name="WillNow">A will that is due now.</param>
/// <param name="Ending">What the session leaves, when it is over with its connection.</param>
/// <param name="DueMs">When the broker shall look at the session again.</param>
internal readonly record struct Detachment(ISessionLink? Link, Will? WillNow, SessionEnding? Ending, long DueMs);

/// <summary>What a session that was looked at in time asks its broker to do.</summary>
/// <param name="WillNow">A will that is due now.</param>
/// <param name="Expired">Whether the session is over.</param>
/// <param name="DueMs">When to look again; null: not before it is detached again.</param>
internal readonly record struct DueWork(Will? WillNow, bool Expired, long? DueMs);
