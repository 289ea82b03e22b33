using EdgeBroker.Core.Security;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>The subscriptions of one session by filter: a short array, which most sessions never outgrow, and a dictionary beyond.</summary>
internal sealed class SubscriptionSet
{
    /// <summary>The empty set, shared; never added to.</summary>
    public static readonly SubscriptionSet None = new();

    private const int ScanLimit = 8;

    private Subscription[] _few = [];
    private Dictionary<byte[], Subscription>? _many;

    /// <summary>Subscriptions held.</summary>
    public int Count => _many?.Count ?? _few.Length;

    /// <summary>Takes all of them out.</summary>
    public Subscription[] TakeAll()
    {
        Subscription[] all = _many is null ? _few : [.. _many.Values];
        if (all.Length == 0) return all;
        _few = [];
        _many = null;
        return all;
    }

    /// <summary>The first that a client with these permissions might not subscribe to; null: it might to all of them.</summary>
    public Subscription? FindDenied(Permissions permissions)
    {
        if (_many is null) return Array.Find(_few, one => !IsPermitted(one, permissions));
        foreach (Subscription one in _many.Values)
        {
            if (!IsPermitted(one, permissions)) return one;
        }

        return null;
    }

    private static bool IsPermitted(Subscription one, Permissions permissions) =>
        permissions.MaySubscribe(TopicFilter.TrySplitShared(one.Filter, out _, out ReadOnlySpan<byte> filter) ? filter : one.Filter);

    /// <summary>The one with exactly this filter, or null.</summary>
    public Subscription? Find(ReadOnlySpan<byte> filter)
    {
        if (_many is not null)
        {
            return _many.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(filter, out Subscription? found) ? found : null;
        }

        foreach (Subscription one in _few)
        {
            if (filter.SequenceEqual(one.Filter)) return one;
        }

        return null;
    }

    /// <summary>Adds one, or replaces the one with the same filter.</summary>
    public void Set(Subscription subscription)
    {
        if (_many is not null)
        {
            _many[subscription.Filter] = subscription;
            return;
        }

        int at = Array.FindIndex(_few, one => one.Filter.AsSpan().SequenceEqual(subscription.Filter));
        if (at >= 0)
        {
            var replaced = (Subscription[])_few.Clone();
            replaced[at] = subscription;
            _few = replaced;
        }
        else if (_few.Length < ScanLimit)
        {
            _few = [.. _few, subscription];
        }
        else
        {
            _many = new Dictionary<byte[], Subscription>(2 * ScanLimit, TopicComparer.Instance);
            foreach (Subscription one in _few) _many.Add(one.Filter, one);
            _many[subscription.Filter] = subscription;
            _few = [];
        }
    }

    /// <summary>Removes the one with exactly this filter; null when there is none.</summary>
    public Subscription? Remove(ReadOnlySpan<byte> filter)
    {
        Subscription? found = Find(filter);
        if (found is null) return null;
        if (_many is not null) _many.Remove(found.Filter);
        else _few = Array.FindAll(_few, one => !ReferenceEquals(one, found));
        return found;
    }
}
