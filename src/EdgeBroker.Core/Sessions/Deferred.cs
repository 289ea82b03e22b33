using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Core.Sessions;

/// <summary>What a change under a session's lock leaves to be done when the lock is free, since it calls others.</summary>
/// <param name="Coalesced">Records that are complete without having been written; null: none.</param>
/// <param name="Rooms">Publishers that have room now; null: none.</param>
/// <param name="Moved">The session, when it uses so much more or less of the store that it stands elsewhere among its users; else null.</param>
internal readonly record struct Deferred(PublishRecord? Coalesced, QueueRoom? Rooms, Session? Moved = null)
{
    /// <summary>Does it.</summary>
    public void Complete()
    {
        for (PublishRecord? one = Coalesced; one is not null;)
        {
            PublishRecord? next = one.NextCoalesced;
            one.NextCoalesced = null;
            one.Complete();
            one = next;
        }

        QueueRoom.Complete(Rooms);
        Moved?.UpdateStoreUse();
    }
}
