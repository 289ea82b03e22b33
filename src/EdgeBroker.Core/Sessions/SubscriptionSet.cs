using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The subscriptions of one session by filter: most have one, which needs no memory of its own; a short array for few, a dictionary beyond. A session's field:
/// a copy is of no use.
/// </summary>
internal struct SubscriptionSet
{
    private const int ScanLimit = 8;

    // Null, a Subscription, an array of them, or a dictionary.
    private object? _content;

    /// <summary>Subscriptions held.</summary>
    public readonly int Count => _content switch
    {
        null => 0,
        Subscription => 1,
        Subscription[] few => few.Length,
        _ => Many.Count,
    };

    private readonly Dictionary<byte[], Subscription> Many => (Dictionary<byte[], Subscription>)_content!;

    /// <summary>Takes all of them out.</summary>
    public Subscription[] TakeAll()
    {
        Subscription[] all = ToArray();
        _content = null;
        return all;
    }

    /// <summary>The first that a client with these permissions might not subscribe to; null: it might to all of them.</summary>
    /// <param name="permissions">The permissions.</param>
    /// <param name="isOfObservation">Whether it is the session of an observation, whose mark is no topic that its client has asked for.</param>
    /// <param name="mayBeWide">Whether a filter may match more than is permitted, as long as it is not shared and some of it is.</param>
    /// <param name="isWide">Whether one does.</param>
    public readonly Subscription? FindDenied(Permissions permissions, bool isOfObservation, bool mayBeWide, out bool isWide)
    {
        isWide = false;
        foreach (Subscription one in ToArray())
        {
            if (isOfObservation && one.Filter.AsSpan().StartsWith(ReservedIds.ObservationToken)) continue;
            if (IsPermitted(one, permissions)) continue;
            if (!mayBeWide || one.IsShared || !permissions.MayReceiveSome(one.Filter, out _)) return one;
            isWide = true;
        }

        return null;
    }

    /// <summary>The one with exactly this filter, or null.</summary>
    public readonly Subscription? Find(ReadOnlySpan<byte> filter)
    {
        if (_content is null) return null;
        if (_content is Subscription only) return filter.SequenceEqual(only.Filter) ? only : null;
        if (_content is not Subscription[] few)
        {
            return Many.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(filter, out Subscription? found) ? found : null;
        }

        foreach (Subscription one in few)
        {
            if (filter.SequenceEqual(one.Filter)) return one;
        }

        return null;
    }

    /// <summary>Adds one, or replaces the one with the same filter.</summary>
    public void Set(Subscription subscription)
    {
        if (_content is Dictionary<byte[], Subscription> many)
        {
            many[subscription.Filter] = subscription;
            return;
        }

        Subscription[] few = ToArray();
        int at = Array.FindIndex(few, one => one.Filter.AsSpan().SequenceEqual(subscription.Filter));
        if (at >= 0)
        {
            few[at] = subscription;
            SetFew(few);
        }
        else if (few.Length < ScanLimit)
        {
            SetFew([.. few, subscription]);
        }
        else
        {
            many = new Dictionary<byte[], Subscription>(2 * ScanLimit, TopicComparer.Instance);
            foreach (Subscription one in few) many.Add(one.Filter, one);
            many[subscription.Filter] = subscription;
            _content = many;
        }
    }

    /// <summary>Removes the one with exactly this filter; null when there is none.</summary>
    public Subscription? Remove(ReadOnlySpan<byte> filter)
    {
        Subscription? found = Find(filter);
        if (found is null) return null;
        if (_content is Dictionary<byte[], Subscription> many) many.Remove(found.Filter);
        else SetFew(Array.FindAll(ToArray(), one => !ReferenceEquals(one, found)));
        return found;
    }

    private static bool IsPermitted(Subscription one, Permissions permissions) =>
        permissions.MaySubscribe(TopicFilter.TrySplitShared(one.Filter, out _, out ReadOnlySpan<byte> filter) ? filter : one.Filter);

    private void SetFew(Subscription[] few) => _content = few.Length switch { 0 => null, 1 => few[0], _ => few };

    /// <summary>A copy.</summary>
    public readonly Subscription[] ToArray() => _content switch
    {
        null => [],
        Subscription only => [only],
        Subscription[] few => [.. few],
        _ => [.. Many.Values],
    };
}
