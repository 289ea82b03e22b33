using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Sessions;

// The session's own list of its subscriptions; the tree has them by topic.
public sealed partial class Session
{
    /// <inheritdoc/>
    internal override bool TrySubscribe(ConnectionLease lease, Subscription subscription, out Subscription? existing, out Completion? completion)
    {
        lock (SyncRoot.Alone())
        {
            completion = null;
            existing = _subscriptions.Find(subscription.Filter);
            if (!Holds(lease) || (existing is null && _subscriptions.Count >= _environment.Options.MaxSubscriptionsPerClient)) return false;
            _subscriptions.Set(subscription);
            if (existing is null) _holder?.CountFilters(1);
            if (IsStored) completion = Append(new SubscriptionChanged(_store.Session!, subscription.Filter, subscription));
            return true;
        }
    }

    /// <inheritdoc/>
    public override Subscription? FindSubscription(ReadOnlySpan<byte> filter)
    {
        lock (SyncRoot.Alone()) return _subscriptions.Find(filter);
    }

    /// <summary>The filters of the groups it is a member of.</summary>
    internal byte[][] FindSharedFilters()
    {
        lock (SyncRoot.Alone())
        {
            return _subscriptions.Count == 0 ? [] : [.. _subscriptions.ToArray().Where(one => one.IsShared).Select(one => one.Filter)];
        }
    }

    /// <summary>
    /// After rules were replaced: what the session holds that its client could not ask for now. Rights are asked when a filter is subscribed, not with each
    /// delivery, so such a client cannot go on as it is; but where wide subscriptions are filtered, each message is judged from here on.
    /// </summary>
    /// <param name="lease">The connection's right; without it nothing is found.</param>
    /// <param name="permissions">What the client may do now.</param>
    /// <param name="will">The client's will, for the caller to judge; null: none.</param>
    /// <returns>A filter that is not permitted; null: all are.</returns>
    public byte[]? FindDenied(ConnectionLease lease, Permissions permissions, out Will? will)
    {
        lock (SyncRoot.Alone())
        {
            bool holds = Holds(lease);
            will = holds ? _lifetime.Will : null;
            return holds ? FindDenied(permissions) : null;
        }
    }

    /// <summary>The client is about to subscribe to more than it may receive: each message is judged from here on.</summary>
    /// <param name="lease">The connection's right; without it nothing happens.</param>
    /// <param name="permissions">What the client may receive.</param>
    internal void Judge(ConnectionLease lease, Permissions permissions)
    {
        lock (SyncRoot.Alone())
        {
            if (Holds(lease)) _rules = SessionRules.Of(_rules?.Policy, permissions, MoveChanged);
        }
    }

    /// <summary>Judges by other permissions from here on, or, where all filters are permitted as a whole, no more.</summary>
    /// <returns>A filter that is not permitted, after which nothing has changed; null: all are.</returns>
    private byte[]? FindDenied(Permissions permissions)
    {
        SyncRoot.MustBeHeld();
        bool mayBeWide = _environment.Options.FiltersWideSubscriptions && !IsOfObservation;
        byte[]? denied = _subscriptions.FindDenied(permissions, IsOfObservation, mayBeWide, out bool isWide)?.Filter;
        if (denied is null) _rules = SessionRules.Of(_rules?.Policy, isWide ? permissions : null, MoveChanged);
        return denied;
    }

    /// <summary>Whether it is the session of an observation of another protocol, which has one filter, and a mark.</summary>
    internal bool IsOfObservation => Id.StartsWith(ReservedIds.Observation, StringComparison.Ordinal);

    // With or without the lock.
    private bool IsWithheld(ReadOnlySpan<byte> topic) => Volatile.Read(ref _rules)?.Judge is { } permissions && !permissions.MaySubscribe(topic);

    /// <inheritdoc/>
    internal override Subscription? TryUnsubscribe(ConnectionLease lease, ReadOnlySpan<byte> filter, out Completion? completion)
    {
        lock (SyncRoot.Alone())
        {
            completion = null;
            return Holds(lease) ? Unsubscribe(filter, out completion) : null;
        }
    }

    private Subscription? Unsubscribe(ReadOnlySpan<byte> filter, out Completion? completion)
    {
        SyncRoot.MustBeHeld();
        completion = null;
        if (HasEnded || _subscriptions.Remove(filter) is not { } removed) return null;
        _holder?.CountFilters(-1);
        _retained.Remove(removed.Filter);
        // Perhaps it was the one of which only a part is permitted.
        if (_rules?.Judge is { } permissions) FindDenied(permissions);
        if (IsStored) completion = Append(new SubscriptionChanged(_store.Session!, removed.Filter, null));
        return removed;
    }
}
