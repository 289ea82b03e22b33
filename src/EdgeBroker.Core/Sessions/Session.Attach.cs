using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

// Connections come and go, the will waits, time passes.
public sealed partial class Session
{
    /// <summary>When the broker has to look at it, connected by nobody; when sessions are restored.</summary>
    internal long RestoredDueMs => _lifetime.DueMs;

    /// <summary>
    /// Gives the session to a connection and writes CONNACK on it; what is owed follows when the connection asks for it. Fails when the session has ended
    /// meanwhile.
    /// </summary>
    /// <param name="link">The connection; its output is guarded by <see cref="SyncRoot"/> already.</param>
    /// <param name="grant">What it brings.</param>
    /// <param name="holder">On whose account it is; null: on nobody's.</param>
    /// <param name="lease">The right to act for the session.</param>
    /// <param name="previous">The connection that lost it, to be closed; null: none.</param>
    /// <param name="previousWill">That connection's will, when it is due now.</param>
    internal bool TryAttach(
        ISessionLink link, SessionGrant grant, Holder? holder, out ConnectionLease lease, out ISessionLink? previous, out Will? previousWill)
    {
        Deferred deferred;
        lock (SyncRoot.Alone())
        {
            lease = default;
            previous = _link;
            previousWill = null;
            // What ends with its connection is not carried into another one, not even when both came at the same moment.
            if (HasEnded || EndsBeforeResumption || !MayResume(grant)) return false;
            // A takeover ends the old connection: its will is due unless a delay gives the new one time to stop it [MQTT-3.1.3-9].
            if (previous is not null && _lifetime.Will is { DelaySeconds: 0 }) previousWill = _lifetime.Will;
            bool sessionPresent = !_lifetime.IsNew;
            ReleaseWill(_lifetime.Will);
            lease = new ConnectionLease(this, _lifetime.Attach(grant));
            Pass(holder, isNew: !sessionPresent);
            HoldWill(grant.Will);
            if (!sessionPresent) Ledger.Account(MemoryKind.Sessions, MemoryBytes);
            _window.Attach(Math.Min(grant.ReceiveMaximum, _environment.Options.ReceiveMaximum), _environment.Options.MaxOutboundBytes);
            _received.Attach(Ledger);
            Volatile.Write(ref _link, link);
            SetPolicy(grant.QueuePolicy);
            SaveState(grant.Epoch);
            link.SendConnack(sessionPresent);
            link.RequestPump();
            deferred = TakeDeferred();
        }

        deferred.Complete();
        return true;
    }

    /// <summary>The connection is gone.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="discardWill">Whether the client discarded its will by DISCONNECT with 0x00 [MQTT-3.14.4-3].</param>
    /// <param name="newExpirySeconds">The expiry DISCONNECT asked for, or null.</param>
    /// <param name="isFault">Whether a bug ended the connection.</param>
    internal Detachment Detach(ConnectionLease lease, bool discardWill, uint? newExpirySeconds, bool isFault)
    {
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return default;
            if (isFault) Rebuild();
            return DetachLocked(discardWill, newExpirySeconds);
        }
    }

    /// <inheritdoc/>
    internal override void Recover(out ISessionLink? link, out Detachment detachment)
    {
        lock (SyncRoot.Alone())
        {
            link = _link;
            detachment = default;
            if (_lifetime.HasEnded) return;
            Rebuild();
            if (link is not null) detachment = DetachLocked(discardWill: false, newExpirySeconds: null);
        }
    }

    private Detachment DetachLocked(bool discardWill, uint? newExpirySeconds)
    {
        SyncRoot.MustBeHeld();
        long nowMs = _environment.Clock.NowMs;
        ISessionLink? link = _link;
        Volatile.Write(ref _link, null);
        if (discardWill) ReleaseWill(_lifetime.Will);
        _lifetime.Detach(nowMs, discardWill, newExpirySeconds);
        if (!OutlivesConnection) return new Detachment(link, null, EndLocked(), 0);
        if (MoveChanged is null) _queue.Unload();
        MoveChanged?.Invoke();
        // With the will in it even when that is due now: should the process end before it is published, it is published then.
        SaveState();
        return new Detachment(link, TakeDueWill(nowMs), null, _lifetime.DueMs);
    }

    /// <summary>
    /// Puts together anew what an exception may have left half changed, from what is whole of it: the messages, which the broker has acknowledged. A message on
    /// its way from the queue to the window may be in both.
    /// </summary>
    private void Rebuild()
    {
        SyncRoot.MustBeHeld();
        _window.Rebuild();
        if (!ReferenceEquals(_queue, MessageQueue.None)) _queue.Rebuild(_window);
    }

    /// <summary>The will as another node needs it to publish it in this one's place; null: there is none.</summary>
    internal HeldWill? FindWill()
    {
        lock (SyncRoot.Alone())
        {
            if (HasEnded || _lifetime.Will is not { } will) return null;
            return new HeldWill(_lifetime.Owner, will.Message, Math.Min(will.DelaySeconds, _lifetime.ExpirySeconds), will.ExpirySeconds);
        }
    }

    /// <summary>Takes the will away, which another node publishes.</summary>
    /// <returns>The connection; null: there is none.</returns>
    internal ISessionLink? DiscardWill()
    {
        lock (SyncRoot.Alone())
        {
            if (HasEnded || _lifetime.Will is not { } will) return null;
            ReleaseWill(will);
            _lifetime.DiscardWill();
            SaveState();
            return _link;
        }
    }

    /// <summary>Says what is due: the delayed will, the end of the session.</summary>
    internal DueWork TakeDue(long nowMs)
    {
        lock (SyncRoot.Alone())
        {
            if (HasEnded || _link is not null) return default;
            return _lifetime.HasExpired(nowMs) ? new DueWork(null, true, null) : new DueWork(TakeDueWill(nowMs), false, _lifetime.DueMs);
        }
    }

    /// <summary>The will that was due is published, and on its way to the disk where that is needed.</summary>
    internal void RecordWillPublished()
    {
        lock (SyncRoot.Alone())
        {
            if (!HasEnded && _link is null) SaveState();
        }
    }

    /// <summary>
    /// Whether it is over when its client comes again: it ends with the connection it has, or ended with the one it lost. With or without the lock.
    /// </summary>
    internal bool EndsBeforeResumption => !OutlivesConnection && (IsConnected || _lifetime.AwaitsReturn);

    /// <summary>Whether it is a named user's, and not this one's. With or without the lock.</summary>
    internal bool IsOfAnother(string? userName) => !HasEnded && _lifetime.Owner is { } owner && owner != userName;

    /// <summary>
    /// A session is resumed only by the user who began it, and only while all its filters are permitted: rights are asked when a filter is subscribed, not with
    /// each delivery, unless wide subscriptions are filtered.
    /// </summary>
    private bool MayResume(SessionGrant grant) =>
        _lifetime.IsNew || (_lifetime.BelongsTo(grant.UserName) && FindDenied(grant.Permissions) is null);
}
