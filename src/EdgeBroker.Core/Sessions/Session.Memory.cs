using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

// What the session takes of the memory that clients can make grow.
public sealed partial class Session
{
    // This object, its lock and its place among the others.
    internal const int SessionBytes = 512;

    /// <summary>Bytes of its will.</summary>
    internal int WillBytes
    {
        get
        {
            lock (SyncRoot.Alone()) return _lifetime.Will?.Message.SizeBytes ?? 0;
        }
    }

    /// <inheritdoc/>
    internal override Holder? Holder => Volatile.Read(ref _holder);

    private MemoryLedger Ledger => _environment.Ledger;

    private int MemoryBytes => SessionBytes + (sizeof(char) * (Id.Length + (_lifetime.Owner?.Length ?? 0)));

    /// <summary>Bytes that go, or go to disk, when its connection is ended; 0: it has none.</summary>
    internal long CountHeldBytes(out ISessionLink? link)
    {
        lock (SyncRoot.Alone())
        {
            link = _link;
            return link is null ? 0 : link.HeldBytes + _window.CountHeldBytes() + _queue.CountHeldBytes();
        }
    }

    /// <summary>The queue or the window has changed: accounts what they take now beside messages.</summary>
    private void AccountQueues()
    {
        SyncRoot.MustBeHeld();
        _window.Account(Ledger, HasEnded, IsStored);
        _received.Account(Ledger, HasEnded);
        if (!ReferenceEquals(_queue, MessageQueue.None)) _queue.Account(HasEnded, IsStored);
    }

    /// <summary>A message is done with: acknowledged, expired or dropped.</summary>
    private void Finish(in QueuedMessage message)
    {
        SyncRoot.MustBeHeld();
        message.Message?.Release(Ledger);
        _store.Remove(Journal, message);
    }

    private Will? TakeDueWill(long nowMs)
    {
        SyncRoot.MustBeHeld();
        Will? will = _lifetime.TakeDueWill(nowMs);
        ReleaseWill(will);
        return will;
    }

    private void HoldWill(Will? will)
    {
        if (will is null) return;
        will.Message.Hold(Ledger, MemoryKind.Wills);
        _holder?.CountWill(will.Message.SizeBytes);
        _environment.WillChanged?.Invoke(Id);
    }

    /// <summary>A will is replaced, discarded or about to be published.</summary>
    private void ReleaseWill(Will? will)
    {
        if (will is null) return;
        will.Message.Release(Ledger);
        _holder?.CountWill(-will.Message.SizeBytes);
        _environment.WillChanged?.Invoke(Id);
    }

    /// <summary>The session and its filters are on somebody's account from now on; it has no will at that moment.</summary>
    private void Pass(Holder? holder, bool isNew)
    {
        SyncRoot.MustBeHeld();
        if (_holder == holder && !isNew) return;
        if (!isNew) PassToNobody();
        if (holder?.TryUse() != true) holder = null;
        holder?.CountSession(1);
        holder?.CountFilters(_subscriptions.Count);
        Volatile.Write(ref _holder, holder);
    }

    private void PassToNobody()
    {
        SyncRoot.MustBeHeld();
        if (_holder is not { } holder) return;
        holder.CountSession(-1);
        holder.CountFilters(-_subscriptions.Count);
        holder.Release();
        Volatile.Write(ref _holder, null);
    }
}
