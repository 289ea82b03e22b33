using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>Matches topics against the tree. Holds the scratch lists of a match, so one thread at a time uses one.</summary>
internal sealed class SubscriptionMatcher
{
    private const int PairwiseLimit = 16;

    private readonly List<MatchResult> _found = [];
    private readonly List<Subscription> _plain = [];
    private readonly Dictionary<Receiver, List<Subscription>> _byReceiver = [];

    /// <summary>Finds who gets messages of <paramref name="topic"/>.</summary>
    public MatchResult Match(SubscriptionNode root, ReadOnlySpan<byte> topic)
    {
        _found.Clear();
        Collect(root, topic, isEnd: false, wildcards: !TopicName.IsReserved(topic));
        return _found.Count switch
        {
            0 => MatchResult.Empty,
            1 => _found[0],
            _ => Merge(),
        };
    }

    /// <summary>Finds every subscription that matches <paramref name="topic"/>, members of groups included, none merged.</summary>
    public IEnumerable<Subscription> FindAll(SubscriptionNode root, ReadOnlySpan<byte> topic)
    {
        _found.Clear();
        Collect(root, topic, isEnd: false, wildcards: !TopicName.IsReserved(topic));
        return _found.SelectMany(found => found.Plain.Concat(found.Groups.SelectMany(group => group.Members)));
    }

    // wildcards: false only at the root, for topics that begin with $ [MQTT-4.7.2-1]. Depth is bounded by the tree's, which max_topic_levels bounds.
    private void Collect(SubscriptionNode node, ReadOnlySpan<byte> topic, bool isEnd, bool wildcards)
    {
        WildcardPlaces? below = wildcards ? Volatile.Read(ref node.Wildcards) : null;
        if (below is not null && Volatile.Read(ref below.Multi) is { } multi) _found.Add(multi);
        if (isEnd)
        {
            if (Volatile.Read(ref node.Own) is { } own) _found.Add(own);
            return;
        }

        ReadOnlySpan<byte> level = TopicLevels.Cut(topic, out ReadOnlySpan<byte> rest, out bool isLast);
        if (node.Children.Find(level) is { } child) Collect(child, rest, isLast, wildcards: true);
        if (below is not null && Volatile.Read(ref below.Single) is { } single) Collect(single, rest, isLast, wildcards: true);
    }

    private MergedMatchResult Merge()
    {
        SharedGroup[] groups = [];
        PeerInterest[] peers = [];
        _plain.Clear();
        foreach (MatchResult found in _found)
        {
            if (found.Groups.Length > 0) groups = [.. groups, .. found.Groups];
            if (found.Peers.Length > 0) peers = MergePeers(peers, found.Peers);
            _plain.AddRange(found.Plain);
        }

        if (_plain.Count <= PairwiseLimit) MergePairwise();
        else MergeByReceiver();
        return new MergedMatchResult([.. _plain], groups) { Peers = peers };
    }

    /// <summary>Nodes are few.</summary>
    private static PeerInterest[] MergePeers(PeerInterest[] peers, PeerInterest[] others)
    {
        List<PeerInterest> merged = [.. peers];
        foreach (PeerInterest other in others)
        {
            int at = merged.FindIndex(one => ReferenceEquals(one.Receiver, other.Receiver));
            if (at < 0) merged.Add(other);
            else merged[at] = merged[at].With(other);
        }

        return [.. merged];
    }

    /// <summary>A few subscriptions: comparing each with each is cheaper than a table.</summary>
    private void MergePairwise()
    {
        for (int i = 0; i < _plain.Count; i++)
        {
            if (!HasAnother(i)) continue;
            Receiver receiver = _plain[i].Receiver;
            Subscription merged = Subscription.Merge(_plain.FindAll(one => ReferenceEquals(one.Receiver, receiver)));
            _plain.RemoveAll(one => ReferenceEquals(one.Receiver, receiver));
            _plain.Insert(i, merged);
        }
    }

    private bool HasAnother(int index)
    {
        for (int i = index + 1; i < _plain.Count; i++)
        {
            if (ReferenceEquals(_plain[i].Receiver, _plain[index].Receiver)) return true;
        }

        return false;
    }

    private void MergeByReceiver()
    {
        foreach (Subscription one in _plain)
        {
            if (!_byReceiver.TryGetValue(one.Receiver, out List<Subscription>? several)) _byReceiver.Add(one.Receiver, several = []);
            several.Add(one);
        }

        _plain.Clear();
        foreach (List<Subscription> several in _byReceiver.Values) _plain.Add(several.Count == 1 ? several[0] : Subscription.Merge(several));
        _byReceiver.Clear();
    }
}
