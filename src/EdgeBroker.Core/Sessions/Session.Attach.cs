using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// The life of a session: connections come and go, the will waits, time ends it.
public sealed partial class Session
{
    private Will? _will;
    private long _willDueMs;
    private long _expiresAtMs;

    // The user name it was begun under; null: anonymous.
    private string? _owner;

    /// <summary>The heap place of <see cref="DeadlineHeap"/>, which guards it.</summary>
    internal int DeadlineIndex { get; set; } = -1;

    /// <summary>When the broker looks at the session next; guarded as <see cref="DeadlineIndex"/>.</summary>
    internal long DeadlineMs { get; set; }

    /// <summary>
    /// Gives the session to a connection and writes CONNACK on it; what is owed follows with the connection's next turn. Fails when the session has ended
    /// meanwhile.
    /// </summary>
    /// <param name="link">The connection; its output is guarded by <see cref="Gate"/> already.</param>
    /// <param name="grant">What it brings.</param>
    /// <param name="lease">The right to act for the session.</param>
    /// <param name="previous">The connection that lost it, to be closed; null: none.</param>
    /// <param name="previousWill">That connection's will, when it is due now.</param>
    internal bool TryAttach(
        ISessionLink link, SessionGrant grant, out ConnectionLease lease, out ISessionLink? previous, out Will? previousWill)
    {
        lock (Gate)
        {
            lease = default;
            previous = _link;
            previousWill = null;
            // What ends with its connection is not carried into another one, not even when both came at the same moment.
            if (_ended || (previous is not null && !IsKept) || !MayResume(grant)) return false;
            _owner = grant.UserName;
            // A takeover ends the old connection: its will is due unless a delay gives the new one time to stop it [MQTT-3.1.3-9].
            if (previous is not null && _will is { DelaySeconds: 0 }) previousWill = _will;
            bool sessionPresent = _generation != 0;
            lease = new ConnectionLease(this, ++_generation);
            _expirySeconds = grant.ExpirySeconds;
            _will = grant.Will;
            _sendQuota = Math.Min(grant.ReceiveMaximum, _environment.Options.ReceiveMaximum);
            _resendPlace = 0;
            Volatile.Write(ref _link, link);
            SaveState();
            link.SendConnack(sessionPresent);
            link.RequestPump();
            return true;
        }
    }

    /// <summary>
    /// Whether what the session holds may be given to this client. Rights are asked when a filter is subscribed, not with each delivery; so a session does not
    /// pass to another
    /// user, nor on to one whose rights have since shrunk.
    /// </summary>
    private bool MayResume(SessionGrant grant) =>
        _generation == 0 || (_owner == grant.UserName && _subscriptions.FindDenied(grant.Permissions) is null);

    /// <summary>The connection is gone.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="discardWill">Whether the client said goodbye with 0x00 [MQTT-3.14.4-3].</param>
    /// <param name="newExpirySeconds">The expiry DISCONNECT asked for, or null.</param>
    internal Detachment Detach(ConnectionLease lease, bool discardWill, uint? newExpirySeconds)
    {
        lock (Gate)
        {
            if (!Holds(lease)) return default;
            long nowMs = _environment.Clock.NowMs;
            Volatile.Write(ref _link, null);
            _generation++;
            if (newExpirySeconds is { } seconds) _expirySeconds = seconds;
            if (discardWill) _will = null;
            _expiresAtMs = nowMs + (_expirySeconds * 1000L);
            if (!IsKept) return new Detachment(true, null, EndUnderGate(), 0);
            _willDueMs = _will is null ? long.MaxValue : nowMs + (_will.DelaySeconds * 1000L);
            _queue.Unload();
            // With the will in it even when that is due now: should the process end before it is published, it is published then.
            SaveState();
            Will? willNow = nowMs >= _willDueMs ? TakeWill() : null;
            return new Detachment(true, willNow, null, Math.Min(_willDueMs, _expiresAtMs));
        }
    }

    /// <summary>Says what is due: the delayed will, the end of the session.</summary>
    internal DueWork TakeDue(long nowMs)
    {
        lock (Gate)
        {
            if (_ended || _link is not null) return default;
            if (nowMs >= _expiresAtMs) return new DueWork(null, true, null);
            Will? willNow = _will is not null && nowMs >= _willDueMs ? TakeWill() : null;
            return new DueWork(willNow, false, Math.Min(_willDueMs, _expiresAtMs));
        }
    }

    /// <summary>The will that was due is published, and on its way to the disk where that is needed.</summary>
    internal void NoteWillPublished()
    {
        lock (Gate)
        {
            if (!_ended && _link is null) SaveState();
        }
    }

    /// <summary>Ends the session for good; null when it has ended before, or, asked by time, when a connection has come meanwhile.</summary>
    internal SessionEnding? End(bool onlyIfDetached)
    {
        lock (Gate)
        {
            if (_ended || (onlyIfDetached && _link is not null)) return null;
            return EndUnderGate();
        }
    }

    /// <summary>Another member of the group has the message: this session is done with it.</summary>
    internal void Forget(OrphanedMessage orphan)
    {
        PublishRecord? elided;
        lock (Gate)
        {
            Forget(new QueuedMessage { Stored = orphan.Stored });
            elided = TakeElided();
        }

        CompleteElided(elided);
    }

    private SessionEnding EndUnderGate()
    {
        Volatile.Write(ref _ended, true);
        ISessionLink? link = _link;
        Volatile.Write(ref _link, null);
        _generation++;
        List<OrphanedMessage> orphans = [];
        int dropped = 0;
        List<SpilledDelivery> spilled = _queue.TakeSpilled();
        // A QoS 2 message whose delivery has begun goes to no other member [MQTT-4.8.2-5].
        for (int place = 0; place < _inflight.Span; place++) GatherOrphan(_inflight.At(place), begun: true, orphans, spilled, ref dropped);
        while (_queue.Count > 0) GatherOrphan(_queue.Dequeue(_stored), begun: false, orphans, spilled, ref dropped);
        foreach (SpilledDelivery one in spilled)
        {
            if ((one.Options & DeliveryOptions.IsShared) == 0) dropped++;
        }

        StoredSession? stored = _stored;
        _stored = null;
        // However long its delay, a will does not outlive the session [MQTT-3.1.2-8].
        return new SessionEnding(link, TakeWill(), _subscriptions.TakeAll(), orphans, dropped, stored, spilled, TakeElided());
    }

    private void GatherOrphan(in QueuedMessage open, bool begun, List<OrphanedMessage> orphans, List<SpilledDelivery> spilled, ref int dropped)
    {
        if (open is { Message: null, State: DeliveryState.Queued, IsLost: false })
        {
            spilled.Add(MessageQueue.ToSpilled(open));
            return;
        }

        if (open is { Message: not null, SharedFilter: not null } && !(begun && open.QoS == QoS.ExactlyOnce))
        {
            orphans.Add(new OrphanedMessage(open.Message, open.SharedFilter, open.Stored));
            return;
        }

        if (open.Message is not null || open.State == DeliveryState.Published) dropped++;
        Forget(open);
    }

    private Will? TakeWill()
    {
        Will? will = _will;
        _will = null;
        if (will is not null) _willDueMs = long.MaxValue;
        return will;
    }
}
