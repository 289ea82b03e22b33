using EdgeBroker.Core.Retained;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The retained messages owed to the client after SUBSCRIBE, filter by filter: those that wait, and the one of which a slice is being sent. A field of the
/// session, guarded by its lock; a copy is of no use.
/// </summary>
internal struct RetainedFeed
{
    private RetainedBacklog? _backlog;
    private RetainedDelivery? _current;

    /// <summary>Whether there is something to send, or being sent.</summary>
    public readonly bool HasMore => _backlog is not null;

    /// <summary>Owes the retained messages of a filter, behind all others.</summary>
    public void Add(RetainedDelivery delivery) => (_backlog ??= new RetainedBacklog()).Add(delivery);

    /// <summary>Owes nothing more for a filter: it was unsubscribed, or subscribed anew.</summary>
    public void Remove(byte[] filter)
    {
        if (_current is not null && _current.Subscription.Filter.AsSpan().SequenceEqual(filter)) _current.IsForgotten = true;
        if (_backlog is null) return;
        _backlog.Remove(filter);
        if (_backlog.Count == 0) _backlog = null;
    }

    /// <summary>Owes nothing more: its receiver has ended.</summary>
    public void End()
    {
        if (_current is not null) _current.IsForgotten = true;
        _backlog?.GiveUp();
        _backlog = null;
    }

    /// <summary>Takes the first filter, to send a slice of it; null: none waits, or one is being sent already.</summary>
    public RetainedDelivery? Take() => _current is null && _backlog is not null && _backlog.TryTake(out _current) ? _current : null;

    /// <summary>A slice has been sent. What is left of the filter goes to the front: filters are served in the order they were subscribed.</summary>
    /// <param name="delivery">What was taken.</param>
    /// <param name="isDone">Whether nothing of it is left.</param>
    public void PutBack(RetainedDelivery delivery, bool isDone)
    {
        _current = null;
        if (delivery.IsForgotten) delivery.Walk.GiveUp();
        else if (!isDone) (_backlog ??= new RetainedBacklog()).PutBack(delivery);
        if (_backlog is { Count: 0 }) _backlog = null;
    }
}
