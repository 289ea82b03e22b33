using System.Collections.Concurrent;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;

namespace EdgeBroker.Core.Sessions;

/// <summary>Messages of shared subscriptions that ended sessions left on disk, on their way to other members of their groups.</summary>
/// <param name="broker">Gives them to others.</param>
internal sealed class SharedMessageTransfers(Broker broker)
{
    private readonly ConcurrentQueue<(Transfer Transfer, IReadOnlyList<LoadedDelivery> Loaded)> _loaded = new();

    /// <summary>Has the store forget an ended session, as soon as another member has what of a shared subscription it left on disk.</summary>
    /// <param name="session">The session.</param>
    /// <param name="stored">What the store knows of it.</param>
    /// <param name="spilled">Its messages on disk.</param>
    /// <returns>Once this is on disk, no start finds the session again.</returns>
    public JournalFact Delete(Session session, StoredSession stored, List<SpilledDelivery> spilled)
    {
        List<SpilledDelivery> shared = spilled.FindAll(one => (one.Options & DeliveryOptions.IsShared) != 0);
        if (shared.Count == 0)
        {
            stored.Owner = null;
            var deleted = new SessionDeleted(stored, spilled);
            broker.Journal.Append(deleted);
            return deleted;
        }

        var ended = new SessionEnded(stored);
        broker.Journal.Append(ended);
        stored.Owner = new Transfer(_loaded, session, stored, spilled, shared.Count);
        broker.Journal.Load(stored, shared);
        return ended;
    }

    /// <summary>Hands over what the store has loaded meanwhile.</summary>
    public void RunDue(RoutingContext context)
    {
        while (_loaded.TryDequeue(out (Transfer Transfer, IReadOnlyList<LoadedDelivery> Loaded) part)) HandOver(part.Transfer, part.Loaded, context);
    }

    private void HandOver(Transfer transfer, IReadOnlyList<LoadedDelivery> loaded, RoutingContext context)
    {
        foreach (LoadedDelivery one in loaded)
        {
            if (one is { Message: not null, SharedFilter: not null })
            {
                broker.Reassign(new OrphanedMessage(one.Message, one.SharedFilter, null), transfer.From, context);
            }
            else
            {
                broker.CountDropped(transfer.From, 1, DropReason.StoreDamaged, context);
            }
        }

        transfer.Awaited -= loaded.Count;
        if (transfer.Awaited > 0) return;
        transfer.Stored.Owner = null;
        broker.Journal.Append(new SessionDeleted(transfer.Stored, transfer.Spilled));
    }

    /// <summary>What one session left.</summary>
    private sealed class Transfer(
        ConcurrentQueue<(Transfer Transfer, IReadOnlyList<LoadedDelivery> Loaded)> queue, Session from, StoredSession stored, List<SpilledDelivery> spilled,
        int awaited) : IStoredSessionOwner
    {
        public Session From { get; } = from;

        public StoredSession Stored { get; } = stored;

        public List<SpilledDelivery> Spilled { get; } = spilled;

        public int Awaited { get; set; } = awaited;

        public void OnCommitted()
        {
        }

        public void OnLoaded(IReadOnlyList<LoadedDelivery> deliveries) => queue.Enqueue((this, deliveries));
    }
}
