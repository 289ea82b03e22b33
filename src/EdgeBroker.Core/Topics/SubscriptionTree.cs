using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>All subscriptions by filter. Writers are serialised by one lock; matching takes none and sees each change whole.</summary>
public sealed class SubscriptionTree
{
    /// <summary>What a subscription takes besides its filter's bytes: itself, its places in lists, and what stands for it in the tree's last node.</summary>
    public const int SubscriptionBytes = 240;

    // A node, and its share of the table it stands in.
    private const int NodeBytes = 112;

    private readonly Lock _writer = new();
    private long _version;
    private long _memoryBytes;
    private int _count;
    private int _sharedCount;
    private int _peerCount;

    internal SubscriptionNode Root { get; } = new([], 0, 0, null);

    /// <summary>Grows with every change of the tree; what was matched under another value may be out of date, which <see cref="Changes"/> knows.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Which topics the changes concern.</summary>
    internal FilterChanges Changes { get; } = new();

    /// <summary>Subscriptions in the tree, shared ones included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Shared subscriptions in the tree.</summary>
    public int SharedCount => Volatile.Read(ref _sharedCount);

    /// <summary>Filters that other nodes are interested in, each once a node.</summary>
    public int PeerCount => Volatile.Read(ref _peerCount);

    /// <summary>Is told what the subscribers of this broker are interested in; null: nobody. Set before the first subscription.</summary>
    public IInterestObserver? Observer { get; set; }

    /// <summary>Memory of the subscriptions and of the tree.</summary>
    public long MemoryBytes => Volatile.Read(ref _memoryBytes);

    /// <summary>Adds a subscription, or replaces the receiver's one with the same filter [MQTT-3.8.4-3].</summary>
    public void Add(Subscription subscription)
    {
        bool shared = TopicFilter.TrySplitShared(subscription.Filter, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter);
        if (!shared) filter = subscription.Filter;
        lock (_writer.Alone())
        {
            ref MatchResult? place = ref PlaceOf(filter, subscription.Filter, out _);
            MatchResult old = place ?? MatchResult.Empty;
            bool isNew;
            if (shared) Volatile.Write(ref place, WithMember(old, group, subscription, out isNew));
            else if (subscription is PeerInterest peer) Volatile.Write(ref place, old with { Peers = With(old.Peers, peer, out isNew) });
            else Volatile.Write(ref place, old with { Plain = With(old.Plain, subscription, out isNew) });
            if (isNew) CountOne(subscription.Receiver, shared, 1, subscription.Filter.Length);
            NoteChange(filter);
            Observe(filter, old, place);
            if (shared) Observe(subscription.Filter, FindGroup(place!, group));
        }
    }

    /// <summary>Removes a receiver's subscription to exactly <paramref name="fullFilter"/> and whatever levels that leaves empty.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(Receiver receiver, ReadOnlySpan<byte> fullFilter)
    {
        bool shared = TopicFilter.TrySplitShared(fullFilter, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter);
        if (!shared) filter = fullFilter;
        lock (_writer.Alone())
        {
            ref MatchResult? place = ref PlaceOf(filter, null, out SubscriptionNode? node);
            if (node is null || place is null) return false;
            bool removed;
            MatchResult old = place;
            SharedGroup? its = shared ? FindGroup(old, group) : null;
            MatchResult left = shared ? WithoutMember(old, group, receiver, out removed)
                : receiver is PeerOutbox ? old with { Peers = Without(old.Peers, receiver, out removed) }
                : old with { Plain = Without(old.Plain, receiver, out removed) };
            if (!removed) return false;
            Volatile.Write(ref place, left.IsEmpty ? null : left);
            Prune(node);
            CountOne(receiver, shared, -1, fullFilter.Length);
            NoteChange(filter);
            Observe(filter, old, left);
            Observe(fullFilter, its);
            return true;
        }
    }

    /// <summary>A member of a group has got or lost its connection: other nodes may have to know.</summary>
    internal void NoteReadiness(ReadOnlySpan<byte> sharedFilter)
    {
        if (!TopicFilter.TrySplitShared(sharedFilter, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter)) return;
        lock (_writer.Alone())
        {
            ref MatchResult? place = ref PlaceOf(filter, null, out SubscriptionNode? node);
            if (node is not null && place is not null) Observe(sharedFilter, FindGroup(place, group));
        }
    }

    /// <summary>The group behind a shared filter, while it has members.</summary>
    internal SharedGroup? FindGroup(ReadOnlySpan<byte> sharedFilter)
    {
        if (!TopicFilter.TrySplitShared(sharedFilter, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter)) return null;
        lock (_writer.Alone())
        {
            ref MatchResult? place = ref PlaceOf(filter, null, out SubscriptionNode? node);
            return node is null || place is null ? null : FindGroup(place, group);
        }
    }

    /// <summary>All groups that have members, in no order. Takes no lock: one that comes or goes meanwhile may be met or not.</summary>
    internal IEnumerable<SharedGroup> FindGroups()
    {
        var pending = new Stack<SubscriptionNode>([Root]);
        while (pending.TryPop(out SubscriptionNode? node))
        {
            WildcardPlaces? wildcards = Volatile.Read(ref node.Wildcards);
            foreach (SharedGroup group in GroupsOf(Volatile.Read(ref node.Own))) yield return group;
            if (wildcards is not null)
            {
                foreach (SharedGroup group in GroupsOf(Volatile.Read(ref wildcards.Multi))) yield return group;
                if (Volatile.Read(ref wildcards.Single) is { } single) pending.Push(single);
            }

            for (int slot = 0; slot < node.Children.SlotCount; slot++)
            {
                if (node.Children.At(slot) is { } child) pending.Push(child);
            }
        }
    }

    private static SharedGroup[] GroupsOf(MatchResult? place) => place?.Groups ?? [];

    // text: what ends with the filter, for levels to be made; null: none are made.
    private ref MatchResult? PlaceOf(ReadOnlySpan<byte> filter, byte[]? text, out SubscriptionNode? node)
    {
        _writer.MustBeHeld();
        node = Root;
        bool isLast = false;
        while (!isLast)
        {
            int left = filter.Length;
            ReadOnlySpan<byte> level = TopicLevels.Cut(filter, out filter, out isLast);
            if (TopicLevels.IsMultiWildcard(level) && WildcardsOf(node, make: text is not null) is { } wildcards) return ref wildcards.Multi;
            SubscriptionNode? next = TopicLevels.IsSingleWildcard(level) ? node.Wildcards?.Single : node.Children.Find(level);
            if (next is null)
            {
                if (text is null)
                {
                    node = null;
                    return ref Root.Own;
                }

                next = AddLevel(node, text, text.Length - left, level.Length);
            }

            node = next;
        }

        return ref node.Own;
    }

    private SubscriptionNode AddLevel(SubscriptionNode node, byte[] text, int start, int length)
    {
        _writer.MustBeHeld();
        Volatile.Write(ref _memoryBytes, _memoryBytes + NodeBytes);
        var added = new SubscriptionNode(text, start, length, node);
        if (TopicLevels.IsSingleWildcard(added.Level)) Volatile.Write(ref WildcardsOf(node, make: true)!.Single, added);
        else node.Children.Add(added);
        return added;
    }

    private static WildcardPlaces? WildcardsOf(SubscriptionNode node, bool make)
    {
        if (node.Wildcards is null && make) Volatile.Write(ref node.Wildcards, new WildcardPlaces());
        return node.Wildcards;
    }

    private void Prune(SubscriptionNode node)
    {
        _writer.MustBeHeld();
        while (node.IsEmpty && node.Parent is { } parent)
        {
            if (parent.Wildcards is { } wildcards && ReferenceEquals(wildcards.Single, node)) Volatile.Write(ref wildcards.Single, null);
            else parent.Children.Remove(node);
            Volatile.Write(ref _memoryBytes, _memoryBytes - NodeBytes);
            node = parent;
        }
    }

    private static T[] With<T>(T[] old, T added, out bool isNew)
        where T : Subscription
    {
        int at = Array.FindIndex(old, one => ReferenceEquals(one.Receiver, added.Receiver));
        isNew = at < 0;
        if (isNew) return [.. old, added];
        var replaced = (T[])old.Clone();
        replaced[at] = added;
        return replaced;
    }

    private static T[] Without<T>(T[] old, Receiver receiver, out bool removed)
        where T : Subscription
    {
        T[] rest = Array.FindAll(old, one => !ReferenceEquals(one.Receiver, receiver));
        removed = rest.Length != old.Length;
        return rest;
    }

    private static SharedGroup? FindGroup(MatchResult place, ReadOnlySpan<byte> name)
    {
        foreach (SharedGroup one in place.Groups)
        {
            if (name.SequenceEqual(one.Name)) return one;
        }

        return null;
    }

    private static MatchResult WithMember(MatchResult old, ReadOnlySpan<byte> name, Subscription added, out bool isNew)
    {
        SharedGroup? known = FindGroup(old, name);
        SharedGroup group = known ?? new SharedGroup(name.ToArray());
        if (added is PeerInterest peer) group.Peers = With(group.Peers, peer, out isNew);
        else group.Members = With(group.Members, added, out isNew);
        return known is null ? old with { Groups = [.. old.Groups, group] } : old;
    }

    private static MatchResult WithoutMember(MatchResult old, ReadOnlySpan<byte> name, Receiver receiver, out bool removed)
    {
        removed = false;
        if (FindGroup(old, name) is not { } group) return old;
        if (receiver is PeerOutbox) group.Peers = Without(group.Peers, receiver, out removed);
        else group.Members = Without(group.Members, receiver, out removed);
        return group.IsEmpty ? old with { Groups = Array.FindAll(old.Groups, one => !ReferenceEquals(one, group)) } : old;
    }

    private void NoteChange(ReadOnlySpan<byte> filter)
    {
        _writer.MustBeHeld();
        long version = _version + 1;
        Changes.Note(filter, version);
        Volatile.Write(ref _version, version);
    }

    /// <summary>Tells what the subscribers of a place want where that is another thing than before.</summary>
    private void Observe(ReadOnlySpan<byte> filter, MatchResult before, MatchResult? after)
    {
        _writer.MustBeHeld();
        if (Observer is not { } observer || ReferenceEquals(before.Plain, after?.Plain)) return;
        Interest interest = InterestOf(after?.Plain ?? []);
        if (interest != InterestOf(before.Plain)) observer.Changed(filter, interest);
    }

    /// <summary>Tells what the members of a group want where that is another thing than before.</summary>
    private void Observe(ReadOnlySpan<byte> sharedFilter, SharedGroup? group)
    {
        _writer.MustBeHeld();
        if (Observer is not { } observer || group is null) return;
        Interest interest = group.Interest;
        if (interest == group.Told) return;
        group.Told = interest;
        observer.Changed(sharedFilter, interest);
    }

    private static Interest InterestOf(Subscription[] subscriptions)
    {
        Interest interest = subscriptions.Length == 0 ? Interest.None : Interest.Any;
        foreach (Subscription one in subscriptions)
        {
            if (one.Options.MaximumQoS == QoS.AtMostOnce) continue;
            interest |= one.Receiver.IsDurable ? Interest.Acknowledged | Interest.Kept : Interest.Acknowledged;
        }

        return interest;
    }

    private void CountOne(Receiver receiver, bool shared, int change, int filterBytes)
    {
        Volatile.Write(ref _memoryBytes, _memoryBytes + (change * (SubscriptionBytes + filterBytes)));
        if (receiver is PeerOutbox)
        {
            Volatile.Write(ref _peerCount, _peerCount + change);
            return;
        }

        Volatile.Write(ref _count, _count + change);
        if (shared) Volatile.Write(ref _sharedCount, _sharedCount + change);
    }
}
